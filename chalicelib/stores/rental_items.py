"""The rentals table as a PynamoDB model, and rentals as its items and back."""

from typing import Any

from pynamodb.attributes import BooleanAttribute, ListAttribute, MapAttribute, UnicodeAttribute
from pynamodb.models import Model

from chalicelib.domain.ids import E164, RentalId, UserId
from chalicelib.domain.money import NOTHING, Micros
from chalicelib.domain.rental import Message, Rental, RentalStatus
from chalicelib.domain.times import Millis
from chalicelib.stores import shards
from chalicelib.stores.attributes import IntAttribute


class RentalRow(Model):
    """A rental with its messages. `due` is there only while it is open.

    `polls` is there while its SMS are asked for at a supplier: `poll_at` is when the sweep does
    that if nobody has, `poll_lease` until when somebody is at it, `polled` how many it has had.
    """

    class Meta:
        table_name = ""

    class Sms(MapAttribute[str, Any]):
        """One message of a rental."""

        message_id = UnicodeAttribute()
        sender = UnicodeAttribute()
        text = UnicodeAttribute()
        code = UnicodeAttribute(null=True)
        service = UnicodeAttribute(null=True)
        provider = UnicodeAttribute()
        received_at = IntAttribute()
        paid = BooleanAttribute()

    rental_id = UnicodeAttribute(hash_key=True)
    user_id = UnicodeAttribute()
    phone_number = UnicodeAttribute()
    country = UnicodeAttribute()
    operator_id = IntAttribute()
    service = UnicodeAttribute()
    price = IntAttribute()
    supplier = UnicodeAttribute()
    state = UnicodeAttribute()
    due = UnicodeAttribute(null=True)
    created_at = IntAttribute()
    expires_at = IntAttribute()
    cancel_after = IntAttribute()
    closed_at = IntAttribute(null=True)
    closed = UnicodeAttribute(null=True)
    refund = IntAttribute(null=True)
    message_count = IntAttribute()
    messages: ListAttribute[Sms] = ListAttribute(of=Sms)
    manager_id = UnicodeAttribute(null=True)
    markup = IntAttribute(null=True)
    upstream_id = UnicodeAttribute(null=True)
    cost = IntAttribute(null=True)
    upstream_operator = IntAttribute(null=True)
    polls = UnicodeAttribute(null=True)
    poll_at = IntAttribute(null=True)
    poll_lease = IntAttribute(null=True)
    polled = IntAttribute(null=True)
    tells: ListAttribute[Any] = ListAttribute(of=UnicodeAttribute, null=True)
    purged = BooleanAttribute(null=True)
    ttl = IntAttribute(null=True)


def rental_of(row: RentalRow) -> Rental:
    """The rental in an item of the table."""
    return Rental(
        rental_id=RentalId(row.rental_id),
        user_id=UserId(row.user_id),
        phone_number=E164(row.phone_number),
        country=row.country,
        operator_id=row.operator_id,
        service=row.service,
        price=Micros(row.price),
        supplier=row.supplier,
        status=RentalStatus(row.state),
        created_at=Millis(row.created_at),
        expires_at=Millis(row.expires_at),
        cancel_after=row.cancel_after,
        message_count=row.message_count,
        messages=tuple(
            Message(
                message_id=sms.message_id,
                sender=sms.sender,
                text=sms.text,
                code=sms.code,
                service=sms.service,
                provider=sms.provider,
                received_at=Millis(sms.received_at),
                paid=sms.paid,
                purged=bool(row.purged),
            )
            for sms in row.messages
        ),
        refund=Micros(row.refund) if row.refund is not None else NOTHING,
        closed_at=Millis(row.closed_at) if row.closed_at is not None else None,
        manager_id=UserId(row.manager_id) if row.manager_id is not None else None,
        markup=Micros(row.markup or 0),
        upstream_id=row.upstream_id,
        cost=Micros(row.cost or 0),
        upstream_operator=row.upstream_operator,
        tells=tuple(row.tells or ()),
    )


def row_of(rental: Rental) -> RentalRow:
    """The item of a rental that begins."""
    return RentalRow(
        rental.rental_id,
        user_id=rental.user_id,
        phone_number=rental.phone_number,
        country=rental.country,
        operator_id=rental.operator_id,
        service=rental.service,
        price=rental.price,
        supplier=rental.supplier,
        state=rental.status,
        due=shards.some_key(shards.DUE),
        created_at=rental.created_at,
        expires_at=rental.expires_at,
        cancel_after=rental.cancel_after,
        message_count=0,
        messages=[],
        manager_id=rental.manager_id,
        markup=rental.markup,
        upstream_id=rental.upstream_id,
        cost=rental.cost,
        upstream_operator=rental.upstream_operator,
        tells=list(rental.tells) or None,
    )
