"""The register of stations, in memory and on disk."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evcharge.domain.station_register import RegisterEntry, have_same_terms, valid_entry
from evcharge.events.rejection import Reason, Rejected
from evcharge.events.stations import parse_station
from evcharge.reference.feed import Position, ReferenceRecord
from evcharge.reference.register import Register
from evcharge.storage.errors import StoreInUseError
from evcharge.storage.rocks_partition import RocksPartition


def station(station_id: str, **facts: object) -> bytes:
    return json.dumps({"station_id": station_id, **facts}).encode()


def record(offset: int, station_id: str | None, value: bytes | None) -> ReferenceRecord:
    key = None if station_id is None else station_id.encode()
    return ReferenceRecord(offset, 1_000 + offset, key, value)


@pytest.fixture(params=["memory", "rocksdb"])
def register(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Register]:
    one = Register.in_memory() if request.param == "memory" else Register.at(tmp_path)
    yield one
    one.close()


def test_a_station_is_found_with_every_fact(register: Register) -> None:
    value = station(
        "EV-001",
        name="Markt",
        latitude=52.5,
        longitude=13.4,
        time_zone="Europe/Berlin",
        site_id="S1",
        tariff_id="T1",
        connectors=[{"connector_id": 1, "evse_id": "1", "max_power_kw": 22.1}],
    )
    register.apply([record(0, "EV-001", value)])
    found = register.get("EV-001")
    assert found is not None
    assert (found.name, found.latitude, found.longitude) == ("Markt", 52.5, 13.4)
    assert (found.time_zone, found.site_id, found.tariff_id) == ("Europe/Berlin", "S1", "T1")
    assert [(c.connector_id, c.evse_id, c.max_power_mw) for c in found.connectors] == [
        (1, "1", 22_100_000)
    ]


def test_an_unregistered_station_is_none(register: Register) -> None:
    assert register.get("EV-001") is None


def test_the_last_record_of_a_station_counts(register: Register) -> None:
    register.apply([record(0, "A", station("A", name="old")), record(1, "A", station("A"))])
    register.apply([record(2, "A", station("A", name="new"))])
    found = register.get("A")
    assert found is not None
    assert found.name == "new"
    assert len(register) == 1


def test_a_read_entry_is_not_stale_after_the_next_record(register: Register) -> None:
    assert register.get("A") is None
    register.apply([record(0, "A", station("A", name="now"))])
    found = register.get("A")
    assert found is not None
    assert found.name == "now"


def test_a_null_value_removes_the_station(register: Register) -> None:
    register.apply([record(0, "A", station("A")), record(1, "B", station("B"))])
    register.apply([record(2, "A", None), record(3, "never-there", None)])
    assert register.get("A") is None
    assert list(register.ids()) == ["B"]
    assert len(register) == 1


def test_removing_and_adding_in_one_batch_ends_registered(register: Register) -> None:
    register.apply([record(0, "A", None), record(1, "A", station("A"))])
    assert (list(register.ids()), len(register)) == (["A"], 1)


def test_a_version_begins_when_the_terms_change_and_earlier_sessions_keep_theirs(
    register: Register,
) -> None:
    entries = [
        station("A", tariff_id="T1"),
        station("A", tariff_id="T1", name="renamed"),
        station("A", tariff_id="T2"),
        None,
        station("A", time_zone="Asia/Tokyo"),
    ]
    for offset, value in enumerate(entries):
        register.apply([record(offset, "A", value)])

    valid = {at_ms: _valid(register, at_ms) for at_ms in (0, 1_000, 1_001, 1_002, 1_003, 1_004)}

    t1, t2, last = ("T1", None, "renamed"), ("T2", None, None), (None, "Asia/Tokyo", None)
    assert valid == {0: t1, 1_000: t1, 1_001: t1, 1_002: t2, 1_003: None, 1_004: last}
    assert _valid(register, -5) == t1
    assert register.get("A") == register.valid_at("A", 9_000_000)


def _valid(register: Register, at_ms: int) -> tuple[str | None, str | None, str | None] | None:
    found = register.valid_at("A", at_ms * 1_000)
    return None if found is None else (found.tariff_id, found.time_zone, found.name)


_said = st.sampled_from(
    [
        None,
        station("A"),
        station("A", tariff_id="T1"),
        station("A", tariff_id="T1", name="other words"),
        station("A", time_zone="Asia/Tokyo"),
        station("A", connectors=[{"connector_id": 1, "max_power_kw": 22}]),
        station("A", connectors=[{"connector_id": 1}]),
    ]
)


@given(
    st.lists(st.tuples(st.integers(0, 3), _said), min_size=1, max_size=8),
    st.lists(st.booleans(), min_size=8, max_size=8),
)
def test_what_was_valid_follows_from_all_entries_however_they_were_read(
    said: list[tuple[int, bytes | None]], cuts: list[bool]
) -> None:
    register, entries, batch = Register.in_memory(), [], []
    at_ms = 1_000
    for offset, (later_ms, value) in enumerate(said):
        at_ms += later_ms
        batch.append(ReferenceRecord(offset, at_ms, b"A", value))
        if value is not None:
            parsed = parse_station(value)
            assert not isinstance(parsed, Rejected)
            entries.append(RegisterEntry(at_ms * 1_000, parsed.registered()))
        elif entries:
            entries.append(RegisterEntry(at_ms * 1_000, None))
        if cuts[offset]:
            register.apply(batch)
            batch = []
    if batch:
        register.apply(batch)

    for instant_us in range(999_000, (at_ms + 2) * 1_000, 500):
        found = register.valid_at("A", instant_us)
        assert have_same_terms(found, valid_entry(entries, instant_us))
    assert register.get("A") == (entries[-1].station if entries else None)
    assert len(register) == (register.get("A") is not None)


def test_versions_of_one_station_are_not_those_of_another(register: Register) -> None:
    names = ["A", "A-1", "A0"]
    for offset, tariff_id in enumerate(("T1", "T2")):
        values = [station(name, tariff_id=f"{name}-{tariff_id}") for name in names]
        register.apply([record(9 * offset, n, v) for n, v in zip(names, values, strict=True)])
    for name in names:
        found = register.valid_at(name, 1_005_000)
        assert found is not None
        assert found.tariff_id == f"{name}-T1"


def test_versions_survive_a_restart(tmp_path: Path) -> None:
    before = Register.at(tmp_path)
    before.apply([record(0, "A", station("A", tariff_id="T1")), record(5, "A", None)])
    before.close()

    after = Register.at(tmp_path)

    assert (_valid(after, 1_004), _valid(after, 1_005)) == (("T1", None, None), None)
    after.close()


def test_ids_are_sorted_and_go_on_after_a_given_one(register: Register) -> None:
    names = ["B", "A-2", "A", "a", "A.1"]
    register.apply([record(n, name, station(name)) for n, name in enumerate(names)])
    assert list(register.ids()) == sorted(names)
    assert list(register.ids(after="A-2")) == ["A.1", "B", "a"]
    assert list(register.ids(after="A-3")) == ["A.1", "B", "a"]


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        (b"A", b"\xff", Reason.NOT_JSON),
        (b"A", b"[]", Reason.NOT_AN_OBJECT),
        (b"A", b'{"name":"x"}', Reason.MISSING_FIELD),
        (b"A", b'{"station_id":"A","latitude":91,"longitude":0}', Reason.BAD_VALUE),
        (b"B", b'{"station_id":"A"}', Reason.BAD_VALUE),
        (None, None, Reason.NO_VALUE),
        (b"\xff", None, Reason.BAD_VALUE),
    ],
)
def test_an_invalid_record_is_counted_and_kept_out(
    register: Register, key: bytes | None, value: bytes | None, reason: Reason
) -> None:
    register.apply([ReferenceRecord(0, 1_000, key, value), record(1, "Z", station("Z"))])
    assert list(register.ids()) == ["Z"]
    assert register.refusals.count == {reason: 1}
    assert register.position == Position(1, 1_001)


def test_a_record_without_a_key_registers_its_station(register: Register) -> None:
    register.apply([record(0, None, station("A"))])
    assert register.get("A") is not None


def test_the_register_survives_a_restart_with_its_position(tmp_path: Path) -> None:
    before = Register.at(tmp_path)
    assert before.position is None
    before.apply([record(0, "A", station("A", name="kept")), record(5, "B", station("B"))])
    before.close()

    after = Register.at(tmp_path)

    found = after.get("A")
    assert found is not None
    assert found.name == "kept"
    assert (len(after), after.position) == (2, Position(5, 1_005))
    after.close()


@pytest.mark.parametrize("about", [b"junk", b"\x93\x00\x00\x00"], ids=["illegible", "other format"])
def test_rows_of_another_format_are_read_anew(tmp_path: Path, about: bytes) -> None:
    store = RocksPartition(tmp_path / "stations")
    store.write({b"about": about, b"sA": b"\x91\xa1A"}, 7)
    store.close()

    register = Register.at(tmp_path)

    assert (list(register.ids()), len(register), register.position) == ([], 0, None)
    register.close()


def test_two_workers_cannot_share_a_directory(tmp_path: Path) -> None:
    first = Register.at(tmp_path)
    with pytest.raises(StoreInUseError, match="EVCHARGE_DATA_DIR"):
        Register.at(tmp_path)
    first.close()


def test_many_reads_keep_few_entries_in_memory(register: Register) -> None:
    register.apply([record(n, f"S{n}", station(f"S{n}")) for n in range(3_000)])
    for station_id in list(register.ids()):
        assert register.get(station_id) is not None
    assert len(register._cache) <= 2_000
