"""The topic `charging-sessions` accepts the contract's events, each as what it says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from evcharge.domain.session_record import RecordKind, SessionRecord
from evcharge.events.charging_sessions import json_schema
from evcharge.events.decode import decode_charging_sessions
from evcharge.events.fields import MAX_KEPT_TEXT
from evcharge.events.rejection import Reason, Rejected
from tests.events.arrivals import (
    CLOSED,
    END,
    MAX_BYTES,
    NOON_US,
    START,
    UPDATE,
    Arrival,
    session_of,
    session_outcome,
    to_bytes,
)

T_10_15_30 = 1_682_936_130_000_000


def test_the_contracts_closed_session_is_a_whole_session() -> None:
    assert session_of(CLOSED) == SessionRecord(
        station_id="EV-001",
        session_id="S12345",
        kind=RecordKind.CLOSED,
        timestamp_us=NOON_US,
        ingest_us=NOON_US,
        partition=3,
        offset=7,
        energy_uwh=22_500_000_000,
        user_id="U67890",
        start_time_us=T_10_15_30,
    )


def test_a_start_says_who_and_where() -> None:
    event = START | {
        "connector_id": 2,
        "user_id": "U1",
        "reservation_id": "R1",
        "meter_kwh": 4076,
        "seq": 0,
        "event_id": "e-1",
    }
    assert session_of(event) == SessionRecord(
        station_id="EV-001",
        session_id="S1",
        kind=RecordKind.START,
        timestamp_us=T_10_15_30,
        ingest_us=NOON_US,
        partition=3,
        offset=7,
        meter_uwh=4_076_000_000_000,
        seq=0,
        connector_id=2,
        user_id="U1",
        reservation_id="R1",
    )


def test_an_update_carries_its_readings() -> None:
    event = UPDATE | {
        "meter_kwh": 4088.3,
        "power_kw": 11.04,
        "current_a": 16.1,
        "soc_percent": 55.5,
        "charging": False,
        "seq": 9,
        "connector_id": 1,
        "user_id": "U1",
        "event_id": "e-2",
    }
    assert session_of(event) == SessionRecord(
        station_id="EV-001",
        session_id="S1",
        kind=RecordKind.UPDATE,
        timestamp_us=T_10_15_30,
        ingest_us=NOON_US,
        partition=3,
        offset=7,
        energy_uwh=12_300_000_000,
        meter_uwh=4_088_300_000_000,
        power_mw=11_040_000,
        seq=9,
        charging=False,
        current_ua=16_100_000,
        soc_millionths=55_500_000,
        connector_id=1,
        user_id="U1",
    )


def test_an_end_may_state_start_duration_and_correction() -> None:
    event = END | {
        "meter_kwh": 4098.5,
        "start_time": "2023-05-01T09:15:30Z",
        "duration_s": 3600.5,
        "user_id": "U1",
        "reason": "EVDisconnected",
        "correction": True,
        "connector_id": 1,
        "seq": 10,
        "event_id": "e-3",
    }
    assert session_of(event) == SessionRecord(
        station_id="EV-001",
        session_id="S1",
        kind=RecordKind.END,
        timestamp_us=T_10_15_30,
        ingest_us=NOON_US,
        partition=3,
        offset=7,
        energy_uwh=22_500_000_000,
        meter_uwh=4_098_500_000_000,
        seq=10,
        connector_id=1,
        user_id="U1",
        start_time_us=T_10_15_30 - 3_600_000_000,
        duration_us=3_600_500_000,
        correction=True,
        reason="EVDisconnected",
    )


@pytest.mark.parametrize(
    ("fields", "duration_us"),
    [
        ({"duration": 60}, 60_000_000),
        ({"duration": 60, "duration_s": 61}, 61_000_000),
        ({"duration": 60, "duration_s": None}, 60_000_000),
        ({}, None),
    ],
)
def test_duration_is_another_name_of_duration_s(
    fields: dict[str, Any], duration_us: int | None
) -> None:
    assert session_of(END | fields).duration_us == duration_us


@pytest.mark.parametrize("event", [UPDATE, END])
def test_energy_is_optional_where_others_measure_it(event: dict[str, Any]) -> None:
    without = {name: member for name, member in event.items() if name != "energy_kwh"}
    assert session_of(without).energy_uwh is None
    assert session_of(without | {"soc_percent": 40}).energy_uwh is None
    assert session_of(without | {"meter_kwh": 0}).meter_uwh == 0


def test_a_closed_session_may_end_before_its_start_which_is_for_the_rules_to_hold() -> None:
    record = session_of(CLOSED | {"end_time": "2023-05-01T09:00:00Z"})
    assert record.start_time_us is not None
    assert record.timestamp_us < record.start_time_us


@pytest.mark.parametrize(
    ("event", "optional"),
    [
        (START, ["connector_id", "user_id", "reservation_id", "meter_kwh", "seq", "event_id"]),
        (UPDATE, ["energy_kwh", "meter_kwh", "power_kw", "current_a", "soc_percent", "charging"]),
        (END, ["start_time", "duration_s", "duration", "reason", "correction", "energy_kwh"]),
        (CLOSED, ["connector_id", "user_id", "seq", "event_id", "event"]),
    ],
)
def test_null_means_absent(event: dict[str, Any], optional: list[str]) -> None:
    absent = {name: member for name, member in event.items() if name not in optional}
    assert session_of(event | dict.fromkeys(optional)) == session_of(absent)


@pytest.mark.parametrize("event", [START, UPDATE, END, CLOSED])
def test_unknown_fields_are_ignored(event: dict[str, Any]) -> None:
    unknown = {"v": 1, "firmware": {"version": ["1.2"]}, "offline": True, "note": "{"}
    assert session_of(event | unknown) == session_of(event)


def test_fields_of_another_kind_are_unknown_and_may_be_anything() -> None:
    assert session_of(START | {"energy_kwh": "much", "correction": 3}) == session_of(START)
    assert session_of(CLOSED | {"timestamp": "yesterday"}) == session_of(CLOSED)


def test_of_two_fields_with_one_name_the_last_counts() -> None:
    value = json.dumps(UPDATE)[:-1] + ',"energy_kwh":13}'
    assert session_of(value.encode()).energy_uwh == 13_000_000_000


@pytest.mark.parametrize(
    ("text", "energy_uwh"),
    [
        ("0", 0),
        ("-0", 0),
        ("-0.0", 0),
        ("0.000001", 1_000),
        ("12.345678901", 12_345_678_901),
        ("0.0000000005", 0),
        ("0.0000000015", 2),
        ("0.00000000050000000000000001", 1),
        ("2.25e1", 22_500_000_000),
        ("22.500000000000000000000000000", 22_500_000_000),
        ("1125899.906842625", 1_125_899_906_842_625),
        ("123456789.123456789", 123_456_789_123_456_789),
        ("1000000000", 10**18),
        ("1e-400", 0),
        ("0e999999999999999999999", 0),
        ("7." + "3" * 10_000, 7_333_333_333),
    ],
)
def test_an_energy_is_exactly_its_decimal_text(text: str, energy_uwh: int) -> None:
    value = json.dumps(UPDATE | {"energy_kwh": 0}).replace(
        '"energy_kwh": 0', f'"energy_kwh": {text}'
    )
    assert session_of(value.encode()).energy_uwh == energy_uwh


def test_exactness_survives_unknown_numbers_of_any_size() -> None:
    members = '"energy_kwh":1125899.906842625,"x":1e999999999999999999999,"y":' + "9" * 4300
    value = json.dumps(START | {"event": "session_update"})[:-1] + f",{members}}}"
    assert session_of(value.encode()).energy_uwh == 1_125_899_906_842_625


def test_an_integer_may_be_written_with_a_zero_fraction() -> None:
    assert session_of(json.dumps(UPDATE)[:-1].encode() + b',"seq":4.0}').seq == 4


@pytest.mark.parametrize("station_id", ["a", "A" * 64, "FR*EVC~E1:2.3_4+5@6-7"])
def test_ids_have_1_to_64_of_their_characters(station_id: str) -> None:
    assert session_of(START | {"station_id": station_id}).station_id == station_id


@pytest.mark.parametrize("missing", ["station_id", "session_id", "timestamp"])
@pytest.mark.parametrize("event", [START, UPDATE, END])
def test_what_is_required_is_missed_by_name(event: dict[str, Any], missing: str) -> None:
    without = {name: member for name, member in event.items() if name != missing}
    for bad in (without, without | {missing: None}):
        outcome = session_outcome(bad)
        assert isinstance(outcome, Rejected)
        assert outcome.reason is Reason.MISSING_FIELD
        assert missing in outcome.detail


@pytest.mark.parametrize(
    "missing", ["station_id", "session_id", "start_time", "end_time", "energy_kwh"]
)
def test_a_closed_session_is_whole(missing: str) -> None:
    outcome = session_outcome({name: v for name, v in CLOSED.items() if name != missing})
    assert outcome == Rejected(Reason.MISSING_FIELD, f"{missing} is missing.")


BAD = [
    ("event", "session_pause"),
    ("event", 3),
    ("event", ["session_start"]),
    ("station_id", ""),
    ("station_id", "A" * 65),
    ("station_id", "EV 001"),
    ("station_id", "EV-001\n"),
    ("station_id", "É"),
    ("station_id", 1),
    ("session_id", "a/b"),
    ("timestamp", 1_682_936_130),
    ("timestamp", "yesterday"),
    ("timestamp", "2023-05-01T10:15:30." + "0" * 64 + "Z"),
    ("connector_id", 0),
    ("connector_id", 1001),
    ("connector_id", "1"),
    ("connector_id", 1.5),
    ("connector_id", True),
    ("user_id", "Jane Doe"),
    ("event_id", "x" * 65),
    ("seq", -(2**63) - 1),
    ("seq", 2**63),
    ("seq", 10**400),
    ("energy_kwh", -0.001),
    ("energy_kwh", 1e9 + 1),
    ("energy_kwh", "12.3"),
    ("energy_kwh", True),
    ("energy_kwh", [1]),
    ("meter_kwh", 10**400),
    ("power_kw", 100_001),
    ("power_kw", -100_001),
    ("current_a", "16"),
    ("soc_percent", 100.1),
    ("soc_percent", -1),
    ("charging", 1),
    ("charging", "false"),
]


@pytest.mark.parametrize(("field", "value"), BAD)
def test_a_bad_value_is_rejected_by_name(field: str, value: object) -> None:
    outcome = session_outcome(UPDATE | {field: value})
    assert isinstance(outcome, Rejected)
    assert outcome.reason is Reason.BAD_VALUE
    assert outcome.detail.startswith(field)
    assert len(outcome.detail) <= 300


@pytest.mark.parametrize("seq", [-(2**63), -1, 0, 2**63 - 1])
def test_a_seq_is_any_integer_of_64_bits(seq: int) -> None:
    assert session_of(UPDATE | {"seq": seq}).seq == seq


def test_a_long_reason_is_no_reason_to_lose_an_end() -> None:
    long = session_of(END | {"reason": "x" * 60_000})
    assert long == session_of(END | {"reason": "x" * MAX_KEPT_TEXT})
    assert session_of(END | {"reason": "défaut\n"}).reason == "défaut\n"


@pytest.mark.parametrize("ingest_ms", [-1, -(2**63), 253_402_300_800_000, 2**63 - 1])
def test_a_record_that_kafka_has_at_an_absurd_time_names_the_topics_setting(
    ingest_ms: int,
) -> None:
    for event in (START, UPDATE, END, CLOSED):
        arrival = Arrival(to_bytes(event), timestamp=ingest_ms)
        [outcome] = decode_charging_sessions([arrival], max_bytes=MAX_BYTES)
        assert isinstance(outcome, Rejected)
        assert outcome.reason is Reason.BAD_VALUE
        assert "message.timestamp.type=LogAppendTime" in outcome.detail


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("duration_s", -1),
        ("duration_s", 1e10 + 1),
        ("duration", "60"),
        ("reason", 7),
        ("correction", "true"),
        ("start_time", "2023-05-01"),
    ],
)
def test_a_bad_value_of_an_end_is_rejected_by_name(field: str, value: object) -> None:
    outcome = session_outcome(END | {field: value})
    assert isinstance(outcome, Rejected)
    assert (outcome.reason, outcome.detail.split()[0]) == (Reason.BAD_VALUE, field)


def test_a_duration_cannot_reach_back_before_the_calendar() -> None:
    outcome = session_outcome(END | {"timestamp": "0001-01-01T00:00:01Z", "duration_s": 2})
    assert outcome == Rejected(Reason.BAD_VALUE, "duration_s reaches back to before the year 1.")


@pytest.mark.parametrize("text", ["1e400", "-1e400", "1" + "0" * 400])
def test_a_number_beyond_all_floats_is_a_bad_value(text: str) -> None:
    value = json.dumps(UPDATE).replace("12.3", text)
    outcome = session_outcome(value.encode())
    assert isinstance(outcome, Rejected)
    assert outcome.reason is Reason.BAD_VALUE


@pytest.mark.parametrize(
    ("event", "field"),
    [(UPDATE, "timestamp"), (END, "start_time"), (CLOSED, "start_time"), (CLOSED, "end_time")],
)
class TestInstants:
    def test_may_be_any_time_ago(self, event: dict[str, Any], field: str) -> None:
        session_of(event | {field: "0001-01-01T00:00:00Z"})

    def test_may_be_24_hours_ahead(self, event: dict[str, Any], field: str) -> None:
        session_of(event | {field: "2023-05-02T12:00:00Z"})

    @pytest.mark.parametrize("text", ["2023-05-02T12:00:00.000001Z", "9999-12-31T23:59:59Z"])
    def test_are_not_further_ahead(self, event: dict[str, Any], field: str, text: str) -> None:
        outcome = session_outcome(event | {field: text})
        assert isinstance(outcome, Rejected)
        assert outcome.reason is Reason.TIMESTAMP_IN_FUTURE
        assert outcome.detail.startswith(field)

    def test_name_their_offset(self, event: dict[str, Any], field: str) -> None:
        outcome = session_outcome(event | {field: "2023-05-01T10:15:30"})
        assert isinstance(outcome, Rejected)
        assert outcome.reason is Reason.TIMESTAMP_WITHOUT_ZONE
        assert outcome.detail.startswith(field)


def test_each_kind_of_event_has_a_schema_of_its_own() -> None:
    schemas = json_schema()["$defs"]
    assert schemas["SessionUpdate"]["required"] == [
        "station_id", "session_id", "event", "timestamp",
    ]  # fmt: skip
    assert schemas["ClosedSession"]["required"] == [
        "station_id", "session_id", "start_time", "end_time", "energy_kwh",
    ]  # fmt: skip
    assert "description" in schemas["SessionStart"]["properties"]["seq"]


def test_the_schema_of_the_topic_has_all_kinds() -> None:
    assert set(json_schema()["$defs"]) == {
        "SessionStart", "SessionUpdate", "SessionEnd", "ClosedSession",
    }  # fmt: skip
