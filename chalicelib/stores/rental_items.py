"""Rentals as items of their table, and back."""

from chalicelib.domain.ids import E164, RentalId, UserId
from chalicelib.domain.money import NOTHING, Micros
from chalicelib.domain.rental import Message, Rental, RentalStatus
from chalicelib.domain.times import Millis
from chalicelib.stores import shards
from chalicelib.stores.tables import RentalRow


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
    )
