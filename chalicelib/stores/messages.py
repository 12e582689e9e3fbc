"""The SMS of rentals: each stored with its charge, its event and its delivery, or not at all."""

from chalicelib.domain.events import Event
from chalicelib.domain.ids import RentalId
from chalicelib.domain.rental import MOST_MESSAGES, Message, RentalStatus
from chalicelib.stores import db, events, inbound, ledger, rentals
from chalicelib.stores.inbound import StoredSms
from chalicelib.stores.ledger import Earning, Entry
from chalicelib.stores.rental_items import RentalRow
from chalicelib.stores.tables import UserRow

YES = True


def record(
    sms: StoredSms,
    message: Message,
    rental_id: RentalId,
    *,
    first: bool,
    payment: Entry | None,
    event: Event | None,
    earning: Earning | None = None,
    retention_days: int,
) -> None:
    """Give an open rental an SMS: inbound item, message, charge, event and delivery together.

    The `first` SMS was paid with the rental. A further one comes with its `payment`, or unpaid,
    without an event. Raises RefusedError naming `inbound` (it came before), `rental` (with the
    Rental: closed, full, or no longer without an SMS) or `user` (too poor).
    """
    count = (
        RentalRow.message_count == 0
        if first
        else RentalRow.message_count.between(1, MOST_MESSAGES - 1)
    )
    try:
        db.transact(
            inbound=inbound.step(sms),
            rental=db.change(
                RentalRow(rental_id),
                [
                    RentalRow.messages.set(RentalRow.messages.append([_sms_of(message)])),
                    RentalRow.message_count.add(1),
                ],
                (RentalRow.state == RentalStatus.ACTIVE)
                & (RentalRow.expires_at > sms.stored_at)
                & count,
            ),
            user=_pay_step(payment),
            ledger=ledger.step(payment) if payment is not None else None,
            earning=ledger.earning_step(earning),
            **events.steps(event, retention_days),
        )
    except db.RefusedError as refusal:
        raise rentals.told(refusal, sms.stored_at) from None


def settle(
    rental_id: RentalId,
    position: int,
    *,
    payment: Entry,
    event: Event,
    earning: Earning | None = None,
    retention_days: int,
) -> None:
    """Pay for a message that waited for money, and tell of it.

    Raises RefusedError naming `rental` (it is paid by now) or `user` (still too poor).
    """
    paid = RentalRow.messages[position]["paid"]
    db.transact(
        rental=db.change(RentalRow(rental_id), [paid.set(YES)], paid != YES),
        user=_pay_step(payment),
        ledger=ledger.step(payment),
        earning=ledger.earning_step(earning),
        **events.steps(event, retention_days),
    )


def _sms_of(message: Message) -> RentalRow.Sms:
    return RentalRow.Sms(
        message_id=message.message_id,
        sender=message.sender,
        text=message.text,
        code=message.code,
        service=message.service,
        provider=message.provider,
        received_at=message.received_at,
        paid=message.paid,
    )


def _pay_step(payment: Entry | None) -> db.Step | None:
    if payment is None:
        return None
    return db.change(
        UserRow(payment.user_id),
        [UserRow.balance.add(payment.amount)],
        UserRow.balance >= -payment.amount,
    )
