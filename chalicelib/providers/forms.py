"""Forms and queries from providers: the same fields, whichever way they come."""

from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl

from chalicelib.errors import InvalidInputError
from chalicelib.providers.contract import InboundPost

MOST_FIELDS = 500
"""Far more than any provider sends: Twilio's some 20, and two for each of at most 10 media."""

Pairs = list[tuple[str, str]]


def pairs(post: InboundPost) -> Pairs:
    """The names and values of the post's form, in their order; of a GET, those of its query.

    Raises InvalidInputError naming `body`.
    """
    try:
        # Not by urlsplit, which drops tabs and line ends: what it drops would go unsigned.
        text = post.url.partition("?")[2] if post.method == "GET" else post.body.decode()
        return parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError:
        raise InvalidInputError(
            "body", f"a form in UTF-8 of at most {MOST_FIELDS} fields"
        ) from None


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
