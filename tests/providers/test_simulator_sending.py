"""The simulator as one that sends: what it sends to us is what it accepts from itself."""

import base64
import json
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from contract_suite import ANY_TEXT, FUZZ, NOW
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.ids import E164
from chalicelib.domain.otp import Channel, Gender
from chalicelib.domain.times import DAY, SECOND
from chalicelib.errors import InvalidInputError, MissingInputError
from chalicelib.outbound import (
    Fetched,
    HttpFetch,
    NotSentError,
    OutboundError,
    OutcomeUnknownError,
)
from chalicelib.providers import registry, simulator
from chalicelib.providers.contract import InboundPost, InboundSms
from chalicelib.providers.sending import Line, OutboundSms, Receipt, ReceiptStatus, SendError
from chalicelib.settings import ProviderAccount
from tests.conftest import Stack
from tests.servers import answer, serving
from tests.world import World, post

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
PUBLIC = "https://sesame.example"
INBOUND = f"{PUBLIC}/inbound/simulator/main"
RECEIPTS = f"{INBOUND}/receipt"
OURS, THEIRS = E164("+447700900123"), E164("+447700900124")
SMS = OutboundSms(
    reference="ref-1",
    to=OURS,
    text="Ваш код: 482913 🔐",
    channel=Channel.SMS,
    sender="Acme",
    language="en-US",
    gender=Gender.FEMALE,
    valid_seconds=300,
)
ACCOUNT = ProviderAccount("main", (SECRET,))
TOMORROW = (NOW + DAY) // SECOND + 1
GOOD = Fetched(200, b"{}", {})


@dataclass
class Sesame:
    """Our own server: answers in turn, or fails so, and keeps the posts."""

    answers: list[Fetched | OutboundError] = field(default_factory=lambda: [GOOD, GOOD])
    posts: list[InboundPost] = field(default_factory=list)

    def __call__(
        self,
        method: str,
        url: str,
        *,
        body: bytes,
        headers: Mapping[str, str],
        deadline_seconds: float,
    ) -> Fetched:
        assert 0 < deadline_seconds < 8
        assert headers["content-type"] == "application/json"
        self.posts.append(InboundPost(url, headers, body, method))
        found = self.answers[len(self.posts) - 1]
        if isinstance(found, OutboundError):
            raise found
        return found


def line(fetch: Any) -> Line:
    def unused(*_: Any) -> Any:
        raise AssertionError("not the simulator's to ask")

    return Line(fetch, PUBLIC, RECEIPTS, NOW, lambda number: number == OURS, unused)


def sent(sms: OutboundSms = SMS, account: ProviderAccount = ACCOUNT) -> tuple[str, Sesame]:
    sesame = Sesame()
    return simulator.send(sms, account, line(sesame)), sesame


def failure(*answers: Fetched | OutboundError, account: ProviderAccount = ACCOUNT) -> SendError:
    """How sending fails, having told nothing of what was sent, and no receipt."""
    sesame = Sesame(list(answers))
    with pytest.raises(SendError) as caught:
        simulator.send(SMS, account, line(sesame))
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    told = "".join(traceback.format_exception(caught.value))
    for secret in (SECRET, SMS.text, "482913", OURS):
        assert secret not in told
    assert len(sesame.posts) == len(answers)
    return caught.value


class TestToANumberOfOurs:
    def test_the_sms_comes_back_as_one_that_we_accept(self) -> None:
        message_id, sesame = sent()
        posted = sesame.posts[0]
        assert (posted.method, posted.url) == ("POST", INBOUND)
        assert simulator.verify(posted, ACCOUNT, NOW)
        expected = InboundSms(message_id, "Acme", OURS, SMS.text, NOW)
        assert simulator.parse(posted, NOW) == [expected]

    def test_a_receipt_follows_that_names_the_message(self) -> None:
        message_id, sesame = sent()
        _, posted = sesame.posts
        assert (posted.method, posted.url) == ("POST", RECEIPTS)
        assert simulator.verify(posted, ACCOUNT, NOW)
        expected = Receipt(message_id, ReceiptStatus.DELIVERED, "simulated", NOW)
        assert simulator.receipts(posted, NOW) == [expected]
        assert SMS.text.encode() not in posted.body
        assert b"482913" not in posted.body

    def test_what_was_said_comes_from_a_voice(self) -> None:
        _, sesame = sent(replace(SMS, channel=Channel.VOICE))
        (sms,) = simulator.parse(sesame.posts[0], NOW)
        assert (sms.sender, sms.text) == ("voice", SMS.text)

    def test_without_a_sender_it_comes_from_sesame(self) -> None:
        _, sesame = sent(replace(SMS, sender=""))
        assert simulator.parse(sesame.posts[0], NOW)[0].sender == "Sesame"

    def test_a_second_try_is_the_same_message_and_another_sending_is_not(self) -> None:
        first, again = sent()[0], sent(replace(SMS, text="other"))[0]
        assert first == again
        assert sent(replace(SMS, reference="ref-2"))[0] != first

    @FUZZ
    @given(text=ANY_TEXT, reference=ANY_TEXT)
    def test_any_text_and_reference_come_back(self, text: str, reference: str) -> None:
        message_id, sesame = sent(replace(SMS, text=text, reference=reference))
        assert all(simulator.verify(posted, ACCOUNT, NOW) for posted in sesame.posts)
        (sms,) = simulator.parse(sesame.posts[0], NOW)
        assert sms.message_id == message_id
        if not any("\ud800" <= char <= "\udfff" for char in text):
            assert sms.text == text

    def test_it_arrives_over_http_byte_for_byte(self) -> None:
        with serving(answer({"status": "success"})) as server:
            here = replace(
                line(HttpFetch(allow_loopback=True)),
                public_url=server.url,
                receipt_url=f"{server.url}/inbound/simulator/main/receipt",
            )
            message_id = simulator.send(SMS, ACCOUNT, here)
            inbound, receipt = (
                InboundPost(received.path, received.headers, received.body)
                for received in server.received
            )
        assert (inbound.url, receipt.url) == (
            "/inbound/simulator/main",
            "/inbound/simulator/main/receipt",
        )
        assert simulator.verify(inbound, ACCOUNT, NOW)
        assert simulator.parse(inbound, NOW)[0].text == SMS.text
        assert simulator.verify(receipt, ACCOUNT, NOW)
        assert simulator.receipts(receipt, NOW)[0].message_id == message_id

    def test_a_code_sent_twice_to_a_rented_number_is_there_once(
        self, world: World, stack: Stack
    ) -> None:
        world.stock(1)
        user = world.user()
        rental = world.rent(user)

        def fetch(method: str, url: str, **given: Any) -> Fetched:
            path = url.removeprefix(stack.platform.settings.public_url)
            response = post(path, given["body"], given["headers"], "application/json")
            return Fetched(response.status_code, response.body, {})

        public_url = stack.platform.settings.public_url
        here = replace(line(fetch), public_url=public_url, now=stack.clock.now)
        here = replace(here, is_ours=lambda number: number == rental.phone_number)
        account = stack.platform.settings.secrets.provider_accounts["simulator", "demo"]
        for _ in range(2):
            simulator.send(replace(SMS, to=rental.phone_number), account, here)
        found = stack.platform.rentals.find(user, rental.rental_id)
        assert [(message.text, message.code) for message in found.messages] == [
            (SMS.text, "482913")
        ]


class TestToAnotherNumber:
    def test_nothing_is_posted(self) -> None:
        message_id, sesame = sent(replace(SMS, to=THEIRS))
        assert sesame.posts == []
        assert message_id == sent()[0]

    def test_not_even_without_a_secret(self) -> None:
        assert sent(replace(SMS, to=THEIRS), ProviderAccount("main", ()))[1].posts == []


class TestARefusal:
    @pytest.mark.parametrize("prefixes", ["+4477", "+1, +447700900123 ,", ",,+"])
    def test_is_by_the_prefixes_of_the_account(self, prefixes: str) -> None:
        account = replace(ACCOUNT, options={"refuse": prefixes})
        error = failure(account=account)
        assert (error.reason, error.again) == ("number_refused", False)

    @pytest.mark.parametrize("prefixes", ["", " , ", "+1", "4477", "+4477009001234"])
    def test_is_of_no_other_number(self, prefixes: str) -> None:
        _, sesame = sent(account=replace(ACCOUNT, options={"refuse": prefixes}))
        assert len(sesame.posts) == 2


class TestAFailure:
    @pytest.mark.parametrize("status", [302, 400, 403, 404, 429, 500, 503])
    def test_of_our_own_inbound_is_tried_again(self, status: int) -> None:
        error = failure(Fetched(status, SMS.text.encode(), {}))
        assert (error.reason, error.again) == ("unavailable", True)

    def test_of_the_exchange_is_tried_again(self) -> None:
        for broken, reason in (
            (NotSentError("connection_failed"), "connection_failed"),
            (OutcomeUnknownError("connection_failed"), "timeout"),
        ):
            error = failure(broken)
            assert (error.reason, error.again) == (reason, True)

    @pytest.mark.parametrize("secrets", [(), ("",), ("whsec_",), ("not base 64!",)])
    def test_for_want_of_a_secret_is_not(self, secrets: tuple[str, ...]) -> None:
        error = failure(account=ProviderAccount("main", secrets))
        assert (error.reason, error.again) == ("not_configured", False)

    def test_of_one_secret_leaves_the_other(self) -> None:
        account = ProviderAccount("main", ("not base 64!", SECRET))
        _, sesame = sent(account=account)
        assert simulator.verify(sesame.posts[0], ACCOUNT, NOW)

    @pytest.mark.parametrize(
        "broken",
        [Fetched(404, b"", {}), NotSentError("timeout"), OutcomeUnknownError("timeout")],
        ids=repr,
    )
    def test_of_the_receipt_is_none_of_the_sending(self, broken: Fetched | OutboundError) -> None:
        sesame = Sesame([GOOD, broken])
        assert simulator.send(SMS, ACCOUNT, line(sesame)) == sent()[0]
        assert len(sesame.posts) == 2


def read(value: Any) -> list[Receipt]:
    return simulator.receipts(InboundPost(RECEIPTS, {}, json.dumps(value).encode()), NOW)


ONE = {"message_id": "sim_1", "status": "delivered", "at": NOW / SECOND, "detail": "ok"}


class TestReceipts:
    def test_the_simulator_is_a_sender_of_both_channels(self) -> None:
        sender = registry.sender("simulator")
        assert sender is simulator
        assert set(Channel) == sender.CHANNELS

    @pytest.mark.parametrize("status", ReceiptStatus)
    def test_are_read_whole(self, status: ReceiptStatus) -> None:
        second = {"message_id": "sim_2", "status": status}
        assert read({"receipts": [ONE, second]}) == [
            Receipt("sim_1", ReceiptStatus.DELIVERED, "ok", NOW),
            Receipt("sim_2", status, "", NOW),
        ]
        assert read({"receipts": []}) == []

    @pytest.mark.parametrize(
        ("seconds", "at"),
        [
            (None, NOW),
            (946_684_800, 946_684_800_000),
            (1_686_842_985.25, 1_686_842_985_250),
            ((NOW + DAY) / SECOND, NOW),
        ],
    )
    def test_their_moment_is_read(self, seconds: Any, at: int) -> None:
        assert read({"receipts": [{**ONE, "at": seconds}]})[0].at == at

    @pytest.mark.parametrize(
        ("changes", "named"),
        [
            ({"message_id": 7}, "message_id"),
            ({"message_id": "a\0"}, "message_id"),
            ({"status": "lost"}, "status"),
            ({"status": ["delivered"]}, "status"),
            ({"detail": ""}, "detail"),
            ({"detail": "x" * 65}, "detail"),
            *(
                ({"at": at}, "at")
                for at in ("now", True, [], -1, 946_684_799, TOMORROW, NOW, 10**400)
            ),
        ],
    )
    def test_a_wrong_field_is_named(self, changes: dict[str, Any], named: str) -> None:
        with pytest.raises(InvalidInputError) as caught:
            read({"receipts": [{**ONE, **changes}]})
        assert caught.value.field == named

    @pytest.mark.parametrize("missing", ["message_id", "status"])
    def test_a_missing_field_is_named(self, missing: str) -> None:
        with pytest.raises(MissingInputError) as caught:
            read({"receipts": [{name: ONE[name] for name in ONE if name != missing}]})
        assert caught.value.field == missing

    @pytest.mark.parametrize("value", [{}, *({"receipts": v} for v in (None, {}, "x", [7], [[]]))])
    def test_what_is_no_list_of_objects_is_refused(self, value: Any) -> None:
        with pytest.raises(InvalidInputError) as caught:
            read(value)
        assert caught.value.field == "receipts"

    def test_more_than_a_hundred_are_refused(self) -> None:
        assert len(read({"receipts": [ONE] * 100})) == 100
        with pytest.raises(InvalidInputError):
            read({"receipts": [ONE] * 101})

    def test_infinity_is_no_moment(self) -> None:
        body = json.dumps({"receipts": [{**ONE, "at": 7}]}).replace(": 7", ": 1e999").encode()
        with pytest.raises(InvalidInputError):
            simulator.receipts(InboundPost(RECEIPTS, {}, body), NOW)

    @FUZZ
    @given(body=st.binary(max_size=80))
    def test_nothing_else_is_raised_for_any_bytes(self, body: bytes) -> None:
        with pytest.raises(InvalidInputError):
            simulator.receipts(InboundPost(RECEIPTS, {}, body), NOW)
