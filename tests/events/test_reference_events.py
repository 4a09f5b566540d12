"""The topics `stations` and `tariffs`: what the operator may publish."""

from __future__ import annotations

import json
from typing import Any

import pytest

from evcharge.domain.station_register import RegisteredConnector, RegisteredStation
from evcharge.events import stations, tariffs
from evcharge.events.rejection import Reason, Rejected
from evcharge.events.stations import Station, parse_station
from evcharge.events.tariffs import TariffDocument, parse_tariff

STATION = {
    "station_id": "EV-001",
    "name": "Station Road",
    "latitude": 48.8566,
    "longitude": 2.3522,
    "time_zone": "Europe/Paris",
    "site_id": "site-1",
    "tariff_id": "T1",
    "connectors": [
        {
            "connector_id": 1,
            "evse_id": "1",
            "standard": "IEC_62196_T2_COMBO",
            "max_power_kw": 150,
        },
        {"connector_id": 2, "max_power_kw": 22.08},
    ],
}
TARIFF = {
    "id": "T1",
    "currency": "EUR",
    "last_updated": "2019-01-01T00:00:00Z",
    "elements": [{"price_components": [{"type": "ENERGY", "price": 0.25, "step_size": 1}]}],
}


def registered(event: dict[str, Any]) -> RegisteredStation:
    station = parse_station(json.dumps(event).encode())
    assert isinstance(station, Station), station
    return station.registered()


def refused(event: object) -> Rejected:
    value = event if isinstance(event, bytes) else json.dumps(event).encode()
    outcome = parse_station(value)
    assert isinstance(outcome, Rejected)
    return outcome


def tariff(event: object) -> TariffDocument | Rejected:
    return parse_tariff(event if isinstance(event, bytes) else json.dumps(event).encode())


class TestStations:
    def test_an_entry_says_where_a_station_is_and_what_it_has(self) -> None:
        assert registered(STATION) == RegisteredStation(
            "EV-001",
            "Station Road",
            48.8566,
            2.3522,
            "Europe/Paris",
            "site-1",
            "T1",
            (
                RegisteredConnector(1, "1", "IEC_62196_T2_COMBO", 150_000_000),
                RegisteredConnector(2, None, None, 22_080_000),
            ),
        )

    def test_only_the_id_is_required(self) -> None:
        bare = RegisteredStation("EV-001")
        assert registered({"station_id": "EV-001"}) == bare
        assert registered(dict.fromkeys(STATION) | {"station_id": "EV-001", "v": 1}) == bare

    @pytest.mark.parametrize("longitude", [-180, 0, 180])
    @pytest.mark.parametrize("latitude", [-90, 0, 90])
    def test_places_are_on_the_globe(self, latitude: int, longitude: int) -> None:
        place = {"latitude": latitude, "longitude": longitude}
        station = registered({"station_id": "a", **place})
        assert (station.latitude, station.longitude) == (latitude, longitude)

    @pytest.mark.parametrize(
        "change",
        [
            {"station_id": "EV 001"},
            {"name": "x" * 257},
            {"latitude": 90.1},
            {"latitude": "48.8566"},
            {"longitude": -180.1},
            {"longitude": None},
            {"latitude": None},
            {"time_zone": "Europe/Pariss"},
            {"time_zone": "../../etc/passwd"},
            {"time_zone": ""},
            {"time_zone": "Europe"},
            {"time_zone": "a\0b"},
            {"time_zone": "CEST+2"},
            {"site_id": ""},
            {"tariff_id": 7},
            {"connectors": {}},
            {"connectors": [3]},
            {"connectors": [{"connector_id": 0}]},
            {"connectors": [{"connector_id": 1001}]},
            {"connectors": [{"connector_id": 1}, {"connector_id": 1}]},
            {"connectors": [{"connector_id": 1, "max_power_kw": 0}]},
            {"connectors": [{"connector_id": 1, "max_power_kw": "22"}]},
            {"connectors": [{"connector_id": 1, "evse_id": 1}]},
        ],
    )
    def test_a_bad_value_is_rejected_by_name(self, change: dict[str, Any]) -> None:
        outcome = refused(STATION | change)
        assert outcome.reason is Reason.BAD_VALUE
        field = next(iter(change))
        assert field in outcome.detail

    def test_a_connector_is_named_by_its_place(self) -> None:
        assert refused(STATION | {"connectors": [{"connector_id": 1}, {}]}) == Rejected(
            Reason.MISSING_FIELD, "connectors.1.connector_id is missing."
        )

    @pytest.mark.parametrize(
        ("value", "reason"),
        [
            (b"", Reason.NOT_JSON),
            (b'{"station_id":"a","x":NaN}', Reason.NOT_JSON),
            (b"[" * 10_000, Reason.NOT_JSON),
            (b"null", Reason.NOT_AN_OBJECT),
            (b"{}", Reason.MISSING_FIELD),
        ],
    )
    def test_what_is_no_entry(self, value: bytes, reason: Reason) -> None:
        assert refused(value).reason is reason

    def test_the_schema_names_every_field(self) -> None:
        assert set(stations.json_schema()["properties"]) == set(STATION)


class TestTariffs:
    def test_a_version_keeps_its_text(self) -> None:
        value = (
            b'{"id":"T1","currency":"EUR","last_updated":"2019-01-01T00:00:00Z",'
            b'"elements":[{"price_components":[{"type":"FLAT","price":0.10}]}]}'
        )
        outcome = tariff(value)
        assert isinstance(outcome, TariffDocument)
        assert outcome.document == value
        assert outcome.tariff.last_updated_us == 1_546_300_800_000_000

    def test_as_ocpi_has_it_a_version_without_an_offset_is_in_utc(self) -> None:
        outcome = tariff(TARIFF | {"last_updated": "2019-01-01T00:00:00"})
        assert isinstance(outcome, TariffDocument)
        assert outcome.tariff.last_updated_us == 1_546_300_800_000_000

    @pytest.mark.parametrize("missing", ["id", "currency", "last_updated", "elements"])
    def test_what_is_required_is_missed_by_name(self, missing: str) -> None:
        event = {name: member for name, member in TARIFF.items() if name != missing}
        assert tariff(event) == Rejected(Reason.MISSING_FIELD, f"{missing} is missing.")

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("id", "a b"),
            ("currency", "eur"),
            ("currency", "EURO"),
            ("last_updated", "yesterday"),
            ("last_updated", "2019-01-01T00:00"),
            ("last_updated", 1_546_300_800),
            ("elements", []),
            ("elements", {}),
            ("elements", [1]),
        ],
    )
    def test_a_bad_value_is_rejected_by_name(self, field: str, value: object) -> None:
        outcome = tariff(TARIFF | {field: value})
        assert isinstance(outcome, Rejected)
        assert outcome.reason is Reason.BAD_VALUE
        assert outcome.detail.startswith(field)

    @pytest.mark.parametrize("value", [b"", b"{", b"\xff", b'{"id":NaN}'])
    def test_what_is_not_json(self, value: bytes) -> None:
        outcome = tariff(value)
        assert isinstance(outcome, Rejected)
        assert outcome.reason is Reason.NOT_JSON

    def test_the_schema_says_what_is_required(self) -> None:
        assert set(tariffs.json_schema()["required"]) == set(TARIFF)
