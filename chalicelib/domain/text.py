"""Text from outside, made fit to store and to send."""


def well_formed(text: str) -> str:
    """`text` with lone surrogates replaced: they can't be stored or sent as UTF-8."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
