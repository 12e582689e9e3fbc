"""Forms and queries from providers: the same fields, whichever way they come."""

from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl

from chalicelib.errors import InvalidInputError
from chalicelib.providers.contract import InboundPost, json_object

MOST_FIELDS = 500
"""Far more than any provider sends: Twilio's some 20, and two for each of at most 10 media."""

Pairs = list[tuple[str, str]]


def pairs(post: InboundPost) -> Pairs:
    """The names and values of the post's form, in their order; of a GET, those of its query.

    Raises InvalidInputError naming `body`.
    """
    if post.method == "GET":
        return query(post, field="body")
    try:
        text = post.body.decode()
    except ValueError:
        raise _unreadable("body") from None
    return _pairs(text, "body")


def query(post: InboundPost, *, field: str = "query") -> Pairs:
    """The names and values in the query of the post's URL. Raises InvalidInputError naming
    `field`.
    """
    # Not by urlsplit, which drops tabs and line ends: what it drops would go unsigned.
    return _pairs(post.url.partition("?")[2], field)


def fields(post: InboundPost, names: Iterable[str]) -> Mapping[str, object]:
    """The fields of a post that may be JSON: all of its object; of a form or a query, `names`.

    Raises InvalidInputError.
    """
    if post.method != "GET" and post.body.lstrip().startswith(b"{"):
        return json_object(post.body)
    return single(pairs(post), names)


def single(found: Pairs, names: Iterable[str]) -> Mapping[str, str]:
    """The values of those of `names` that were found.

    Raises InvalidInputError naming the field that has two different values.
    """
    fields: dict[str, str] = {}
    wanted = frozenset(names)
    for name, value in found:
        if name in wanted and fields.setdefault(name, value) != value:
            raise InvalidInputError(name, "one value")
    return fields


def _pairs(text: str, field: str) -> Pairs:
    try:
        return parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError:
        raise _unreadable(field) from None


def _unreadable(field: str) -> InvalidInputError:
    return InvalidInputError(field, f"a form in UTF-8 of at most {MOST_FIELDS} fields")
