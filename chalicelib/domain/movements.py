"""Movements of money that somebody ordered, as they are answered and answered again."""

import json
from dataclasses import asdict, dataclass

from chalicelib.domain.ids import UserId
from chalicelib.domain.money import Micros
from chalicelib.domain.times import Millis


@dataclass(frozen=True, slots=True)
class Movement:
    """Money that came to a user: from the admin, or from their manager's balance.

    `movement_id` is the cause of its ledger entries.
    """

    movement_id: str
    user_id: UserId
    amount: Micros
    reference: str
    at: Millis


def dump(movement: Movement) -> str:
    """`movement` as the JSON that an idempotency key keeps, to be answered again."""
    return json.dumps(asdict(movement), ensure_ascii=False)


def load(text: str) -> Movement:
    """The movement that `dump` wrote."""
    return Movement(**json.loads(text))
