"""Endpoints: their health in an item beside the user's, and what is done to both at once."""

from chalicelib.domain.endpoint_health import Health
from chalicelib.domain.events import Event
from chalicelib.domain.ids import UserId, new_ulid
from chalicelib.domain.times import Millis
from chalicelib.domain.user import User
from chalicelib.stores import db, events, users
from chalicelib.stores.endpoint_items import EndpointRow
from chalicelib.stores.tables import UserRow

_PREFIX = "endpoint#"
YES, NO = True, False


def with_user(user_id: UserId) -> tuple[User | None, Health]:
    """The user and the health of their endpoint, which is good where nothing is known of it."""
    found, row = db.get_all((UserRow, user_id, None), (EndpointRow, _PREFIX + user_id, None))
    user = users.user_of(found) if found is not None and found.status is not None else None
    generation = user.webhook_generation if user is not None else 0
    return user, _health_of(row, generation)


def note(user_id: UserId, health: Health, now: Millis) -> Health:
    """Write down a health, and have it as it is then.

    Raises RefusedError if another was written since it was read, with that, named `health`.
    """
    seen = EndpointRow.revision
    condition = seen == health.revision if health.revision else seen.does_not_exist()
    row = _row_of(user_id, health, now)
    try:
        db.write(row, condition)
    except db.RefusedError as refusal:
        found = refusal.why["item"]
        # Our own, sent again after a lost reply, is no refusal.
        if found is None or found.revision != row.revision:
            raise db.RefusedError({"health": _health_of(found, health.generation)}) from None
    return _health_of(row, health.generation)


def switch_off(user: User, health: Health, event: Event, now: Millis, retention_days: int) -> None:
    """Switch off the endpoint of `user` for the reason in `health`, and say so in the feed.

    Raises RefusedError if it has been set again, or is off already.
    """
    webhook = UserRow.webhook
    db.transact(
        user=db.change(
            UserRow(user.user_id),
            [webhook["enabled"].set(NO)],
            (webhook["generation"] == user.webhook_generation) & (webhook["enabled"] == YES),
        ),
        endpoint=db.put(_row_of(user.user_id, health, now)),
        **events.steps(event, retention_days),
    )


def switch_on(seen: User, now: Millis) -> None:
    """Have an endpoint sent events again, and forget how it failed.

    Raises RefusedError if it has been set again or removed since the user was `seen`.
    """
    webhook = UserRow.webhook
    db.transact(
        user=db.change(
            UserRow(seen.user_id),
            [webhook["enabled"].set(YES)],
            users.not_closed()
            & (webhook["generation"] == seen.webhook_generation)
            & (webhook["url"] > ""),
        ),
        endpoint=db.put(_row_of(seen.user_id, Health(seen.webhook_generation), now)),
    )


def rotate(seen: User, previous_until: Millis) -> User:
    """Count one secret more; the one before is signed with too until `previous_until`.

    Raises RefusedError if the endpoint has been set again, rotated or removed since the user was
    `seen`.
    """
    webhook = UserRow.webhook
    try:
        row = db.update(
            UserRow(seen.user_id),
            [
                webhook["generation"].set(seen.webhook_generation + 1),
                webhook["previous_until"].set(previous_until),
            ],
            users.not_closed()
            & (webhook["generation"] == seen.webhook_generation)
            & (webhook["url"] > ""),
        )
    except db.RefusedError as refusal:
        row = refusal.why["item"]
        if row is None or not _is_rotated(users.user_of(row), seen, previous_until):
            raise
    return users.user_of(row)


def _is_rotated(found: User, seen: User, previous_until: Millis) -> bool:
    """Whether it is as our own update left it, which was sent again after a lost reply."""
    endpoint = found.endpoint
    return (
        endpoint is not None
        and endpoint.generation == seen.webhook_generation + 1
        and endpoint.previous_until == previous_until
    )


def write_event(event: Event, retention_days: int) -> None:
    """Write an event that tells of nothing but itself, and its delivery."""
    db.transact(**events.steps(event, retention_days))


def _row_of(user_id: UserId, health: Health, now: Millis) -> EndpointRow:
    return EndpointRow(
        _PREFIX + user_id,
        revision=new_ulid(now),
        generation=health.generation,
        failures=health.failures,
        failing_since=health.failing_since,
        failed_at=health.failed_at,
        open_until=health.open_until,
        slow_until=health.slow_until,
        disabled_at=health.disabled_at,
        reason=health.reason,
    )


def _health_of(row: EndpointRow | None, generation: int) -> Health:
    """The health in an item; that of another generation is no longer true."""
    if row is None:
        return Health(generation)
    if row.generation != generation:
        return Health(generation, row.revision)
    return Health(
        generation=generation,
        revision=row.revision,
        failures=row.failures,
        failing_since=_moment(row.failing_since),
        failed_at=_moment(row.failed_at),
        open_until=_moment(row.open_until),
        slow_until=_moment(row.slow_until),
        disabled_at=_moment(row.disabled_at),
        reason=row.reason,
    )


def _moment(value: int | None) -> Millis | None:
    return Millis(value) if value is not None else None
