"""One server that rents us numbers: calls to it, under its breaker, and what its answers mean.

answer                            to a read       to a rent or cancel
200, `status` is success          its fields      its fields
200, `status` is error; any 4xx   refused         refused
5xx                               unavailable     outcome unknown
anything else, or junk            junk            outcome unknown
not sent                          unavailable     unavailable
broken off after sending          unavailable     outcome unknown
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import quote

from chalicelib.domain.text import well_formed
from chalicelib.domain.times import Clock
from chalicelib.outbound import Fetch, Fetched, NotSentError, OutboundError
from chalicelib.settings import SupplierConfig
from chalicelib.suppliers.breaker import Breaker
from chalicelib.suppliers.contract import (
    Reason,
    SupplierError,
    SupplierJunkError,
    SupplierOutcomeUnknownError,
    SupplierRefusedError,
    SupplierUnavailableError,
    UpstreamAnswer,
)
from chalicelib.suppliers.fields import Fields, JunkError, load_object

CALL_SECONDS = 4.0
"""How long a call takes at most, both of its attempts: two hung suppliers leave a rent time to
tell its user within 10 s."""

_LEAST_SECONDS = 0.1
_ATTEMPTS = 2
_MOST_MESSAGE = 200
_IN_PROGRESS = "request_in_progress"
"""The first call with the same Idempotency-Key is being answered."""

_REASONS = {
    401: Reason.AUTH,
    402: Reason.PAYMENT,
    403: Reason.AUTH,
    404: Reason.NOT_FOUND,
    409: Reason.CLOSED,
    429: Reason.LIMIT,
}
_REASONS_BY_CODE = {
    "no_numbers": Reason.NO_NUMBERS,
    "insufficient_balance": Reason.PAYMENT,
    "invalid_api_key": Reason.AUTH,
    "missing_api_key": Reason.AUTH,
    "account_inactive": Reason.AUTH,
    "rental_not_found": Reason.NOT_FOUND,
    "rental_expired": Reason.CLOSED,
    "cancel_too_early": Reason.LIMIT,
}

T = TypeVar("T")
Understand = Callable[[Fields], T]
"""Makes something of a successful answer's fields. Raises JunkError."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call as the protocol has it; `not_found` is what its 404 means."""

    method: str
    path: str = field(repr=False)
    params: Mapping[str, str] | None = field(default=None, repr=False)
    json: Mapping[str, Any] | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)
    not_found: Reason = Reason.NOT_FOUND


class Upstream:
    """A supplier's server."""

    def __init__(
        self,
        config: SupplierConfig,
        fetch: Fetch,
        clock: Clock,
        *,
        call_seconds: float = CALL_SECONDS,
    ) -> None:
        self.config = config
        self.clock = clock
        self.call_seconds = call_seconds
        self._fetch = fetch
        self._breaker = Breaker()

    def read(self, call: Call, understand: Understand[T], *, within: float | None = None) -> T:
        """What a call that changes nothing tells; asked again if its first attempt fails.

        Raises SupplierRefusedError, SupplierUnavailableError, SupplierJunkError.
        """
        failure: SupplierError = self._unavailable("not called: no time, or breaker open")
        for seconds in self._attempts(within):
            try:
                return self._attempt(call, understand, seconds)
            except SupplierUnavailableError as error:
                failure = error
            except SupplierOutcomeUnknownError as error:
                # Of a read it does not matter whether it was done.
                failure = self._unavailable(error.why, error.answer)
            except JunkError as error:
                raise SupplierJunkError(self.config.name, str(error)) from None
        raise failure

    def act(
        self,
        call: Call,
        understand: Understand[T],
        *,
        repeatable: bool,
        within: float | None = None,
    ) -> T:
        """What a call that changes something tells; asked again where that can do no harm.

        That is where nothing was done, or where the call is `repeatable`. Once an attempt's
        outcome is unknown, only success makes it known: a refusal may be of the repetition.
        Raises SupplierRefusedError, SupplierUnavailableError, SupplierOutcomeUnknownError.
        """
        failure: SupplierError = self._unavailable("not called: no time, or breaker open")
        unknown: SupplierOutcomeUnknownError | None = None
        for seconds in self._attempts(within):
            try:
                return self._attempt(call, understand, seconds)
            except SupplierUnavailableError as error:
                failure = error
            except SupplierRefusedError as error:
                failure = error
                break
            except SupplierOutcomeUnknownError as error:
                unknown = error
                if not repeatable:
                    break
            except JunkError as error:
                # Who answers junk may also take the repetition for another call.
                unknown = SupplierOutcomeUnknownError(
                    self.config.name, str(error), upstream_id=error.upstream_id
                )
                break
        raise unknown or failure

    def _attempts(self, within: float | None) -> Iterator[float]:
        """The seconds that are left, for each attempt that there is time for and that may be."""
        seconds = self.call_seconds if within is None else min(within, self.call_seconds)
        ends = time.monotonic() + seconds
        for _ in range(_ATTEMPTS):
            left = ends - time.monotonic()
            if left < _LEAST_SECONDS or not self._breaker.admits(self.clock()):
                return
            yield left

    def _attempt(self, call: Call, understand: Understand[T], seconds: float) -> T:
        try:
            made = understand(self._successful(call, self._sent(call, seconds)))
        except SupplierRefusedError:
            self._breaker.succeeded()
            raise
        except (SupplierError, JunkError):
            self._breaker.failed(self.clock())
            raise
        self._breaker.succeeded()
        return made

    def _sent(self, call: Call, seconds: float) -> Fetched:
        try:
            return self._fetch(
                call.method,
                self.config.url + call.path,
                params=call.params,
                json=call.json,
                headers=call.headers,
                deadline_seconds=seconds,
            )
        except NotSentError as error:
            raise self._unavailable(error.reason) from None
        except OutboundError as error:
            raise SupplierOutcomeUnknownError(self.config.name, error.reason) from None

    def _successful(self, call: Call, fetched: Fetched) -> Fields:
        """The fields of an answer that says success. Raises what else it says, or JunkError."""
        found = load_object(fetched.body)
        status = fetched.status
        if 200 <= status < 300 and found is not None and found.get("status") == "success":
            return found
        is_error = found is not None and found.get("status") == "error"
        why = f"HTTP {status}"
        if is_error and found is not None and found.get("code") == _IN_PROGRESS:
            raise SupplierOutcomeUnknownError(self.config.name, why)
        if 400 <= status < 500 or (200 <= status < 300 and is_error):
            raise self._refused(call, fetched, found or {})
        if status >= 500:
            answer = self._error_answer(fetched, found or {})
            raise SupplierOutcomeUnknownError(self.config.name, why, answer=answer)
        raise JunkError(f"an answer with {why}")

    def _refused(self, call: Call, fetched: Fetched, found: Fields) -> SupplierRefusedError:
        code = found.get("code")
        reason = _REASONS_BY_CODE.get(code) if isinstance(code, str) else None
        if reason is None:
            reason = _REASONS.get(fetched.status, Reason.OTHER)
            reason = call.not_found if fetched.status == 404 else reason
        return SupplierRefusedError(
            self.config.name,
            reason,
            retry_after=fetched.retry_after(),
            answer=self._error_answer(fetched, found),
        )

    def _error_answer(self, fetched: Fetched, found: Fields) -> UpstreamAnswer | None:
        message = found.get("message")
        if not isinstance(message, str) or fetched.status < 400:
            return None
        for key in (self.config.key, quote(self.config.key, safe="")):
            message = message.replace(key, "…")
        message = well_formed(message[:_MOST_MESSAGE])
        return UpstreamAnswer(fetched.status, "".join(filter(str.isprintable, message)))

    def _unavailable(
        self, why: str, answer: UpstreamAnswer | None = None
    ) -> SupplierUnavailableError:
        return SupplierUnavailableError(self.config.name, why, answer=answer)
