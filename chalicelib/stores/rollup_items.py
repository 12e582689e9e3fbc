"""The rollups table as a PynamoDB model, apart from `tables`, which is long enough."""

from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model

from chalicelib.stores.attributes import IntAttribute


class RollupRow(Model):
    """An owner's counts in a bucket; or, with a scope of `marks`, how far the rollups go.

    `counts` is JSON. Neither says when it was written: written again, the item is the same.
    """

    class Meta:
        table_name = ""

    scope = UnicodeAttribute(hash_key=True)
    bucket = UnicodeAttribute(range_key=True)
    counts = UnicodeAttribute(null=True)
    early = IntAttribute(null=True)
    late = IntAttribute(null=True)
    ttl = IntAttribute(null=True)
