"""Every error that a caller can be told, as data.

    SesameError
    ├── InvalidInputError        a field is missing or wrong; says what was expected
    │   └── GuessRefusedError    a one-time code does not validate; says why by spec C's number
    ├── UnauthenticatedError     no key, or one that opens nothing
    ├── InsufficientBalanceError the balance can't pay
    ├── ForbiddenError           the key is good, the act is not allowed
    │   └── ManagerInactiveError the user's manager may not act
    ├── NotFoundError            unknown, or somebody else's
    ├── ConflictError            the thing's state does not allow it
    ├── MethodNotAllowedError    an HTTP method that the resource does not take
    ├── TooLargeError            a body over the limit
    ├── UnsupportedMediaError    a body in a format that we don't read
    ├── RequestKeyReusedError    an idempotency key with other parameters
    ├── LimitExceededError       too many; says when to come back
    ├── BusyError                a passing conflict that outlasted its retries
    ├── ConfigurationError       the server lacks a setting that the call needs
    ├── ServiceFetchError        the source of spec A's catalogue can't be asked
    └── UpstreamError            another server's refusal, passed on with its own status

Each face maps `kind` to its HTTP status in one place (`api/edge.py`).
"""

from collections.abc import Collection
from enum import Enum


class Kind(Enum):
    """What sort of answer an error is, whatever face gives it."""

    INVALID = "invalid"
    UNAUTHENTICATED = "unauthenticated"
    PAYMENT = "payment"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    METHOD = "method"
    TOO_LARGE = "too_large"
    MEDIA_TYPE = "media_type"
    UNPROCESSABLE = "unprocessable"
    LIMIT = "limit"
    BUSY = "busy"
    CONFIGURATION = "configuration"
    UNAVAILABLE = "unavailable"
    UPSTREAM = "upstream"


class SesameError(Exception):
    """An answer to the caller: a stable `code`, a readable `message`, and the `field` it is about.

    `retry_after` is in seconds, where coming back later can help.
    """

    kind: Kind = Kind.UNAVAILABLE

    def __init__(
        self, code: str, message: str, *, field: str | None = None, retry_after: int | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.field = field
        self.retry_after = retry_after


class InvalidInputError(SesameError):
    """A field is missing or has a value that can't be used; the message says what was expected."""

    kind = Kind.INVALID

    def __init__(self, field: str, expected: str, *, code: str = "invalid_parameter") -> None:
        super().__init__(code, f"{field}: expected {expected}.", field=field)


class MissingInputError(InvalidInputError):
    """A required field is absent or blank."""

    def __init__(self, field: str, expected: str) -> None:
        super().__init__(field, expected, code="missing_parameter")


class UnauthenticatedError(SesameError):
    """No credentials, or ones that open nothing."""

    kind = Kind.UNAUTHENTICATED


class InsufficientBalanceError(SesameError):
    """The balance can't pay; nothing was charged."""

    kind = Kind.PAYMENT

    def __init__(self) -> None:
        super().__init__("insufficient_balance", "Insufficient balance")


class ForbiddenError(SesameError):
    """The caller is known, and may not."""

    kind = Kind.FORBIDDEN


class ManagerInactiveError(ForbiddenError):
    """The user's manager may not act, so the user may not rent. Source: spec A."""

    def __init__(self) -> None:
        super().__init__("manager_inactive", "Manager inactive. Contact support.")


class NotFoundError(SesameError):
    """There is no such thing, or it is somebody else's: the two answers are alike."""

    kind = Kind.NOT_FOUND


class ConflictError(SesameError):
    """The state that the thing is in does not allow the act."""

    kind = Kind.CONFLICT


class GuessRefusedError(InvalidInputError):
    """A code that does not validate: `number` is spec C's, `remaining` the attempts left."""

    def __init__(self, number: int, message: str, *, remaining: int | None) -> None:
        SesameError.__init__(self, "code_refused", message)
        self.number = number
        self.remaining = remaining


class MethodNotAllowedError(SesameError):
    """The resource is there, but takes the HTTP methods `allowed` only."""

    kind = Kind.METHOD

    def __init__(self, message: str, allowed: Collection[str]) -> None:
        super().__init__("method_not_allowed", message)
        self.allowed = allowed


class TooLargeError(SesameError):
    """The body is larger than we read."""

    kind = Kind.TOO_LARGE


class UnsupportedMediaError(SesameError):
    """The body is in a format that we don't read."""

    kind = Kind.MEDIA_TYPE


class RequestKeyReusedError(SesameError):
    """An idempotency key came again with other parameters."""

    kind = Kind.UNPROCESSABLE

    def __init__(self) -> None:
        super().__init__(
            "idempotency_key_reused",
            "Idempotency-Key: expected the parameters that this key was first used with.",
            field="Idempotency-Key",
        )


class LimitExceededError(SesameError):
    """Too many; `retry_after` says when to come back."""

    kind = Kind.LIMIT


class BusyError(SesameError):
    """A conflict or an outage outlasted its retries. Repeating the call is safe, and may help."""

    kind = Kind.BUSY

    def __init__(self) -> None:
        super().__init__("busy", "The service is busy. Try again.", retry_after=1)


class ConfigurationError(SesameError):
    """The server lacks a setting that the call needs. The message says no more than that."""

    kind = Kind.CONFIGURATION

    def __init__(self) -> None:
        super().__init__("system_configuration_error", "System configuration error")


class ServiceFetchError(SesameError):
    """The source of the catalogue can't be asked, and nothing is kept of it. Source: spec A."""

    kind = Kind.UNAVAILABLE

    def __init__(self, message: str = "Service fetch failed") -> None:
        super().__init__("service_fetch_failed", message)


class UpstreamError(SesameError):
    """Another server's answer in place of ours; `status` is the HTTP status to pass on."""

    kind = Kind.UPSTREAM

    def __init__(self, status: int, message: str, *, retry_after: int | None = None) -> None:
        super().__init__("upstream_error", message, retry_after=retry_after)
        self.status = status
