"""The tables as PynamoDB models: schema, expressions and serialisation. `db` sends.

Names come from the environment (`configure`); keys and indexes are those of
infra/resources.yaml. Amounts are micro-units, times milliseconds, `ttl` seconds.
"""

from collections.abc import Mapping
from typing import Any

from pynamodb.attributes import (
    BooleanAttribute,
    ListAttribute,
    MapAttribute,
    NumberSetAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
)
from pynamodb.models import Model

from chalicelib.stores.attributes import IntAttribute
from chalicelib.stores.endpoint_items import EndpointRow
from chalicelib.stores.outbox_items import DeliveryRow, EventRow
from chalicelib.stores.rental_items import RentalRow
from chalicelib.stores.rollup_items import RollupRow
from chalicelib.stores.ticket_items import TicketRow


class UserRow(Model):
    """A user; or, with a user_id of `login#…`, the item that keeps that login unique."""

    class Meta:
        table_name = ""

    class Webhook(MapAttribute[str, Any]):
        """The endpoint: its secret is derived from the user's id and `generation`."""

        url = UnicodeAttribute()
        generation = IntAttribute()
        events: ListAttribute[Any] = ListAttribute(of=UnicodeAttribute)
        enabled = BooleanAttribute()
        previous_until = IntAttribute(null=True)

    user_id = UnicodeAttribute(hash_key=True)
    login = UnicodeAttribute(null=True)
    owner = UnicodeAttribute(null=True)
    name = UnicodeAttribute(null=True)
    status = UnicodeAttribute(null=True)
    active = BooleanAttribute(null=True)
    blocked = BooleanAttribute(null=True)
    created_at = IntAttribute(null=True)
    balance = IntAttribute(null=True)
    open_rentals = IntAttribute(null=True)
    rentals_total = IntAttribute(null=True)
    cancel_hour = IntAttribute(null=True)
    cancel_count = IntAttribute(null=True)
    key_hashes: ListAttribute[Any] = ListAttribute(of=UnicodeAttribute, null=True)
    webhook = Webhook(null=True)
    manager_id = UnicodeAttribute(null=True)
    markup = IntAttribute(null=True)
    number_format = UnicodeAttribute(null=True)
    time_zone = UnicodeAttribute(null=True)
    is_manager = BooleanAttribute(null=True)
    otp = UnicodeAttribute(null=True)
    otp_rules = UnicodeAttribute(null=True)
    otp_total = IntAttribute(null=True)
    low_balance = IntAttribute(null=True)
    low_told = BooleanAttribute(null=True)


class ApiKeyRow(Model):
    """An API key by its hash; the key itself is nowhere."""

    class Meta:
        table_name = ""

    key_hash = UnicodeAttribute(hash_key=True)
    user_id = UnicodeAttribute()
    prefix = UnicodeAttribute()
    label = UnicodeAttribute()
    created_at = IntAttribute()
    expires_at = IntAttribute(null=True)
    revoked_at = IntAttribute(null=True)


class NumberRow(Model):
    """A number of our stock. `free` is there only while it can be rented, `rest` while it rests."""

    class Meta:
        table_name = ""

    class Use(MapAttribute[str, Any]):
        """One past rental: the service it was for, whose, and on which day."""

        service = UnicodeAttribute()
        user_id = UnicodeAttribute()
        day = IntAttribute()

    phone_number = UnicodeAttribute(hash_key=True)
    state = UnicodeAttribute(null=True)
    country = UnicodeAttribute(null=True)
    operator_id = IntAttribute(null=True)
    pool = UnicodeAttribute(null=True)
    free = UnicodeAttribute(null=True)
    rank = IntAttribute(null=True)
    rest = UnicodeAttribute(null=True)
    rest_until = IntAttribute(null=True)
    uses = IntAttribute(null=True)
    history: ListAttribute[Use] = ListAttribute(of=Use, null=True)
    provider = UnicodeAttribute(null=True)
    account = UnicodeAttribute(null=True)
    rental_id = UnicodeAttribute(null=True)
    user_id = UnicodeAttribute(null=True)
    price = IntAttribute(null=True)
    manager_id = UnicodeAttribute(null=True)
    markup = IntAttribute(null=True)
    expires_at = IntAttribute(null=True)


class CatalogueRow(Model):
    """An operator and its price, a price rule, or (kind `stock`) the snapshot everybody reads.

    Of kind `listing`, what another server lists.
    """

    class Meta:
        table_name = ""

    kind = UnicodeAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True)
    name = UnicodeAttribute(null=True)
    country = UnicodeAttribute(null=True)
    price = IntAttribute(null=True)
    counted_at = IntAttribute(null=True)
    stock = UnicodeAttribute(null=True)
    fetched_at = IntAttribute(null=True)
    listing = UnicodeAttribute(null=True)


class PartItem(MapAttribute[str, Any]):
    """A part of a long SMS."""

    message_id = UnicodeAttribute()
    number = IntAttribute()
    text = UnicodeAttribute()


class InboundRow(Model):
    """An SMS as it was posted; its key makes a repeat a repeat. No rental's: `unclaimed_id`.

    Or the parts of a long one, under `parts#…`: `partial` is there until they are joined under
    `joined_id`, and `partial_at` is when that is done though some are missing. Or, under
    `report#…`, what a user says of the code of one.
    """

    class Meta:
        table_name = ""

    message_key = UnicodeAttribute(hash_key=True)
    fate = UnicodeAttribute()
    sender = UnicodeAttribute()
    recipient = UnicodeAttribute()
    text = UnicodeAttribute()
    received_at = IntAttribute()
    stored_at = IntAttribute()
    rental_id = UnicodeAttribute(null=True)
    event_id = UnicodeAttribute(null=True)
    unclaimed_id = UnicodeAttribute(null=True)
    total = IntAttribute(null=True)
    parts: ListAttribute[Any] = ListAttribute(of=PartItem, null=True)
    part_ids = UnicodeSetAttribute(null=True)
    part_numbers = UnicodeSetAttribute(null=True)
    joined_id = UnicodeAttribute(null=True)
    partial = UnicodeAttribute(null=True)
    partial_at = IntAttribute(null=True)
    code_found = UnicodeAttribute(null=True)
    code_right = UnicodeAttribute(null=True)
    ttl = IntAttribute()


class LedgerRow(Model):
    """One entry, never changed. `amount` is signed: what it added to the balance.

    Under `earned#DAY` are the earnings of managers on that day: no entries yet, so no `minute`.
    """

    class Meta:
        table_name = ""

    user_id = UnicodeAttribute(hash_key=True)
    entry_id = UnicodeAttribute(range_key=True)
    minute = UnicodeAttribute(null=True)
    at = IntAttribute()
    amount = IntAttribute()
    kind = UnicodeAttribute()
    reference = UnicodeAttribute()


class RequestRow(Model):
    """What an idempotency key was answered. Past `expires_at` it counts as absent."""

    class Meta:
        table_name = ""

    request_id = UnicodeAttribute(hash_key=True)
    parameters = UnicodeAttribute()
    answer = UnicodeAttribute()
    expires_at = IntAttribute()
    ttl = IntAttribute()


class LimitRow(Model):
    """A counter of a limit (`total`), or the slots of what may be held at once (until when).

    `tails` are the last digits of numbers that were sent codes.
    """

    class Meta:
        table_name = ""

    bucket = UnicodeAttribute(hash_key=True)
    total = IntAttribute(null=True)
    slot_0 = IntAttribute(null=True)
    slot_1 = IntAttribute(null=True)
    slot_2 = IntAttribute(null=True)
    tails = NumberSetAttribute(null=True)
    ttl = IntAttribute(null=True)


_MODELS: Mapping[str, type[Model]] = {
    "users": UserRow,
    "api_keys": ApiKeyRow,
    "numbers": NumberRow,
    "catalogue": CatalogueRow,
    "rentals": RentalRow,
    "inbound": InboundRow,
    "ledger": LedgerRow,
    "events": EventRow,
    "deliveries": DeliveryRow,
    "requests": RequestRow,
    "limits": LimitRow,
    "rollups": RollupRow,
    "otp_tickets": TicketRow,
}


def configure(names: Mapping[str, str]) -> None:
    """Tell the models what their tables are called in this environment."""
    for table, model in _MODELS.items():
        model.Meta.table_name = names[table]
    EndpointRow.Meta.table_name = names["users"]
