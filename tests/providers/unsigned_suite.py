"""The contract suite for providers that sign nothing: who posts is all that can be told."""

import base64

from contract_suite import ProviderContract

from chalicelib.domain.times import Millis
from chalicelib.providers.contract import Reply


class UnsignedContract(ProviderContract):
    """The accounts of these tests have passwords; test_unsigned.py has the rest."""

    secret = "sesame:correct horse"
    other_secret = "sesame:battery staple"
    worthless_secret = "sesame:"
    signed_headers = ("authorization",)
    window_seconds = None
    covers_body = False
    covers_url = False
    reply = Reply("", "text/plain")

    def sign(self, body: bytes, secret: str, url: str, now: Millis) -> dict[str, str]:
        return {"authorization": "Basic " + base64.b64encode(secret.encode()).decode()}

    def sign_worthlessly(self, body: bytes, url: str, now: Millis) -> dict[str, str]:
        return self.sign(body, self.worthless_secret, url, now)

    def same_header(self, one: str, other: str) -> bool:
        # RFC 7617: the scheme's case does not matter, all else does.
        return one[:5].lower() == other[:5].lower() and one[5:] == other[5:]
