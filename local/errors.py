"""What stops a local run, told to the user in one line instead of a traceback."""


class LocalRunError(Exception):
    """The local run cannot go on; the message is one clear line saying why and what to do."""
