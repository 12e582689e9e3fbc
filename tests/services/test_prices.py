"""Prices for a country, an operator and a service: what is listed, what is paid, what counts."""

import hashlib

import pytest

from chalicelib.domain.money import UNIT, Micros
from chalicelib.domain.pricing import PriceRule, marked_up, parse_markup, ruled
from chalicelib.domain.stock import MOST_OFFERS, Offer, Stock, dump_offers, load_offers
from chalicelib.domain.times import Millis
from chalicelib.errors import InvalidInputError
from chalicelib.services.administration import Placement
from tests.api.faces import ADMIN, holder
from tests.api.shapes import refused
from tests.wire import tapped
from tests.world import PRICE, World

BASE = Micros(10)


def rule(operator_id: int | None, service: str, price: int, country: str = "US") -> PriceRule:
    return PriceRule(country, operator_id, service, Micros(price))


@pytest.mark.parametrize(
    ("rules", "plain", "acme"),
    [
        ([], 10, 10),
        ([rule(None, "", 11)], 11, 11),
        ([rule(1, "", 12)], 12, 12),
        ([rule(None, "", 11), rule(1, "", 12)], 12, 12),
        ([rule(1, "", 12), rule(None, "", 11)], 12, 12),
        ([rule(None, "acme", 13)], 10, 13),
        ([rule(1, "", 12), rule(None, "acme", 13)], 12, 13),
        ([rule(1, "acme", 14), rule(None, "acme", 13)], 10, 14),
        ([rule(None, "acme", 13), rule(1, "acme", 14), rule(1, "", 12)], 12, 14),
        ([rule(2, "", 15), rule(2, "acme", 16), rule(1, "", 17, "GB")], 10, 10),
        ([rule(None, "acme", 10)], 10, 10),
        ([rule(None, "acme", 0)], 10, 0),
    ],
)
def test_the_most_specific_rule_counts(rules: list[PriceRule], plain: int, acme: int) -> None:
    price, service_prices = ruled("US", 1, BASE, rules)
    offer = Offer("US", "United States", 1, "One", price, 1, service_prices=service_prices)
    assert (offer.price_for(""), offer.price_for("other")) == (plain, plain)
    assert offer.price_for("acme") == acme


def test_offers_outlive_the_stock_item() -> None:
    offer = Offer("US", "United States", 1, "One", BASE, 1, service_prices=(("a#*b", Micros(3)),))
    assert load_offers(dump_offers([offer])) == (offer,)


def test_the_fullest_of_too_many_offers_fit_an_item() -> None:
    names = [hashlib.sha256(str(at).encode()).hexdigest() for at in range(MOST_OFFERS + 50)]
    offers = [Offer("US", "United States", at, name, BASE, at) for at, name in enumerate(names)]
    text = dump_offers(offers)
    assert len(text) < 400_000
    assert {offer.operator_id for offer in load_offers(text)} == set(range(50, MOST_OFFERS + 50))


def test_offers_come_in_order_of_the_services_price() -> None:
    dear = Offer("US", "", 1, "", Micros(20), 1, service_prices=(("acme", Micros(1)),))
    cheap = Offer("US", "", 2, "", Micros(10), 1)
    stock = Stock(Millis(0), (dear, cheap))
    assert stock.in_country("US") == [cheap, dear]
    assert stock.in_country("US", service="acme") == [dear, cheap]


@pytest.mark.parametrize(
    ("text", "markup"), [("0", 0), ("300", 30_000), ("12.5", 1_250), ("0.01", 1), ("1e1", 1_000)]
)
def test_a_markup_is_read_in_hundredths_of_a_percent(text: str, markup: int) -> None:
    assert parse_markup(text, field="markup") == markup


@pytest.mark.parametrize(
    "text", ["", "-1", "300.01", "0.001", "x", "NaN", "1_0", "1e9999999", "1." + "0" * 40 + "1"]
)
def test_a_markup_out_of_range_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError):
        parse_markup(text, field="markup")


# Through the admin's routes.


def price(**more: object) -> object:
    return ADMIN.ok("PUT", "/admin/prices", {"country": "US", **more})["price"]


def two_operators(world: World) -> None:
    world.stock(3)
    world.stock(3, operator_id=2, price=Micros(2 * PRICE), first=3_000_000)


def test_prices_are_set_listed_and_removed(world: World) -> None:
    two_operators(world)
    assert price(price="0.07") == {
        "country": "US",
        "operator_id": None,
        "service": None,
        "price": 0.07,
    }
    price(operator_id=2, service="Acme", price=0.5)
    listed = ADMIN.ok("GET", "/admin/prices")
    assert [(o["operator_id"], o["country"], o["price"]) for o in listed["operators"]] == [
        (1, "US", 0.05),
        (2, "US", 0.1),
    ]
    assert listed["prices"] == [
        {"country": "US", "operator_id": None, "service": None, "price": 0.07},
        {"country": "US", "operator_id": 2, "service": "acme", "price": 0.5},
    ]
    assert price(price=None) is None
    assert price(operator_id=2, service="acme", price=None) is None
    assert ADMIN.ok("GET", "/admin/prices")["prices"] == []
    answer = ADMIN.call("PUT", "/admin/prices", {"country": "US", "price": None})
    refused(answer, 404, "price_not_found")


def test_what_is_listed_is_without_a_service_and_what_is_rented_with_it(world: World) -> None:
    two_operators(world)
    user = world.user()
    me = holder(world.key(user))
    price(operator_id=1, price="0.2")
    price(service="acme", price="0.3")
    price(operator_id=1, service="acme", price="0.01")
    listed = me.ok("GET", "/getNumbers")["numbers"]
    assert [offer["price_per_sms"] for offer in listed] == [0.1]
    plain = me.ok("POST", "/rentNumber", {"country": "US"})
    assert plain["price"] == 0.1
    named = me.ok("POST", "/rentNumber", {"country": "US", "service": "ACME"})
    assert named["price"] == 0.01
    assert world.balance(user) == 100 * UNIT - 110_000
    world.sms(named["number"])
    world.sms(named["number"])
    assert world.balance(user) == 100 * UNIT - 120_000
    world.assert_i2(user)


def test_a_markup_is_on_the_services_price(world: World) -> None:
    world.stock(1)
    place = world.stack.platform.administration.place
    manager, user = world.user(), world.user()
    place(manager.user_id, Placement(is_manager=True, markup=5_000))
    place(user.user_id, Placement(manager=manager.user_id))
    price(service="acme", price="0.03")
    me = holder(world.key(user))
    rented = me.ok("POST", "/rentNumber", {"country": "US", "service": "acme"})
    assert rented["price"] == marked_up(Micros(30_000), 5_000) / UNIT == 0.045


def test_a_price_costs_a_rental_no_further_round_trip(world: World) -> None:
    world.stock(3)
    price(service="acme", price="0.03")
    me = holder(world.key(world.user()))
    me.ok("GET", "/getNumbers")
    with tapped() as wire:
        me.ok("POST", "/rentNumber", {"country": "US", "service": "acme"})
    assert len(wire.operations()) == 2


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ({"price": 1}, 400, "missing_parameter", "country"),
        ({"country": "XX", "price": 1}, 400, "invalid_parameter", "country"),
        ({"country": "US"}, 400, "missing_parameter", "price"),
        ({"country": "US", "price": -1}, 400, "invalid_parameter", "price"),
        ({"country": "US", "price": "dear"}, 400, "invalid_parameter", "price"),
        ({"country": "US", "price": True}, 400, "invalid_parameter", "price"),
        ({"country": "US", "price": 1, "service": "*"}, 400, "invalid_parameter", "service"),
        ({"country": "US", "price": 1, "service": "x" * 65}, 400, "invalid_parameter", "service"),
        (
            {"country": "US", "price": 1, "operator_id": "x"},
            400,
            "invalid_parameter",
            "operator_id",
        ),
        ({"country": "US", "price": 1, "operator_id": 9}, 404, "operator_not_found", "operator_id"),
        ({"country": "GB", "price": 1, "operator_id": 1}, 404, "operator_not_found", "operator_id"),
        ({"country": "US", "price": 1, "currency": "EUR"}, 400, "unknown_parameter", "currency"),
    ],
)
def test_a_price_that_can_not_be_set_is_named(
    world: World, body: dict[str, object], status: int, code: str, field: str
) -> None:
    world.stock(1)
    refused(ADMIN.call("PUT", "/admin/prices", body), status, code, field)
    assert ADMIN.ok("GET", "/admin/prices")["prices"] == []


@pytest.mark.parametrize("operator_id", [2**31 - 1, "2147483647"])
def test_an_operators_id_may_be_as_large_as_they_get(world: World, operator_id: object) -> None:
    world.stock(1, operator_id=2**31 - 1)
    price(operator_id=operator_id, price="0.5")
    assert world.stack.platform.catalogue.stock().in_country("US")[0].price == 500_000


@pytest.mark.parametrize("operator_id", [2**31, -1, 1.0, True, [1], "1_0", "1" * 5000])
def test_what_is_no_operators_id_is_refused(world: World, operator_id: object) -> None:
    body = {"country": "US", "price": 1, "operator_id": operator_id}
    refused(ADMIN.call("PUT", "/admin/prices", body), 400, "invalid_parameter", "operator_id")


def test_a_service_may_be_called_anything_printable(world: World) -> None:
    world.stock(1)
    price(service="a#b #*", price="0.5")
    (listed,) = ADMIN.ok("GET", "/admin/prices")["prices"]
    assert listed["service"] == "a#b #*"
    offer = world.stack.platform.catalogue.stock().in_country("US")[0]
    assert offer.price_for("a#b #*") == 500_000
