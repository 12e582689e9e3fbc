"""What a check has in hand: the server, and how it is to be tested."""

from collections.abc import Callable
from dataclasses import dataclass, field

from chalicelib.domain.times import Clock
from chalicelib.suppliers.conformance import answers
from chalicelib.suppliers.conformance.answers import Rental, SkippedError
from chalicelib.suppliers.conformance.target import CANCEL, NUMBERS, RENT, SMS, Reply, Target
from chalicelib.suppliers.fields import Fields


@dataclass(frozen=True, slots=True)
class Probe:
    """A test of one server.

    `country` is where to rent, None if it lists none; `other_key` is one of another account there.
    """

    target: Target
    clock: Clock
    sleep: Callable[[float], None]
    country: str | None = None
    simultaneous: int = 30
    wait_expiry: bool = False
    other_key: str | None = field(default=None, repr=False)

    def chosen(self) -> str:
        """The country to rent in. Raises SkippedError if there is none."""
        if self.country is None:
            raise SkippedError("no country to rent in")
        return self.country

    def ask_rent(self, **given: str) -> Reply:
        """Ask for a number of the chosen country, in JSON."""
        return self.target.ask(RENT, {"country": self.chosen(), **given})

    def rent(self, **given: str) -> Rental:
        """A rental in the chosen country. Raises SkippedError, FailedError."""
        return answers.rental(self.ask_rent(**given))

    def sms(self, rental: Rental) -> Reply:
        """Ask for the SMS of a rental."""
        return self.target.ask(SMS, {"rental_id": rental.rental_id})

    def cancel(self, rental: Rental) -> Reply:
        """Cancel a rental. Raises SkippedError if the server's limits forbid it."""
        reply = self.target.ask(CANCEL, {"rental_id": rental.rental_id})
        if reply.status in (429, 503):
            raise SkippedError(f"can't cancel now: {reply}")
        return reply

    def listed(self, **given: str) -> list[Fields]:
        """The entries of getNumbers. Raises FailedError."""
        return entries(answers.success(self.target.ask(NUMBERS, given)))


def entries(found: Fields) -> list[Fields]:
    """The entries in the fields of a getNumbers answer. Raises FailedError."""
    answers.expect(
        found,
        "numbers",
        lambda value: isinstance(value, list) and all(isinstance(item, dict) for item in value),
        "a list of objects",
    )
    listed: list[Fields] = found["numbers"]
    return listed
