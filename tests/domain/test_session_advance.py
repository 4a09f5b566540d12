"""A session is a function of the set of its records, whichever way they arrive."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evcharge.domain.session import Limits, SessionState, advance, fold
from evcharge.domain.session_record import SessionRecord
from tests.domain import strategies
from tests.domain.session_records import LIMITS, closed, correction, end, session, start, update


class Store:
    """A session as a table keeps it: its state, and what was appended; counts how often it is read."""

    def __init__(self, limits: Limits = LIMITS) -> None:
        self.limits = limits
        self.state: SessionState | None = None
        self.records: list[SessionRecord] = []
        self.reads = 0

    def _stored(self) -> Sequence[SessionRecord]:
        self.reads += 1
        return list(self.records)

    def take(self, *new: SessionRecord) -> Sequence[SessionRecord]:
        self.state, appended = advance(self.state, new, self._stored, self.limits)
        self.records += appended
        return appended


@settings(max_examples=400, deadline=None)
@given(strategies.arrivals(), strategies.small_limits)
def test_any_order_any_duplicates_any_chunks_give_the_fold_of_the_set(
    chunks: list[list[SessionRecord]], limits: Limits
) -> None:
    store = Store(limits)
    for chunk in chunks:
        store.take(*chunk)
    assert store.state == fold([record for chunk in chunks for record in chunk], limits)


@settings(max_examples=200, deadline=None)
@given(strategies.arrivals())
def test_what_was_appended_has_the_same_fold_as_what_arrived(
    chunks: list[list[SessionRecord]],
) -> None:
    store = Store()
    for chunk in chunks:
        store.take(*chunk)
    assert fold(store.records, LIMITS) == store.state


@settings(max_examples=100, deadline=None)
@given(st.lists(strategies.adversarial_records, min_size=1, max_size=4), strategies.small_limits)
def test_every_permutation_of_a_small_set_gives_the_same_session(
    records: list[SessionRecord], limits: Limits
) -> None:
    states = set()
    for order in permutations(records):
        store = Store(limits)
        for record in order:
            store.take(record)
        states.add(store.state)
    assert states == {fold(records, limits)}


@settings(max_examples=200, deadline=None)
@given(strategies.record_sets, strategies.small_limits, st.data())
def test_a_pure_duplicate_changes_nothing_and_is_not_kept(
    records: list[SessionRecord], limits: Limits, data: st.DataObject
) -> None:
    store = Store(limits)
    store.take(*records)
    before = store.state
    record = data.draw(st.sampled_from(records))
    later = record._replace(ingest_us=record.ingest_us + 10**12, offset=99)
    assert not store.take(record, later, record)
    assert store.state == before


def test_updates_in_order_never_read_what_is_stored() -> None:
    store = Store()
    store.take(start(meter=100))
    store.take(update(1, 0.5), update(2, 1), update(2, 1.1, seq=1))
    store.take(end(3, 2))
    store.take(update(4, 3))
    assert store.reads == 0
    assert store.state == fold(store.records, LIMITS)
    assert len(store.records) == 6


def test_a_repeat_right_behind_its_record_in_a_chunk_is_not_kept_and_reads_nothing() -> None:
    store = Store()
    store.take(start())
    reading = update(1, 0.5)
    assert store.take(reading, reading._replace(offset=10**6), update(2, 1))[0] is reading
    assert (store.reads, len(store.records)) == (0, 3)


@pytest.mark.parametrize(
    "late",
    [
        update(1.5, 0.7),
        update(2, 1),
        start(3),
        end(3, 4),
        closed(3, 4),
        correction(3, 4),
    ],
    ids=["reading-in-between", "repeat", "start", "second-end", "closed", "correction"],
)
def test_a_record_that_can_change_what_came_before_it_is_folded_with_all_others(
    late: SessionRecord,
) -> None:
    store = Store()
    store.take(start(), update(1, 0.5), update(2, 1), end(2.5, 2))
    store.take(late)
    assert store.reads == 1
    assert store.state == fold([*store.records, late], LIMITS)


def test_a_repeat_that_was_ingested_earlier_is_kept_and_moves_the_ingest_time() -> None:
    # A record that sat in a wrong partition keeps its first ingest time when it is forwarded.
    store = Store()
    first = update(1, 0.5, ingest=50)
    store.take(start(), first)
    forwarded = first._replace(ingest_us=first.ingest_us - 1_000_000, partition=1)
    assert store.take(forwarded) == [forwarded]
    assert store.state is not None
    assert store.state.updated_us == forwarded.ingest_us
    assert store.state.revision == 2


def test_a_repeat_right_behind_its_record_that_was_ingested_earlier_is_kept_too() -> None:
    store = Store()
    store.take(start())
    late, early = update(1, 0.5, ingest=9), update(1, 0.5, ingest=2)
    assert store.take(late, early) == [late, early]
    assert store.state is not None
    assert store.state.updated_us == early.ingest_us


def test_of_a_record_and_its_repeats_in_one_chunk_the_same_are_kept_as_one_by_one() -> None:
    store = Store()
    late, early = update(1, 0.5, ingest=9), update(1, 0.5, ingest=2)
    assert list(store.take(late, early, late)) == [late, early]


def test_appended_records_are_in_the_order_of_their_arrival() -> None:
    store = Store()
    records = [update(3, 3), start(), end(4, 4), update(1, 1)]
    assert list(store.take(*records)) == records
    more = [update(2, 2), update(5, 5), update(0.5, 0.5)]
    assert list(store.take(*more)) == more


def test_the_stored_state_of_a_long_running_session_is_small() -> None:
    state = session(
        start(user_id="0123456789abcdef0123456789abcdef", connector_id=1, meter=4076.123),
        *(update(i, meter=4076.123 + i, power_mw=150_000_000, seq=i) for i in range(1, 300)),
    )
    fields = list(state)
    while fields[-1] is None:
        fields.pop()
    assert len(msgspec.msgpack.encode(fields)) <= 140


def test_a_state_comes_back_equal_from_a_table() -> None:
    limits = Limits(max_readings=2)
    state = session(start(user_id="U1"), update(1, 1), end(2, 2), limits=limits)
    encoded = msgspec.msgpack.encode(state)
    assert msgspec.msgpack.decode(encoded, type=SessionState) == state


def test_no_record_is_no_session() -> None:
    with pytest.raises(ValueError, match="at least one record"):
        fold([], LIMITS)
