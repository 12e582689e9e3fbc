"""How users, keys, deliveries and movements of money read in answers."""

from typing import Any

from chalicelib.domain.deliveries import Delivery, DeliveryState
from chalicelib.domain.money import decimal
from chalicelib.domain.movements import Movement
from chalicelib.domain.pricing import percent
from chalicelib.domain.times import Millis, iso
from chalicelib.domain.user import User
from chalicelib.stores.api_keys import ApiKey


def moment(at: Millis | None) -> str | None:
    """A moment, or none."""
    return iso(at) if at is not None else None


def webhook(user: User) -> dict[str, Any] | None:
    """Where a user's events go."""
    endpoint = user.endpoint
    if endpoint is None:
        return None
    return {"url": endpoint.url, "events": list(endpoint.events), "enabled": endpoint.enabled}


def account(user: User) -> dict[str, Any]:
    """A user as others see them: their manager, and the admin."""
    return {
        "user_id": user.user_id,
        "login": user.login,
        "name": user.name,
        "status": user.status,
        "active": user.active,
        "balance": decimal(user.balance),
        "open_rentals": user.open_rentals,
        "rentals_total": user.rentals_total,
        "manager_id": user.manager_id,
    }


def account_for_admin(user: User) -> dict[str, Any]:
    """A user as the admin sees them."""
    return {
        **account(user),
        "blocked": user.blocked,
        "is_manager": user.is_manager,
        "markup": percent(user.markup),
        "number_format": user.number_format,
        "time_zone": user.time_zone,
        "webhook": webhook(user),
    }


def key(found: ApiKey) -> dict[str, Any]:
    """A key without what opens anything."""
    return {
        "prefix": found.prefix,
        "label": found.label,
        "created_at": iso(found.created_at),
        "expires_at": moment(found.expires_at),
    }


def delivery(found: Delivery) -> dict[str, Any]:
    """A delivery and what came of its last attempt, without what it carries."""
    waits = found.state is DeliveryState.PENDING
    return {
        "delivery_id": found.delivery_id,
        "event_id": found.event_id,
        "event": found.type,
        "state": found.state,
        "attempts": found.attempts,
        "last_status": found.last_status,
        "last_error": found.last_error,
        "latency_ms": found.last_millis,
        "answer": found.last_excerpt,
        "lane": found.lane,
        "created_at": iso(found.created_at),
        "next_at": moment(found.next_at),
        "next_attempt_at": iso(found.not_before) if waits else None,
        "finished_at": moment(found.finished_at),
    }


def movement(found: Movement) -> dict[str, Any]:
    """A movement of money, the same each time it is told."""
    return {
        "movement_id": found.movement_id,
        "user_id": found.user_id,
        "amount": decimal(found.amount),
        "reference": found.reference,
        "at": iso(found.at),
    }
