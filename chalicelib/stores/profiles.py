"""Profiles: what users say of themselves, changed by them and erased with the account."""

from collections.abc import Sequence

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from chalicelib.domain.money import Micros
from chalicelib.domain.phone import NumberFormat
from chalicelib.domain.times import Millis
from chalicelib.domain.user import Endpoint, User, UserStatus
from chalicelib.stores import api_keys, db, users
from chalicelib.stores.tables import UserRow

NO = False


def change(
    seen: User,
    *,
    name: str | None = None,
    number_format: NumberFormat | None = None,
    time_zone: str | None = None,
    endpoint: Endpoint | None = None,
    events: tuple[str, ...] | None = None,
    low_balance: Micros | None = None,
) -> User:
    """Change what is not None, at least one of them; an endpoint without a URL is removed.

    `events` without an `endpoint` leave its URL and secret as they are by then. A `low_balance`
    is told of anew even if it is the same; 0 is none. Raises RefusedError if there is no such user,
    the account is closed, or the endpoint has changed since the user was `seen` (without an
    `endpoint`: has been removed).
    """
    actions: list[Action] = []
    condition = users.not_closed()
    if name is not None:
        actions.append(UserRow.name.set(name))
    if number_format is not None:
        actions.append(UserRow.number_format.set(number_format))
    if time_zone is not None:
        actions.append(UserRow.time_zone.set(time_zone))
    if low_balance is not None:
        actions += [UserRow.low_balance.set(low_balance), UserRow.low_told.remove()]
    if endpoint is not None:
        actions.append(UserRow.webhook.set(users.webhook_of(endpoint)))
        condition &= _endpoint_as(seen)
    elif events is not None:
        actions.append(UserRow.webhook["events"].set(list(events)))
        condition &= UserRow.webhook["url"] > ""
    return users.user_of(db.update(UserRow(seen.user_id), actions, condition))


def set_otp(seen: User, otp: str, otp_rules: str) -> User:
    """Change what the user asks for of codes, and the limits on them.

    Raises RefusedError if there is no such user, the account is closed, or either has changed
    since the user was `seen`.
    """
    condition = users.not_closed()
    for attribute, text in ((UserRow.otp, seen.otp), (UserRow.otp_rules, seen.otp_rules)):
        condition &= attribute == text if text else attribute.does_not_exist()
    actions = [UserRow.otp.set(otp), UserRow.otp_rules.set(otp_rules)]
    return users.user_of(db.update(UserRow(seen.user_id), actions, condition))


def _endpoint_as(seen: User) -> Condition:
    """The condition that URL, secret and events are those of the user as `seen`."""
    webhook, endpoint = UserRow.webhook, seen.endpoint
    same: Condition = webhook["generation"] == seen.webhook_generation
    if endpoint is None:
        same &= webhook["url"] == ""
        same |= webhook.does_not_exist()
    else:
        same &= webhook["url"] == endpoint.url
        same &= webhook["events"] == list(endpoint.events)
    return same


def close(user: User, keys: Sequence[str], *, login: str, now: Millis) -> None:
    """Close the account of `user`, which lists `keys`: end them, free the login for others and
    put `login` in its place, forget name, endpoint, settings and manager. The balance stays.

    Raises RefusedError naming `user` (with the User: closed already, with open rentals, or with
    other keys than were read).
    """
    forgotten = (
        UserRow.webhook,
        UserRow.manager_id,
        UserRow.is_manager,
        UserRow.markup,
        UserRow.number_format,
        UserRow.time_zone,
        UserRow.otp,
        UserRow.otp_rules,
        UserRow.low_balance,
        UserRow.low_told,
    )
    actions: list[Action] = [attribute.remove() for attribute in forgotten]
    actions += [
        UserRow.status.set(UserStatus.CLOSED),
        UserRow.active.set(NO),
        UserRow.name.set(""),
        UserRow.login.set(login),
        UserRow.key_hashes.set([]),
    ]
    condition = users.not_closed() & (UserRow.login == user.login)
    condition &= (UserRow.open_rentals <= 0) & (UserRow.key_hashes == list(keys))
    try:
        db.transact(
            user=db.change(UserRow(user.user_id), actions, condition),
            login=db.delete(users.login_row(user.login), UserRow.owner == user.user_id),
            **{f"key_{at}": api_keys.erase_step(key, now) for at, key in enumerate(keys)},
        )
    except db.RefusedError as refusal:
        row = refusal.why.get("user")
        raise db.RefusedError({"user": users.user_of(row) if row else None}) from None
