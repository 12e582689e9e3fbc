"""Where SMS providers post what our numbers receive."""

import re
from collections.abc import Iterable

from chalice.app import Blueprint

from chalicelib.api.edge import Body, Call, route
from chalicelib.bootstrap import platform
from chalicelib.errors import MethodNotAllowedError, NotFoundError, TooLargeError
from chalicelib.providers import registry
from chalicelib.providers.batches import PartlyReadError
from chalicelib.providers.contract import InboundPost, InboundSms, Provider

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


@route(routes, "/inbound/{provider}/{account}/receipt", "GET")
def receive_receipt_by_get(call: Call) -> Body:
    """As `receive_receipt`, for the providers that post by GET."""
    return _receipts_taken(call)


@route(routes, "/inbound/{provider}/{account}/receipt", "POST")
def receive_receipt(call: Call) -> Body:
    """What a provider says became of messages that it sent for us."""
    return _receipts_taken(call)


def _taken(call: Call) -> Body:
    provider, post = _genuine(call, "")
    try:
        _store(call, provider.parse(post, platform().clock()))
    except PartlyReadError as refusal:
        _store(call, refusal.readable)
        raise
    reply = provider.accepted()
    return Body(reply.body, reply.content_type)


def _store(call: Call, found: Iterable[InboundSms]) -> None:
    for sms in found:
        platform().inbound.receive(call.path["provider"], call.path["account"], sms)


def _receipts_taken(call: Call) -> Body:
    name, account_name = call.path["provider"], call.path["account"]
    sender = registry.sender(name)
    if sender is None:
        raise _unknown_account()
    provider, post = _genuine(call, "/receipt")
    for receipt in sender.receipts(post, platform().clock()):
        platform().otp_receipts.receive(name, account_name, receipt)
    reply = provider.accepted()
    return Body(reply.body, reply.content_type)


def _genuine(call: Call, below: str) -> tuple[Provider, InboundPost]:
    """The provider and its post, once that is known to be theirs.

    Raises NotFoundError, MethodNotAllowedError, TooLargeError, ForbiddenError.
    """
    name, account_name = call.path["provider"], call.path["account"]
    here = platform()
    account = here.settings.secrets.provider_accounts.get((name, account_name))
    provider = registry.get(name)
    if provider is None or account is None or _NAME.fullmatch(account_name) is None:
        raise _unknown_account()
    if len(call.body) > MOST_BODY_BYTES:
        raise TooLargeError(
            "body_too_large", f"body: expected at most {MOST_BODY_BYTES} bytes.", field="body"
        )
    if call.method not in provider.METHODS:
        raise MethodNotAllowedError(f"{name} does not post by {call.method}.", provider.METHODS)
    url = f"{here.settings.public_url}/inbound/{name}/{account_name}{below}"
    posts = [
        InboundPost(f"{url}{query}", call.headers, call.body, call.method, call.source_ip)
        for query in [f"?{each}" for each in call.query_strings] or [""]
    ]
    return provider, here.provider_posts.genuine(provider, posts, account)


def _unknown_account() -> NotFoundError:
    return NotFoundError("unknown_account", "There is no such provider account.")
