"""What every supplier of numbers but our own stock offers, and how its calls can end.

    SupplierError
    ├── SupplierRefusedError          it said no: nothing is rented, or changed; says why
    ├── SupplierUnavailableError      nothing can have happened: not sent, down, breaker open
    ├── SupplierOutcomeUnknownError   a rent or cancel that may or may not have been done
    └── SupplierJunkError             a read's answer that is not of the protocol

None of them is an answer to a caller of ours, and none prints a word that a supplier wrote: only
spec A's pass-through shows `answer`, from which our key is cut. Every client is bounded in time,
safe to share between threads, and stops calling for a while a supplier that keeps failing
(`breaker.py`).
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from chalicelib.domain.ids import E164
from chalicelib.domain.money import Micros
from chalicelib.domain.times import Millis


class Reason(StrEnum):
    """Why a supplier said no."""

    NO_NUMBERS = "no_numbers"
    PAYMENT = "payment"
    AUTH = "auth"
    LIMIT = "limit"
    NOT_FOUND = "not_found"
    """It knows no such rental of ours."""
    CLOSED = "closed"
    """The rental is over: it expired, or it was cancelled before and the supplier minds that."""
    UNSUPPORTED = "unsupported"
    """Its protocol has no such call or parameter."""
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class UpstreamAnswer:
    """The HTTP status and the message of an error answer, at most 200 printable characters."""

    status: int
    message: str = field(repr=False)


class SupplierError(Exception):
    """A call to a supplier that did not end well.

    `supplier` is its name; `answer` its own error answer where it gave one in its protocol's form.
    """

    def __init__(self, supplier: str, why: str, *, answer: UpstreamAnswer | None = None) -> None:
        super().__init__(f"{supplier}: {why}")
        self.supplier = supplier
        self.why = why
        self.answer = answer


class SupplierRefusedError(SupplierError):
    """It said no, and so nothing is rented or changed. `retry_after` is in seconds."""

    def __init__(
        self,
        supplier: str,
        reason: Reason,
        *,
        retry_after: int | None = None,
        answer: UpstreamAnswer | None = None,
    ) -> None:
        super().__init__(supplier, reason, answer=answer)
        self.reason = reason
        self.retry_after = retry_after


class SupplierUnavailableError(SupplierError):
    """Nothing can have happened there: not sent, a read that failed, or the breaker is open."""


class SupplierOutcomeUnknownError(SupplierError):
    """A rent or cancel of which nobody here can say whether it was done.

    `upstream_id` is that of the rental where an answer that is otherwise junk names one: it can
    be cancelled.
    """

    def __init__(
        self,
        supplier: str,
        why: str,
        *,
        upstream_id: str | None = None,
        answer: UpstreamAnswer | None = None,
    ) -> None:
        super().__init__(supplier, why, answer=answer)
        self.upstream_id = upstream_id


class SupplierJunkError(SupplierError):
    """A read was answered with something that is not of the protocol; says which field."""


@dataclass(frozen=True, slots=True)
class SupplierOffer:
    """What a supplier has in one country, of one operator where its protocol tells them apart.

    `country` is ISO 3166-1 alpha-2; `operator_name` is "" and `upstream_operator` None where there
    are none. `cost` is what the number costs us.
    """

    country: str
    operator_name: str
    upstream_operator: int | None
    available: int
    cost: Micros


@dataclass(frozen=True, slots=True)
class SupplierNumber:
    """A number that we rent from a supplier.

    `expires_at` is None where the protocol does not tell, `cost` where the answer did not.
    """

    upstream_id: str
    phone_number: E164
    expires_at: Millis | None
    cost: Micros | None = None


@dataclass(frozen=True, slots=True)
class SupplierMessage:
    """One SMS as a supplier tells of it. `text` has at most 4,000 characters."""

    sender: str
    text: str
    received_at: Millis


@dataclass(frozen=True, slots=True)
class Cancelled:
    """A rental given back, and whether the supplier gives us our money back."""

    refunded: bool


@dataclass(frozen=True, slots=True)
class UpstreamCountry:
    """A country as a spec A server lists it; `country` is its alpha-2 code, None if unknown."""

    upstream_id: int
    name: str
    phone_code: str
    country: str | None


@dataclass(frozen=True, slots=True)
class UpstreamOperator:
    """A mobile operator as a spec A server lists it, of one of its countries."""

    upstream_id: int
    name: str
    upstream_country: int


@dataclass(frozen=True, slots=True)
class UpstreamCatalogue:
    """The countries and operators that a server lists, in its order."""

    countries: tuple[UpstreamCountry, ...] = ()
    operators: tuple[UpstreamOperator, ...] = ()


class Supplier(Protocol):
    """A server that rents us numbers.

    Each call raises SupplierRefusedError or SupplierUnavailableError; beside them a read
    SupplierJunkError, and a rent or cancel SupplierOutcomeUnknownError.
    """

    @property
    def name(self) -> str:
        """Its name in our settings."""

    @property
    def needs_polling(self) -> bool:
        """Whether its SMS are had by `messages`; else it posts them to us."""

    @property
    def can_cancel(self) -> bool:
        """Whether its protocol lets us give a number back."""

    def offers(self) -> list[SupplierOffer]:
        """What it has. At most one offer for each country and operator."""

    def rent(
        self,
        country: str,
        service: str,
        upstream_operator: int | None,
        key: str,
        *,
        within: float | None = None,
    ) -> SupplierNumber:
        """Rent a number in `country` (alpha-2) for a named service, or for any ("").

        `key` is our rental id: the same key names the same rental, so that asking again after an
        unknown outcome may tell it; a refusal then does not, as not every server knows keys.
        `within` shortens the time this takes, in seconds.
        """

    def messages(self, upstream_id: str) -> list[SupplierMessage]:
        """The rental's SMS so far in the supplier's order, at most 100.

        A message's place in it never changes: one that the supplier withholds ends the list.
        """

    def cancel(self, upstream_id: str, *, within: float | None = None) -> Cancelled:
        """Give the number back, in at most `within` seconds. Repeating it is harmless."""

    def catalogue(self) -> UpstreamCatalogue:
        """The countries and operators it lists; empty where the protocol has no such call."""
