"""What the agent writes: the same rows in any order and any chunks, and few bytes for each record."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evcharge.domain.quantities import parse_timestamp
from evcharge.domain.session import HeldReason, Lifecycle, Limits, SessionState, fold
from evcharge.domain.session.order import distinct
from evcharge.domain.session_record import SessionRecord
from tables.charging_sessions import (
    PRESENT,
    SessionRow,
    decode_session,
    index_key,
    open_key,
    session_key,
    stored_records,
)
from tables.update_bytes import ID_BYTES, UPDATE_BYTES
from tests.agents.memory_step import MemoryStep
from tests.domain import strategies
from tests.domain.billing_desk import FakeDesk
from tests.domain.session_records import (
    LIMITS,
    correction,
    end,
    kwh,
    minute,
    session,
    start,
    update,
)

IDS = ("EV-001", "S1")
USER = "0123456789abcdef0123456789abcdef"


def row(step: MemoryStep, *ids: str) -> SessionRow:
    station_id, session_id = ids or IDS
    return decode_session(step.rows[session_key(station_id, session_id)])


def kept(step: MemoryStep) -> list[SessionRecord]:
    return stored_records(step, *IDS, row(step))


@settings(max_examples=300, deadline=None)
@given(strategies.arrivals(), strategies.small_limits)
def test_any_order_repeats_and_chunks_end_in_the_same_session_through_rows(
    chunks: list[list[SessionRecord]], limits: Limits
) -> None:
    records = [record for chunk in chunks for record in chunk]
    step, one_by_one = MemoryStep(limits), MemoryStep(limits)
    for chunk in chunks:
        step.take(*chunk)
    for record in records:
        one_by_one.take(record)
    expected = fold(records, limits)
    assert row(step).state == expected
    assert (step.rows.get(open_key(*IDS)) == PRESENT) is (expected.ended_us is None)
    assert step.rows[index_key("S1", "EV-001")] == PRESENT
    assert kept(step) == kept(one_by_one)
    if expected.witnesses is None:
        assert distinct(kept(step)) == distinct(records)
    else:
        assert len(distinct(kept(step))) == limits.max_readings
    assert step.refused == []


@settings(max_examples=60, deadline=None)
@given(st.lists(strategies.adversarial_records, min_size=1, max_size=4), strategies.small_limits)
def test_every_permutation_and_every_cut_of_a_small_set_ends_in_the_same_session(
    records: list[SessionRecord], limits: Limits
) -> None:
    states: set[SessionState] = set()
    for order in itertools.permutations(records):
        for cut in range(len(order)):
            step = MemoryStep(limits)
            for chunk in filter(None, (order[:cut], order[cut:])):
                step.take(*chunk)
            step.take(*records)  # all of them once more
            states.add(row(step).state)
    assert states == {fold(records, limits)}


@settings(max_examples=200, deadline=None)
@given(
    strategies.arrivals(),
    st.sampled_from(["0", "0.50"]),
    st.booleans(),
    st.sampled_from([20_000, 4]),
)
def test_what_is_sealed_and_invoiced_is_the_same_whatever_the_chunks(
    chunks: list[list[SessionRecord]], price: str, doubtful: bool, most: int
) -> None:
    sealed = []
    records = list(itertools.chain.from_iterable(chunks))
    for cut in (chunks, [[each] for each in records], [records]):
        desk = FakeDesk(price)
        desk.doubtful = doubtful
        step = MemoryStep(Limits(max_readings=most), desk)
        for chunk in cut:
            step.take(*chunk)
        sealed.append((step.emitted, row(step).account, row(step).completed_us))
    assert sealed[0] == sealed[1] == sealed[2]


NAMED = update(80, user_id="U1", ingest=90)
LATER_END = end(60, 4.0, ingest=75)
OVER_POWER = [start(user_id="U1"), end(60, 10.0)]
NAMELESS = [start(), LATER_END]


def test_a_session_is_remembered_for_100_days_from_its_last_bill_on() -> None:
    desk, days = FakeDesk(), 24 * 60
    desk.doubtful = True
    step = MemoryStep(LIMITS, desk)
    step.take(start(), end(60, 5.0))
    step.take(update(1, 3.9, ingest=1 * days))
    assert row(step).completed_us is None
    # It was held, so it is not too late; and whoever gets the invoice may complain.
    step.take(start(-60, user_id="U1", ingest=200 * days))
    assert row(step).completed_us == minute(200 * days)


@pytest.mark.parametrize(
    ("records", "repeated", "at"),
    [
        ([*OVER_POWER, correction(60, 4.0, ingest=70)], 2, 70),
        ([*NAMELESS, NAMED], 2, 90),
        ([*NAMELESS, NAMED], 1, 90),
        ([start(), end(50, 4.0), correction(60, 4.0, user_id="U1", ingest=95)], 1, 95),
    ],
    ids=["cures a doubt", "names the user", "end", "changes the end"],
)
def test_what_a_repeat_came_with_is_billed_at_the_record_that_counts(
    records: list[SessionRecord], repeated: int, at: int
) -> None:
    # It came to another partition first, but was forwarded later; or much later.
    for ingest_us in (minute(61), minute(99), minute(40)):
        repeat = records[repeated]._replace(ingest_us=ingest_us, partition=1, offset=1)
        arriving, written, issued = [*records, repeat], [], ""
        for cut in ((4,), (3, 4), (2, 4), (1, 2, 3, 4)):
            desk = FakeDesk()
            desk.doubtful = True
            step = MemoryStep(LIMITS, desk)
            for first, behind in itertools.pairwise((0, *cut)):
                step.take(*arriving[first:behind])
            written.append((step.emitted, row(step).account, row(step).completed_us))
            issued = step.invoices[0]["issued_at"]
            assert issued == step.sealed[-1]["completed_at"]
        assert written.count(written[0]) == len(written)
        assert parse_timestamp(issued) == minute(at)


@pytest.mark.parametrize("ingest", [60, 100])
def test_a_repeat_seals_no_session_whose_tariff_has_become_known(ingest: float) -> None:
    records = [start(user_id="U1"), end(60, 10.0)]
    repeat = records[1]._replace(ingest_us=minute(ingest), offset=0)
    reading = update(70, 10.0, ingest=110)
    for chunks in ([[repeat], [reading]], [[repeat, reading]]):
        desk = FakeDesk(price=None)
        step = MemoryStep(LIMITS, desk)
        step.take(*records)
        desk.price = "0.50"
        for chunk in chunks:
            step.take(*chunk)
        (invoice,) = step.invoices
        assert parse_timestamp(invoice["issued_at"]) == minute(110)


def costs_of_updates(length: int, count: int, **fields: Any) -> list[int]:
    """Return the bytes that each update of a session writes, whose ids have so many characters."""
    step = MemoryStep(LIMITS)
    station_id, session_id, user_id = (letter * length for letter in "ESU")
    costs = []
    for number, reading in enumerate(
        [
            start(meter=4076.123, user_id=user_id, connector_id=1),
            *(update(each / 6, 5 + each / 1000, **fields, seq=each) for each in range(1, count)),
        ]
    ):
        costs.append(
            step.take(
                reading._replace(
                    station_id=station_id, session_id=session_id, offset=4_000_000_000 + number
                )
            )
        )
    assert row(step, station_id, session_id).state.revision == count
    assert row(step, station_id, session_id).state.lifecycle is Lifecycle.ACTIVE
    return costs[1:]


ALL_FIELDS = {
    "power_mw": 149_900_000,
    "current_ua": 216_000_000,
    "soc_millionths": 80_500_000,
    "charging": True,
    "connector_id": 1,
}


@pytest.mark.parametrize("meter", [None, 5076.123], ids=["energy", "both"])
@pytest.mark.parametrize("fields", [{}, ALL_FIELDS], ids=["few fields", "all fields"])
@pytest.mark.parametrize("length", [6, 16, 36])
def test_an_update_in_order_writes_at_most_300_bytes_whatever_came_before(
    length: int, fields: dict[str, Any], meter: float | None
) -> None:
    # With blocks that become full, which every update does where ids are as long as UUIDs.
    costs = costs_of_updates(length, 2_000, meter=meter, **fields)
    assert max(costs) <= UPDATE_BYTES == 300


def test_an_update_in_order_writes_at_most_300_bytes_up_to_the_last_reading() -> None:
    assert max(costs_of_updates(36, LIMITS.max_readings, **ALL_FIELDS)) <= UPDATE_BYTES


def test_ids_of_64_characters_cost_a_byte_for_each_that_is_too_many() -> None:
    costs = costs_of_updates(64, 2_000, meter=5076.123, **ALL_FIELDS)
    assert UPDATE_BYTES < max(costs) <= UPDATE_BYTES + 3 * 64 - ID_BYTES == 370


def test_a_session_beyond_20_000_readings_is_held_and_costs_no_more_for_each_further_one() -> None:
    step = MemoryStep(LIMITS)
    step.take(start(user_id=USER), *(update(each / 6, each / 1000) for each in range(1, 20_000)))
    assert row(step).state.lifecycle is Lifecycle.ACTIVE
    rows = len(step.rows)
    sizes = [step.take(update(4000 + each, 20 + each / 1000)) for each in range(200)]
    state = row(step).state
    assert (state.lifecycle, state.held_reasons) == (
        Lifecycle.HELD,
        (HeldReason.TOO_MANY_READINGS,),
    )
    # One by which it is found to be held; nothing for further readings.
    assert len(step.rows) == rows + 1
    assert max(sizes) == max(sizes[:5]) <= 600


def test_a_new_start_on_a_connector_whose_session_never_ended_keeps_both_sessions() -> None:
    # A power cut: S1 has no end. The next car gets S2 on the same connector.
    step = MemoryStep(LIMITS)
    first = [start(connector_id=1, user_id="U1"), update(10, 2)]
    second = [
        each._replace(session_id="S2")
        for each in (start(30, connector_id=1, user_id="U2"), update(40, 1), end(60, 3))
    ]
    for arrivals in itertools.permutations([*first, *second]):
        step = MemoryStep(LIMITS)
        for record in arrivals:
            step.take(record)
        one, other = row(step, "EV-001", "S1").state, row(step, "EV-001", "S2").state
        assert (one.lifecycle, one.energy_uwh, one.user_id) == (Lifecycle.ACTIVE, kwh(2), "U1")
        assert (other.lifecycle, other.energy_uwh) == (Lifecycle.COMPLETED, kwh(3))
        assert [each["session_id"] for each in step.sealed] == ["S2"]
    # Its end, found days later, completes the first as if nothing had been in between.
    step.take(end(20, 2.5, ingest=5000))
    assert row(step, "EV-001", "S1").state == session(*first, end(20, 2.5, ingest=5000))
    assert row(step, "EV-001", "S2").state.energy_uwh == kwh(3)
