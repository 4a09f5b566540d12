"""Which terms a session has."""

from __future__ import annotations

import pytest

from evcharge.domain.billing.terms import TariffVersion, Terms, choose_terms, valid_version
from evcharge.domain.station_register import RegisteredConnector, RegisteredStation

DEFAULT = TariffVersion("free", None, "d0", 0, None, None)
STATION = RegisteredStation(
    "EV-001",
    time_zone="Europe/Paris",
    tariff_id="T1",
    connectors=(RegisteredConnector(1), RegisteredConnector(2, max_power_mw=150_000_000)),
)


def version(
    number: int, published: int, valid_from: int | None = None, until: int | None = None
) -> TariffVersion:
    return TariffVersion("T1", number, f"d{number}", published, valid_from, until)


def chosen(
    station: RegisteredStation | None,
    *versions: TariffVersion,
    connector_id: int = 1,
    default: TariffVersion = DEFAULT,
) -> Terms | None:
    return choose_terms(
        station,
        connector_id,
        1_000,
        lambda tariff_id: versions if tariff_id == "T1" else (),
        default_tariff=default,
        default_time_zone="UTC",
    )


def test_a_registered_station_has_its_own_tariff_zone_and_power() -> None:
    terms = chosen(STATION, version(7, published=500), connector_id=2)
    assert terms == Terms("T1", 7, "d7", "Europe/Paris", 150_000_000)


def test_a_power_that_the_register_does_not_state_is_unknown() -> None:
    assert chosen(STATION, version(7, 500)) == Terms("T1", 7, "d7", "Europe/Paris")
    assert chosen(STATION, version(7, 500), connector_id=9) == Terms("T1", 7, "d7", "Europe/Paris")


@pytest.mark.parametrize("station", [None, RegisteredStation("EV-001")])
def test_without_a_register_or_a_tariff_in_it_the_defaults_hold(
    station: RegisteredStation | None,
) -> None:
    assert chosen(station, version(7, 500)) == Terms("free", None, "d0", "UTC")


def test_a_tariff_that_is_named_but_not_known_gives_no_terms() -> None:
    assert chosen(STATION) is None


def test_a_default_tariff_that_is_not_valid_at_the_start_gives_no_terms() -> None:
    assert chosen(None, default=DEFAULT._replace(valid_until_us=1_000)) is None


@pytest.mark.parametrize(
    ("versions", "number"),
    [
        ([], None),
        ([version(1, 900), version(2, 1_000), version(3, 1_001)], 2),
        ([version(1, 2_000), version(2, 3_000)], 1),  # sessions of any year can be replayed
        ([version(1, 100), version(2, 200, valid_from=1_001)], 1),  # announced, not yet valid
        ([version(1, 100), version(2, 200, valid_from=1_000)], 2),
        ([version(1, 100, until=1_000), version(2, 5_000)], 2),
        ([version(1, 100, until=1_000)], None),
        ([version(1, 100, until=1_001), version(2, 1_500)], 1),
        ([version(1, 100, valid_from=1_001)], None),
    ],
)
def test_the_version_is_valid_at_the_start_and_published_by_then_if_any_was(
    versions: list[TariffVersion], number: int | None
) -> None:
    found = valid_version(versions, 1_000)
    assert (None if found is None else found.version) == number
