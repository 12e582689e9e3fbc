import pytest

from chalicelib.domain.ids import UserId
from chalicelib.domain.requests import SeenRequest, first_answer, request_key
from chalicelib.domain.times import Millis
from chalicelib.errors import RequestKeyReusedError

USER = UserId("01HF7YAT00Q6G5BXXZJS9Q8QQA")
OTHER = UserId("01HF7YAT00X07S21Z7KBZAD02H")
ROUTE = "POST /rentNumber"
GIVEN = {"country": "US", "service": "acme"}


def seen_by(key: str = "k", route: str = ROUTE, **given: object) -> SeenRequest:
    return SeenRequest(request_key(USER, key, route, given).parameters, "answer", Millis(1))


def test_the_same_request_gets_the_first_answer_in_any_order_of_its_fields() -> None:
    again = request_key(USER, "k", ROUTE, dict(reversed(GIVEN.items())))
    assert first_answer(again, seen_by(**GIVEN)) == "answer"


@pytest.mark.parametrize(
    ("route", "given"),
    [
        ("POST /cancelNumber", GIVEN),
        (ROUTE, {**GIVEN, "country": "GB"}),
        (ROUTE, {"country": "US"}),
        (ROUTE, {**GIVEN, "more": ""}),
        (ROUTE, {"country": "US", "service": None}),
        (ROUTE, {"country": "USservice", "": "acme"}),
        (ROUTE, {}),
    ],
)
def test_another_request_with_the_key_is_refused(route: str, given: dict[str, object]) -> None:
    with pytest.raises(RequestKeyReusedError):
        first_answer(request_key(USER, "k", route, given), seen_by(**GIVEN))


def test_numbers_and_their_texts_are_other_parameters() -> None:
    with pytest.raises(RequestKeyReusedError):
        first_answer(request_key(USER, "k", ROUTE, {"n": "1"}), seen_by(n=1))


def test_keys_are_told_apart_by_user_and_text() -> None:
    ids = {
        request_key(user, key, ROUTE, GIVEN).request_id
        for user in (USER, OTHER)
        for key in ("k", "K", "k#", "", " k")
    }
    assert len(ids) == 10


def test_i8_no_parameter_is_kept_in_clear() -> None:
    request = request_key(USER, "k", ROUTE, {"api_key": "sesame_secret"})
    assert "secret" not in request.request_id + request.parameters
