"""The simulator speaks generic's format, and what it posts is what it accepts."""

import json
import time

from contract_suite import NOW
from standard_webhooks_suite import StandardWebhooksContract
from standardwebhooks import Webhook

from chalicelib.domain.times import Millis
from chalicelib.providers import generic, simulator
from chalicelib.providers.contract import InboundPost, InboundSms

MESSAGE_ID = "01H2Z9K0V6Q3A8M5T7R4C1XWEB"
SENDER, TO, TEXT = "Sesame", "+447700900123", "Ваш код: 482913 🔐"


class TestSimulator(StandardWebhooksContract):
    name = "simulator"

    def test_it_reads_and_checks_by_generics_functions(self) -> None:
        assert simulator.verify is generic.verify
        assert simulator.parse is generic.parse

    def test_it_accepts_what_it_posts(self) -> None:
        account = self.account(self.secret, self.other_secret)
        headers, body = simulator.signed_post(account, SENDER, TO, TEXT, MESSAGE_ID, NOW)
        post = InboundPost(self.url, headers, body)
        for secret in account.secrets:
            assert simulator.verify(post, self.account(secret), NOW)
        assert simulator.parse(post, NOW) == [InboundSms(MESSAGE_ID, SENDER, TO, TEXT, NOW)]

    def test_standardwebhooks_accepts_what_it_posts(self) -> None:
        # That library reads the clock itself.
        now = Millis(time.time_ns() // 1_000_000)
        headers, body = simulator.signed_post(self.account(), SENDER, TO, TEXT, MESSAGE_ID, now)
        assert Webhook(self.secret).verify(body, headers) == json.loads(body)
        assert headers["content-type"] == "application/json"
