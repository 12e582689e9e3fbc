"""Routes and prices of codes: as they are written, as they are found."""

import pytest

from chalicelib.domain.money import Micros
from chalicelib.domain.otp import Channel
from chalicelib.domain.otp_routes import Route, Routes, Tariff, parse_routes, parse_tariff
from chalicelib.errors import InvalidInputError

SMS, VOICE = Channel


def test_a_country_has_its_own_routes_or_the_general_ones() -> None:
    routes = parse_routes({"*": ["twilio:main", "vonage:main"], "gb": ["aws:eu"]})
    assert routes.to("GB") == (Route("aws", "eu"),)
    assert routes.to("US") == (Route("twilio", "main"), Route("vonage", "main"))


def test_without_general_routes_other_countries_have_none() -> None:
    assert parse_routes({"GB": ["aws:eu"]}).to("US") == ()
    assert parse_routes({}).to("US") == Routes().to("US") == ()


def test_an_account_may_have_a_colon_in_it() -> None:
    assert parse_routes({"*": ["aws:eu:1"]}).to("US") == (Route("aws", "eu:1"),)


@pytest.mark.parametrize(
    ("found", "field"),
    [
        (None, "routes"),
        ([], "routes"),
        ("*", "routes"),
        ({"GBR": ["aws:eu"]}, "routes"),
        ({"": ["aws:eu"]}, "routes"),
        ({"G1": ["aws:eu"]}, "routes"),
        ({"**": ["aws:eu"]}, "routes"),
        ({"GB": []}, "GB"),
        ({"GB": None}, "GB"),
        ({"GB": "aws:eu"}, "GB"),
        ({"GB": {"aws:eu": 1}}, "GB"),
        ({"GB": ["aws:eu"] * 6}, "GB"),
        ({"GB": ["aws"]}, "GB"),
        ({"GB": ["aws:"]}, "GB"),
        ({"GB": [":eu"]}, "GB"),
        ({"GB": ["aws:eu", ""]}, "GB"),
        ({"GB": ["aws:eu", None]}, "GB"),
        ({"GB": [7]}, "GB"),
        ({"GB": [["aws:eu"]]}, "GB"),
        ({"GB": [{"aws": "eu"}]}, "GB"),
        ({"*": ["aws"]}, "*"),
    ],
    ids=repr,
)
def test_routes_that_can_not_be_used_are_refused_by_name(found: object, field: str) -> None:
    with pytest.raises(InvalidInputError) as raised:
        parse_routes(found)
    assert raised.value.field == field


def test_a_price_is_the_countrys_own_or_the_general_one_each_channel_by_itself() -> None:
    tariff = parse_tariff({"*": {"sms": "0.05", "voice_sms": "0.1"}, "us": {"sms": "0.010001"}})
    assert tariff.price("US", SMS) == Micros(10_001)
    assert tariff.price("US", VOICE) == Micros(100_000)
    assert tariff.price("GB", SMS) == Micros(50_000)


def test_what_has_no_price_is_not_for_sale_and_what_costs_nothing_is() -> None:
    tariff = parse_tariff({"US": {"sms": "0"}})
    assert tariff.price("US", SMS) == Micros(0)
    assert tariff.price("US", VOICE) is None
    assert tariff.price("GB", SMS) is None
    assert Tariff().price("US", SMS) is None


@pytest.mark.parametrize(
    ("found", "field"),
    [
        (None, "prices"),
        ([], "prices"),
        ({"USA": {"sms": "1"}}, "prices"),
        ({"US": None}, "US"),
        ({"US": "0.1"}, "US"),
        ({"US": ["sms"]}, "US"),
        ({"US": {"fax": "1"}}, "US"),
        ({"US": {"text_sms": "1"}}, "US"),
        ({"US": {"sms": 0.05}}, "US"),
        ({"US": {"sms": None}}, "US"),
        ({"US": {"sms": ""}}, "US"),
        ({"US": {"sms": "-1"}}, "US"),
        ({"US": {"sms": "0.0000001"}}, "US"),
        ({"US": {"sms": "1e12"}}, "US"),
        ({"US": {"sms": "NaN"}}, "US"),
    ],
    ids=repr,
)
def test_prices_that_can_not_be_used_are_refused_by_name(found: object, field: str) -> None:
    with pytest.raises(InvalidInputError) as raised:
        parse_tariff(found)
    assert raised.value.field == field


@pytest.mark.parametrize("country", ["éé", "ßß", "١٢", "ÅÅ", "XX"])
def test_what_is_no_country_is_refused(country: str) -> None:
    for parse, value in ((parse_routes, ["aws:eu"]), (parse_tariff, {"sms": "1"})):
        with pytest.raises(InvalidInputError):
            parse({country: value})  # type: ignore[operator]


def test_a_country_that_is_there_twice_is_refused() -> None:
    """JSON keeps the last of two, so one of them would be lost without a word."""
    with pytest.raises(InvalidInputError):
        parse_routes({"gb": ["aws:eu"], "GB": ["twilio:main"]})
    with pytest.raises(InvalidInputError):
        parse_tariff({"gb": {"sms": "1"}, "GB": {"sms": "2"}})
