"""A session is sealed as it was at the record that completed it, wherever chunks are cut."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import pytest
from hypothesis import example, given

from evcharge.domain.session import (
    Completion,
    Lifecycle,
    Limits,
    SessionState,
    advance,
    advance_unsealed,
    fold,
)
from evcharge.domain.session import sealing as rules
from evcharge.domain.session_record import SessionRecord
from tests.domain.session_records import LIMITS, end, start, update
from tests.domain.strategies import arrivals, small_limits


def seal(
    chunks: Sequence[Sequence[SessionRecord]], limits: Limits = LIMITS
) -> tuple[SessionState, list[Completion]]:
    """Take the chunks up as the agent does; return the last state and what was sealed."""
    state: SessionState | None = None
    stored: list[SessionRecord] = []
    sealed: list[Completion] = []
    for chunk in chunks:
        if sealed:
            (state, appended), completion = advance(state, chunk, lambda: stored, limits), None
        else:
            (state, appended), completion = advance_unsealed(state, chunk, lambda: stored, limits)
        stored.extend(appended)
        if completion:
            sealed.append(completion)
    assert state is not None
    return state, sealed


def one_by_one(records: Sequence[SessionRecord], limits: Limits) -> Completion | None:
    """Return the first completion by the definition: fold after every record."""
    for upto, record in enumerate(records, 1):
        state = fold(records[:upto], limits)
        if state.lifecycle is Lifecycle.COMPLETED:
            return Completion(state, record.ingest_us)
    return None


def cuts(records: Sequence[SessionRecord]) -> list[list[list[SessionRecord]]]:
    """Return the records cut into chunks in every way."""
    places = range(1, len(records))
    return [
        [list(records[a:b]) for a, b in itertools.pairwise([0, *chosen, len(records)])]
        for count in range(len(records))
        for chosen in itertools.combinations(places, count)
    ]


@given(chunks=arrivals(), limits=small_limits)
@example(chunks=[[start(0), end(5, 1.0), end(6, 2.0)]], limits=LIMITS)
def test_what_is_sealed_is_what_folding_after_every_record_finds_first(
    chunks: list[list[SessionRecord]], limits: Limits
) -> None:
    records = [record for chunk in chunks for record in chunk]
    expected = one_by_one(records, limits)
    state, sealed = seal(chunks, limits)
    assert sealed == ([] if expected is None else [expected])
    assert state == fold(records, limits)


@pytest.mark.parametrize(
    "records",
    [
        [start(0), update(1, 1.0), end(5, 2.0), update(3, 1.5), update(6, 2.0)],
        [end(5, 2.0), update(3, 1.0), start(0), update(4, 1.5), end(7, 3.0)],
        [start(0), update(3, 9.0), end(5, 2.0), update(4, 9.5), end(6, 9.5, correction=True)],
        [start(0), end(5, 2.0), end(6, 2.5), end(7, 2.6, correction=True), start(0)],
        [end(5, None), update(3, 1.0), start(0), start(1), update(2, 0.5)],
    ],
)
def test_every_cut_of_the_same_arrivals_seals_the_same(records: list[SessionRecord]) -> None:
    expected = one_by_one(records, LIMITS)
    assert expected is not None
    for chunks in cuts(records):
        assert seal(chunks) == (fold(records, LIMITS), [expected])


def test_a_conflict_that_follows_in_the_same_chunk_does_not_hold_back_the_seal() -> None:
    state, sealed = seal([[start(0), end(5, 1.0), end(6, 2.0)]])
    assert state.lifecycle is Lifecycle.HELD
    assert [each.state for each in sealed] == [fold([start(0), end(5, 1.0)], LIMITS)]


def test_a_held_session_is_sealed_with_the_record_that_was_missing() -> None:
    late = start(0, ingest=90)
    _, sealed = seal([[update(1, 1.0), end(5, 2.0)], [update(2, 1.5), late, update(3, 1.7)]])
    (completion,) = sealed
    assert completion.completed_us == late.ingest_us
    assert completion.state.revision == 4


def test_a_session_held_for_good_is_never_sealed() -> None:
    _, sealed = seal([[start(0, user_id="U1"), end(5, 1.0, user_id="U2")], [start(1), end(5, 1.0)]])
    assert sealed == []


def test_late_readings_that_cannot_cure_a_session_are_folded_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls: list[int] = []

    def counted(*arguments: object) -> object:
        calls.append(1)
        return advance(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(rules, "advance", counted)
    late = [update(each, each / 100) for each in range(200, 0, -1)]
    _, sealed = seal([[end(300, 5.0), *late, start(0)]])
    assert len(sealed) == 1
    assert len(calls) <= 4
