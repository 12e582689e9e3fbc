"""Posts of several SMS, one of which may be unreadable."""

from collections.abc import Callable, Iterable

from chalicelib.errors import InvalidInputError, SesameError
from chalicelib.providers.contract import InboundSms
from chalicelib.providers.fields import Fields


class PartlyReadError(InvalidInputError):
    """Some of a post's SMS can't be read; `readable` are the others. Says what the first lacks.

    The post is refused, so that nothing is answered 200 that was not stored. Who stores `readable`
    before loses nothing, even if the provider never comes back: of a repeat the ids are known.
    """

    def __init__(self, readable: list[InboundSms], first: InvalidInputError) -> None:
        SesameError.__init__(self, first.code, first.message, field=first.field)
        self.readable = readable


def read_each(items: Iterable[Fields], read: Callable[[Fields], InboundSms]) -> list[InboundSms]:
    """What `read` makes of each of `items`.

    Raises PartlyReadError if `read` refuses some of them, and its own InvalidInputError if all.
    """
    readable, refusals = [], []
    for item in items:
        try:
            readable.append(read(item))
        except InvalidInputError as refusal:
            refusals.append(refusal)
    if refusals and not readable:
        raise refusals[0]
    if refusals:
        raise PartlyReadError(readable, refusals[0])
    return readable
