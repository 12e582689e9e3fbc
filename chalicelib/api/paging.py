"""Pages of lists: how many, from where, and where the next one begins."""

from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.api import parameters
from chalicelib.api.edge import Call
from chalicelib.bootstrap import platform
from chalicelib.domain.cursors import seal, unseal
from chalicelib.errors import InvalidInputError

MOST = 100
_USUAL = 50


@dataclass(frozen=True, slots=True)
class Paging:
    """What a call asks for of a list: at most `limit`, from `position` on (None: its beginning)."""

    scope: str
    limit: int
    position: Sequence[str | int | None] | None

    @property
    def start(self) -> str | None:
        """The position where it is one text."""
        return str(self.position[0]) if self.position is not None else None

    def cursor(self, *position: str | int | None) -> str | None:
        """The cursor of a page that begins there, None if there is none."""
        if position == (None,):
            return None
        return seal(platform().settings.secrets.pepper, self.scope, position)


def of(call: Call, owner: str, *asked: str) -> Paging:
    """The page that a call asks for of the list of `owner`, `asked` for in this way.

    Raises InvalidInputError naming `limit` or `cursor`.
    """
    limit = parameters.whole_number(call.query, "limit", default=_USUAL, most=MOST)
    if limit == 0:
        raise InvalidInputError("limit", f"a whole number from 1 to {MOST}")
    scope = "\0".join((call.template, owner, *asked))
    text = call.query.get("cursor")
    pepper = platform().settings.secrets.pepper
    return Paging(scope, limit, unseal(pepper, scope, text) if text else None)
