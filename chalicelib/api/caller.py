"""Who calls: a user by an API key, or the admin by theirs."""

import hmac

from chalicelib import telemetry
from chalicelib.api.edge import Call
from chalicelib.api.parameters import Parameters
from chalicelib.bootstrap import platform
from chalicelib.domain import keys
from chalicelib.domain.user import User
from chalicelib.errors import UnauthenticatedError
from chalicelib.stores.api_keys import ApiKey

_BEARER = "bearer "
_ADMIN = "admin"


def of(call: Call, given: Parameters) -> tuple[ApiKey, User]:
    """The caller by the documented `api_key`, or by a bearer token, which no log ever sees.

    Raises UnauthenticatedError, ForbiddenError, LimitExceededError.
    """
    text = given.get("api_key") or _token(call)
    if not text:
        raise UnauthenticatedError(
            "missing_api_key", "api_key: expected your API key.", field="api_key"
        )
    return _opened(text if isinstance(text, str) else "")


def by_token(call: Call) -> tuple[ApiKey, User]:
    """The caller by a bearer token, and by nothing else.

    Raises UnauthenticatedError, ForbiddenError, LimitExceededError.
    """
    text = _token(call)
    if not text:
        raise UnauthenticatedError(
            "missing_api_key",
            "Authorization: expected `Bearer` and your API key.",
            field="Authorization",
        )
    return _opened(text)


def by_login(call: Call) -> User:
    """The caller by the headers `api-login` and `api-key`, of spec C.

    Raises UnauthenticatedError, ForbiddenError, LimitExceededError.
    """
    login, text = call.headers.get("api-login", ""), call.headers.get("api-key", "")
    for name, value in (("api-login", login), ("api-key", text)):
        if not value.strip():
            raise UnauthenticatedError(
                "missing_credentials", f"{name}: expected yours.", field=name
            )
    _, user = _opened(text.strip())
    # Bytes, as compare_digest raises TypeError for text that is not ASCII.
    given, known = login.strip().lower().encode("utf-8", "replace"), user.login.encode()
    if not hmac.compare_digest(given, known):
        raise UnauthenticatedError(
            "invalid_credentials", "api-login: expected the login of the key.", field="api-login"
        )
    return user


def check_admin(call: Call) -> None:
    """Let nobody but the admin pass. Raises UnauthenticatedError, LimitExceededError."""
    given = call.headers.get("x-admin-key", "")
    if not keys.is_same(given, platform().settings.secrets.admin_key_hash):
        raise UnauthenticatedError(
            "invalid_admin_key", "X-Admin-Key: expected the admin key.", field="X-Admin-Key"
        )
    platform().call_limiter.take(_ADMIN)


def _token(call: Call) -> str:
    authorization = call.headers.get("authorization", "")
    if not authorization.lower().startswith(_BEARER):
        return ""
    return authorization[len(_BEARER) :].strip()


def _opened(text: str) -> tuple[ApiKey, User]:
    key, user = platform().accounts.authenticate(text)
    telemetry.bind(user_id=user.user_id)
    platform().call_limiter.take(user.user_id)
    return key, user
