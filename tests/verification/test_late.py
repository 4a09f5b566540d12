"""The checker tells which records and decisions came too late, in whatever order a worker read them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from evcharge.domain.billing.decision import Decision, Verdict
from evcharge.domain.quantities import DAY_US
from evcharge.domain.session import Limits
from evcharge.domain.session_record import SessionRecord
from evcharge.events.rejection import Reason, Rejected
from evcharge.events.session_decisions import Decided
from evcharge.testing import NOW_MS, MemoryWorker
from evcharge.verification.letters import Refused
from evcharge.verification.sessions import RECORDS
from evcharge.verification.sources import place_of_dead_letter
from tables.charging_sessions import PRESENT, decode_session, encode_session, session_key
from tests.agents.session_events import END, START
from tests.domain.billing_desk import approve, correct, rerate, void
from tests.domain.session_records import correction, end, minute, start, update
from tests.verification.billed import Billed, tariff

DAY = 24 * 60
FORGOTTEN = {session_key("EV-001", "S1"): PRESENT}


async def test_which_records_are_too_late_is_read_from_what_a_worker_writes(
    evcharge_worker: MemoryWorker,
) -> None:
    await evcharge_worker.send("charging-sessions", START, END, b"no json")
    late_ms = NOW_MS + 100 * 86_400_000
    await evcharge_worker.send("charging-sessions", END | {"reason": "again"}, timestamp_ms=late_ms)
    letters = evcharge_worker.dead_letters
    assert len(letters) == 2
    refused = Refused("charging-sessions", "session-decisions")

    refused.take_up(letters)

    place = place_of_dead_letter(letters[1])
    assert place is not None
    assert refused.late == {(place.partition, place.offset)}
    assert refused.declined == {}


def site(memory_days: int = 100, power: int = 5) -> Billed:
    """Return a partition of one station, whose connector has a rated power in kW."""
    billed = Billed(Limits(memory_us=memory_days * DAY_US))
    billed.publish(tariff("0.50"))
    billed.register(
        tariff_id="T1", connectors=[{"connector_id": 1, "max_power_kw": power}], time_zone="UTC"
    )
    return billed


def expected(billed: Billed) -> list[tuple[int, int]]:
    """Return where the records are of which the checker expects a dead letter; all else is equal."""
    report, checked = billed.checked()
    refused = [place for topic, *place in checked.refused if topic == RECORDS]
    assert list(report.lines()) == []
    assert not report.unchecked
    return sorted((number, offset) for number, offset in refused)


def written(billed: Billed) -> list[tuple[int, int]]:
    """Return where the records are that the worker refused."""
    return sorted(
        (said.partition, said.offset)
        for said, _ in billed.step.refused
        if isinstance(said, SessionRecord)
    )


@pytest.mark.parametrize("day", [100.5, 101, 101.5, 130])
def test_a_reading_is_too_late_for_a_session_that_was_held_until_somebody_decided(
    day: float,
) -> None:
    billed = site()
    # 20 kWh in an hour from 5 kW
    billed.send(start(user_id="U1")._replace(offset=0), end(60, 20)._replace(offset=1))
    billed.decide(approve(2, ingest_us=minute(70)))
    billed.send(update(80)._replace(offset=2, ingest_us=minute(int(day * DAY))))

    assert expected(billed) == written(billed) == [(0, 2)]
    assert (FORGOTTEN.items() <= billed.step.rows.items()) == (day > 101)


def test_a_reading_is_not_too_late_while_the_session_is_held() -> None:
    billed = site()
    billed.send(start(user_id="U1")._replace(offset=0), end(60, 20)._replace(offset=1))
    billed.send(update(80)._replace(offset=2, ingest_us=minute(101 * DAY)))
    billed.decide(approve(2, ingest_us=minute(70)))

    assert expected(billed) == written(billed) == []


def test_a_decision_that_waited_closes_a_session_long_before_its_first_record() -> None:
    billed = site()
    billed.decide(void(1, ingest_us=minute(0)))
    billed.send(start()._replace(offset=0, ingest_us=minute(99 * DAY)))
    billed.send(update(80)._replace(offset=1, ingest_us=minute(100 * DAY)))

    assert expected(billed) == written(billed) == [(0, 1)]


def late() -> tuple[Billed, SessionRecord]:
    """Return a partition with a record that came too late, and that record."""
    billed = site()
    billed.send(start(user_id="U1")._replace(offset=0), end(60, 20)._replace(offset=1))
    billed.decide(approve(2, ingest_us=minute(70)))
    record = update(80)._replace(offset=2, ingest_us=minute(101 * DAY))
    return billed.send(record), record


def test_a_record_that_came_too_late_has_to_have_a_dead_letter() -> None:
    billed, _ = late()
    billed.step.refused = []

    assert expected(billed) == [(0, 2)]


def test_a_dead_letter_of_a_record_that_came_in_time_is_not_expected() -> None:
    billed = site()
    records = [start(user_id="U1")._replace(offset=0), end(60, 4)._replace(offset=1)]
    billed.send(*records)
    billed.step.refused = [(records[0], Rejected(Reason.TOO_LATE, "not so"))]

    assert expected(billed) == []


def test_a_state_that_is_changed_is_found_once_and_the_dead_letter_is_expected_all_the_same() -> (
    None
):
    billed, _ = late()
    key = session_key("EV-001", "S1")
    row = decode_session(billed.step.rows[key])
    state = row.state._replace(last_us=minute(61))
    rows = billed.step.rows | {key: encode_session(structs.replace(row, state=state))}

    report, checked = billed.checked(rows=rows)

    assert sorted(sort for _, sort in report.differences.elements()) == ["changed"]
    assert list(checked.refused) == [(RECORDS, 0, 2)]


@pytest.mark.parametrize("is_rerouted_first", [False, True])
def test_in_which_order_a_forgotten_session_was_read_is_told_by_what_was_sealed(
    is_rerouted_first: bool,
) -> None:
    billed = site()
    rerouted = start(user_id="U1")._replace(partition=1, offset=7)
    direct = end(60, 4)._replace(offset=0)
    for record in [rerouted, direct] if is_rerouted_first else [direct, rerouted]:
        billed.send(record)
    billed.send(update(5)._replace(offset=1, ingest_us=minute(103 * DAY)))

    assert expected(billed) == written(billed) == [(0, 1)]
    assert FORGOTTEN.items() <= billed.step.rows.items()


def test_a_decision_that_was_read_a_day_too_late_may_meet_a_marker_and_nothing_else_may() -> None:
    billed = site()
    billed.send(start(user_id="U1")._replace(offset=0), end(60, 4)._replace(offset=1))
    billed.send(start()._replace(session_id="S2", offset=2, ingest_us=minute(103 * DAY)))
    billed.decide(void(2, ingest_us=minute(DAY)))
    ((_, rejected),) = billed.step.refused

    assert rejected.reason is Reason.TOO_LATE
    assert expected(billed) == []

    remembered = site()
    remembered.send(*billed.records[:2]).decide(*billed.decisions)
    remembered.step.refused = [(Decided("EV-001", "S1", *billed.decisions), rejected)]
    assert remembered.sorts() == ["surplus"]


def test_without_rerouted_records_no_record_in_time_can_have_met_a_marker() -> None:
    billed = site()
    reading = update(80)._replace(offset=2, ingest_us=minute(90))
    billed.send(start(user_id="U1")._replace(offset=0), end(60, 4)._replace(offset=1), reading)
    billed.send(start()._replace(session_id="S2", offset=3, ingest_us=minute(103 * DAY)))
    billed.step.refused = [(reading, Rejected(Reason.TOO_LATE, "not so"))]
    assert FORGOTTEN.items() <= billed.step.rows.items()

    assert expected(billed) == []


@pytest.mark.parametrize("is_decision_first", [False, True])
def test_a_session_is_forgotten_that_was_decided_about_days_from_when_it_was_read(
    is_decision_first: bool,
) -> None:
    billed = site(memory_days=10)
    records = [start(user_id="U1")._replace(offset=0), end(60, 20)._replace(offset=1)]
    days = 0 if is_decision_first else 5
    records = [each._replace(ingest_us=each.ingest_us + days * DAY_US) for each in records]
    decision = approve(2, ingest_us=minute((5 - days) * DAY))
    billed.decide(decision).send(*records) if is_decision_first else billed.send(*records).decide(
        decision
    )
    for offset, day in enumerate([12, 24], 2):
        assert not FORGOTTEN.items() <= billed.step.rows.items()
        other = start()._replace(session_id="S2", offset=offset, ingest_us=minute(day * DAY))
        billed.send(other)
        assert expected(billed) == written(billed) == []

    assert FORGOTTEN.items() <= billed.step.rows.items()


def test_whatever_comes_last_may_be_what_a_session_was_forgotten_at() -> None:
    billed = site()
    billed.send(start(user_id="U1")._replace(offset=0), end(60, 4)._replace(offset=1))
    billed.pass_by(minute(103 * DAY))

    assert FORGOTTEN.items() <= billed.step.rows.items()
    assert expected(billed) == []


KINDS = {
    "start": lambda: start(user_id="U1"),
    "earlier start": lambda: start(-60, user_id="U2"),
    "reading": lambda: update(50, 2),
    "behind the end": lambda: update(80),
    "end": lambda: end(60, 4),
    "much": lambda: end(60, 20),
    "other end": lambda: end(70, 4, user_id="U2"),
    "correction": lambda: correction(60, 5),
}
DAYS = [0.0, 0.01, 1, 5, 9.99, 10, 10.01, 11.5]
"""Around the ten days for which sessions are remembered here."""


@st.composite
def decisions(draw: st.DrawFn) -> list[Decision]:
    """Draw decisions, some of which wait, over as many days."""
    made: list[Decision] = []
    day = 0.0
    for offset in range(draw(st.integers(0, 3))):
        day += draw(st.sampled_from(DAYS))
        verdict, revision = draw(st.sampled_from(Verdict)), draw(st.integers(1, 4))
        one = {
            Verdict.APPROVE: approve(revision),
            Verdict.VOID: void(revision),
            Verdict.CORRECT: correct(revision, 4),
            Verdict.RERATE: rerate(revision, "0.20")._replace(
                document=tariff("0.20", "TX").decode()
            ),
        }[verdict]
        at_us = minute(100 + int(day * DAY))
        made.append(one._replace(decision_id=f"D{offset}", offset=offset, ingest_us=at_us))
    return made


@given(
    st.lists(
        st.tuples(st.sampled_from(sorted(KINDS)), st.sampled_from(DAYS), st.booleans()),
        min_size=1,
        max_size=6,
    ),
    decisions(),
    st.lists(st.booleans(), max_size=9),
    st.booleans(),
)
def test_whatever_comes_too_late_in_whatever_order_it_was_read_is_told(
    arriving: list[tuple[str, float, bool]],
    log: list[Decision],
    order: list[bool],
    is_rated_low: bool,
) -> None:
    billed = site(memory_days=10, power=5 if is_rated_low else 50)
    day = 0.0
    records: list[SessionRecord] = []
    for offset, (kind, days, also_another) in enumerate(arriving):
        day += days
        at_us = minute(100 + int(day * DAY))
        records.append(KINDS[kind]()._replace(offset=2 * offset, ingest_us=at_us))
        if also_another:
            others = start()._replace(session_id=f"T{offset}", offset=2 * offset + 1)
            records.append(others._replace(ingest_us=at_us))
    for is_record in order:
        if is_record and records:
            billed.send(records.pop(0))
        elif log:
            billed.decide(log.pop(0))
    billed.send(*records).decide(*log) if records else billed.decide(*log)

    assert expected(billed) == written(billed)
