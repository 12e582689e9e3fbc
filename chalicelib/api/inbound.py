"""Where SMS providers post what our numbers receive."""

import re

from chalice.app import Blueprint

from chalicelib.api.edge import Body, Call, route
from chalicelib.bootstrap import platform
from chalicelib.errors import ForbiddenError, MethodNotAllowedError, NotFoundError, TooLargeError
from chalicelib.providers import registry
from chalicelib.providers.contract import InboundPost

routes = Blueprint(__name__)

MOST_BODY_BYTES = 256 * 1024
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


@route(routes, "/inbound/{provider}/{account}", "GET")
def receive_by_get(call: Call) -> Body:
    """As `receive`, for the providers that post by GET."""
    return _taken(call)


@route(routes, "/inbound/{provider}/{account}", "POST")
def receive(call: Call) -> Body:
    """A provider's post: genuine, then stored, then answered as that provider wants.

    A 4xx tells the provider that sending it again is no use, a 503 that it is.
    """
    return _taken(call)


def _taken(call: Call) -> Body:
    name, account_name = call.path["provider"], call.path["account"]
    here = platform()
    account = here.settings.secrets.provider_accounts.get((name, account_name))
    provider = registry.get(name)
    if provider is None or account is None or _NAME.fullmatch(account_name) is None:
        raise NotFoundError("unknown_account", "There is no such provider account.")
    if len(call.body) > MOST_BODY_BYTES:
        raise TooLargeError(
            "body_too_large", f"body: expected at most {MOST_BODY_BYTES} bytes.", field="body"
        )
    if call.method not in provider.METHODS:
        raise MethodNotAllowedError("method_not_allowed", f"{name} does not post by {call.method}.")
    query = f"?{call.query_string}" if call.query_string else ""
    url = f"{here.settings.public_url}/inbound/{name}/{account_name}{query}"
    post = InboundPost(url, call.headers, call.body, call.method, call.source_ip)
    now = here.clock()
    if not provider.verify(post, account, now):
        raise ForbiddenError("invalid_signature", "The signature does not match.")
    for sms in provider.parse(post, now):
        here.inbound.receive(name, account_name, sms)
    reply = provider.accepted()
    return Body(reply.body, reply.content_type)
