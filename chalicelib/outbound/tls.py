"""Whose certificates we believe."""

from functools import cache
from ssl import PROTOCOL_TLS_CLIENT, SSLContext, TLSVersion


@cache
def public_trust() -> SSLContext:
    """Mozilla's authorities, the name verified; made once a process, as it takes a while.

    Not `ssl.create_default_context`, which reads authorities and a file to log keys to from the
    environment.
    """
    import certifi

    context = SSLContext(PROTOCOL_TLS_CLIENT)
    context.minimum_version = TLSVersion.TLSv1_2
    context.load_verify_locations(certifi.where())
    return context
