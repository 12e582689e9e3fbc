import phonenumbers
import pytest

from chalicelib.domain.countries import Country, by_id, find


@pytest.mark.parametrize(
    ("text", "country"),
    [
        ("US", Country(840, "US", "United States")),
        ("gb", Country(826, "GB", "United Kingdom")),
        (" De\n", Country(276, "DE", "Germany")),
        ("AF", Country(4, "AF", "Afghanistan")),
        ("ci", Country(384, "CI", "Côte d'Ivoire")),
        ("XK", Country(983, "XK", "Kosovo")),
        ("AC", Country(654, "SH", "St. Helena")),
        ("TA", Country(654, "SH", "St. Helena")),
        ("ZZ", None),
        ("XX", None),
        ("EU", None),
        ("USA", None),
        ("840", None),
        ("ß", None),
        ("", None),
    ],
)
def test_a_country_is_found_by_its_code(text: str, country: Country | None) -> None:
    assert find(text) == country


def test_every_region_with_phone_numbers_is_found_and_comes_back_by_its_id() -> None:
    assert len(phonenumbers.SUPPORTED_REGIONS) > 200
    for region in phonenumbers.SUPPORTED_REGIONS:
        country = find(region)
        assert country is not None, region
        assert country.code == {"AC": "SH", "TA": "SH"}.get(region, region)
        assert by_id(country.id) == country


def test_ids_are_unique_and_all_of_iso_3166_is_there() -> None:
    letters = [chr(code) for code in range(ord("A"), ord("Z") + 1)]
    found = [find(a + b) for a in letters for b in letters if a + b not in ("AC", "TA")]
    countries = [country for country in found if country is not None]
    assert len(countries) == 249 + 1
    assert len({country.id for country in countries}) == len(countries)
    assert all(0 < country.id < 1_000 and country.name for country in countries)


@pytest.mark.parametrize("number", [0, 1, 383, 999, -840])
def test_an_id_of_no_country_finds_none(number: int) -> None:
    assert by_id(number) is None
