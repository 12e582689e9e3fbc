"""The health of users' endpoints as items of the users table; see `tables`."""

from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model

from chalicelib.stores.attributes import IntAttribute


class EndpointRow(Model):
    """How a user's endpoint answers, with a user_id of `endpoint#…`.

    An item of its own, because each rental writes its user's, and deliveries must not contend
    with that. `revision` changes with each write.
    """

    class Meta:
        table_name = ""

    user_id = UnicodeAttribute(hash_key=True)
    revision = UnicodeAttribute()
    generation = IntAttribute()
    failures = IntAttribute()
    failing_since = IntAttribute(null=True)
    failed_at = IntAttribute(null=True)
    open_until = IntAttribute(null=True)
    slow_until = IntAttribute(null=True)
    disabled_at = IntAttribute(null=True)
    reason = UnicodeAttribute(null=True)
