"""How the modules of providers that send reach the outside."""

from dataclasses import dataclass

from chalicelib.domain.otp_routes import Route
from chalicelib.domain.times import Millis
from chalicelib.outbound import Fetch
from chalicelib.outbound.aws_clients import client
from chalicelib.providers.sending import Line
from chalicelib.settings import Settings
from chalicelib.stores import numbers


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines to the outside, made for one message each."""

    settings: Settings
    fetch: Fetch

    def to(self, route: Route, now: Millis) -> Line:
        """The line of a message that is sent by `route`."""
        url = self.settings.public_url
        return Line(
            fetch=self.fetch,
            public_url=url,
            receipt_url=f"{url}/inbound/{route.provider}/{route.account}/receipt",
            now=now,
            is_ours=numbers.is_ours,
            aws_client=client,
        )
