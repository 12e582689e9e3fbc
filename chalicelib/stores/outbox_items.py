"""Events and their deliveries as items; see `tables`."""

from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model

from chalicelib.stores.attributes import IntAttribute


class EventRow(Model):
    """An event of a user's feed. `body` is the JSON that a webhook carries.

    Under `decisions#USER` are what the account's limits decided: no events, so no `minute`.
    """

    class Meta:
        table_name = ""

    user_id = UnicodeAttribute(hash_key=True)
    event_id = UnicodeAttribute(range_key=True)
    type = UnicodeAttribute()
    body = UnicodeAttribute()
    reference = UnicodeAttribute()
    minute = UnicodeAttribute(null=True)
    ttl = IntAttribute()


class DeliveryRow(Model):
    """An event on its way to a user's endpoint. `due` is there until it is finished.

    `next_at` is when the sweep takes it up if nobody has; `not_before` when the next attempt may
    start; `begun_at` when it was last sent again.
    """

    class Meta:
        table_name = ""

    delivery_id = UnicodeAttribute(hash_key=True)
    user_id = UnicodeAttribute()
    event_id = UnicodeAttribute()
    type = UnicodeAttribute()
    body = UnicodeAttribute()
    state = UnicodeAttribute()
    created_at = IntAttribute()
    attempts = IntAttribute()
    due = UnicodeAttribute(null=True)
    next_at = IntAttribute(null=True)
    not_before = IntAttribute()
    lease_until = IntAttribute()
    lease = UnicodeAttribute(null=True)
    last_status = IntAttribute(null=True)
    last_error = UnicodeAttribute(null=True)
    last_millis = IntAttribute(null=True)
    last_excerpt = UnicodeAttribute(null=True)
    lane = UnicodeAttribute(null=True)
    begun_at = IntAttribute(null=True)
    finished_at = IntAttribute(null=True)
    ttl = IntAttribute()
