"""The topic `station-status` accepts the contract's event."""

from __future__ import annotations

import pytest

from evcharge.domain.quantities import format_timestamp
from evcharge.domain.station_state import advance_station
from evcharge.domain.status_report import Status, StatusReport
from evcharge.events.decode import decode_station_status
from evcharge.events.fields import MAX_CONNECTOR, MAX_KEPT_TEXT
from evcharge.events.rejection import Reason, Rejected
from evcharge.events.station_status import json_schema
from tables.station_status import encode_station
from tests.events.arrivals import MAX_BYTES, NOON_US, STATUS, Arrival, status_outcome, to_bytes

BARE = StatusReport("EV-001", 1, Status.OCCUPIED, 1_682_936_130_000_000, NOON_US, 3, 7)


def test_the_contracts_bare_event_is_about_connector_1() -> None:
    value = b'{"station_id":"EV-001","timestamp":"2023-05-01T10:15:30Z","status":"occupied"}'
    assert status_outcome(value) == BARE


def test_connector_0_is_the_whole_station() -> None:
    assert status_outcome(STATUS | {"connector_id": 0}) == BARE._replace(connector_id=0)


def test_null_means_absent_and_unknown_fields_are_ignored() -> None:
    nulls = {"connector_id": None, "error_code": None, "event_id": None}
    assert status_outcome(STATUS | nulls | {"info": {"a": [1]}}) == BARE


@pytest.mark.parametrize("error_code", ["NoError", "GroundFailure", "", "défaut n° 3\n"])
def test_an_error_code_is_kept_as_it_is(error_code: str) -> None:
    event = STATUS | {"status": "faulted", "error_code": error_code, "event_id": "e:1"}
    assert status_outcome(event) == BARE._replace(
        status=Status.FAULTED, error_code=error_code, event_id="e:1"
    )


def test_a_long_error_code_is_no_reason_to_lose_the_status() -> None:
    said = status_outcome(STATUS | {"status": "faulted", "error_code": "x" * 60_000})
    assert said == BARE._replace(status=Status.FAULTED, error_code="x" * MAX_KEPT_TEXT)


def test_the_row_of_the_largest_station_with_the_longest_words_fits_a_record() -> None:
    reports = []
    for number in range(MAX_CONNECTOR + 1):
        event = STATUS | {"connector_id": number, "status": "unavailable", "error_code": "😀" * 999}
        said = status_outcome(event)
        assert isinstance(said, StatusReport)
        reports.append(said)
    assert len(encode_station(advance_station(None, reports))) < 900_000


@pytest.mark.parametrize("ingest_ms", [-1, 253_402_300_800_000, 2**63 - 1])
def test_a_record_that_kafka_has_at_an_absurd_time_names_the_topics_setting(
    ingest_ms: int,
) -> None:
    arrival = Arrival(to_bytes(STATUS), timestamp=ingest_ms)
    [outcome] = decode_station_status([arrival], max_bytes=MAX_BYTES)
    assert outcome == Rejected(
        Reason.BAD_VALUE,
        f"The record's time in Kafka, {ingest_ms} ms, is outside the years 1970 to 9999:"
        " its topic should have message.timestamp.type=LogAppendTime.",
    )


@pytest.mark.parametrize("ingest_ms", [0, 253_402_300_799_999])
def test_the_first_and_the_last_time_that_kafka_may_have_are_shown_without_an_error(
    ingest_ms: int,
) -> None:
    arrival = Arrival(to_bytes(STATUS | {"timestamp": "1969-05-01T00:00:00Z"}), ingest_ms)
    [outcome] = decode_station_status([arrival], max_bytes=MAX_BYTES)
    assert isinstance(outcome, StatusReport)
    assert format_timestamp(outcome.ingest_us)


@pytest.mark.parametrize("status", ["free", "occupied", "reserved", "unavailable", "faulted"])
def test_the_five_statuses_of_devices(status: str) -> None:
    assert status_outcome(STATUS | {"status": status}) == BARE._replace(status=Status(status))


@pytest.mark.parametrize("missing", ["station_id", "timestamp", "status"])
def test_what_is_required_is_missed_by_name(missing: str) -> None:
    event = {name: member for name, member in STATUS.items() if name != missing}
    assert status_outcome(event) == Rejected(Reason.MISSING_FIELD, f"{missing} is missing.")
    assert status_outcome(event | {missing: None}) == Rejected(
        Reason.MISSING_FIELD, f"{missing} is null but required."
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("status", "blocked"),
        ("status", "unknown"),
        ("status", "Available"),
        ("status", 1),
        ("connector_id", -1),
        ("connector_id", 1001),
        ("connector_id", "1"),
        ("error_code", 7),
        ("event_id", ""),
        ("station_id", "a b"),
        ("timestamp", "2023-05-01"),
    ],
)
def test_a_bad_value_is_rejected_by_name(field: str, value: object) -> None:
    outcome = status_outcome(STATUS | {field: value})
    assert isinstance(outcome, Rejected)
    assert (outcome.reason, outcome.detail.split()[0]) == (Reason.BAD_VALUE, field)


def test_a_person_reads_which_statuses_there_are() -> None:
    outcome = status_outcome(STATUS | {"status": "broken"})
    assert isinstance(outcome, Rejected)
    assert outcome.detail == (
        "status should be 'free', 'occupied', 'reserved', 'unavailable' or 'faulted',"
        " but it is 'broken'."
    )


@pytest.mark.parametrize(
    ("timestamp", "reason"),
    [
        ("2023-05-01T10:15:30", Reason.TIMESTAMP_WITHOUT_ZONE),
        ("2023-05-02T12:00:00.001Z", Reason.TIMESTAMP_IN_FUTURE),
        ("9999-12-31T23:59:59Z", Reason.TIMESTAMP_IN_FUTURE),
    ],
)
def test_timestamps_have_reasons_of_their_own(timestamp: str, reason: Reason) -> None:
    outcome = status_outcome(STATUS | {"timestamp": timestamp})
    assert isinstance(outcome, Rejected)
    assert outcome.reason is reason


def test_exactly_24_hours_ahead_is_accepted() -> None:
    assert isinstance(status_outcome(STATUS | {"timestamp": "2023-05-02T12:00:00Z"}), StatusReport)


def test_the_schema_is_that_of_the_contract() -> None:
    schema = json_schema()
    assert schema["required"] == ["station_id", "timestamp", "status"]
    assert schema["properties"]["status"]["enum"] == [
        "free", "occupied", "reserved", "unavailable", "faulted",
    ]  # fmt: skip
