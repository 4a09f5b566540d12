"""Records that follow in the usual way are taken up in one pass, and mean what they mean in order."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evcharge.domain.session import Limits, advance, advance_unsealed
from evcharge.domain.session.order import END_RANK
from evcharge.domain.session.reduce import follow, reduce
from evcharge.domain.session.state import EMPTY
from evcharge.domain.session_record import RecordKind, SessionRecord
from tests.domain import strategies
from tests.domain.session_records import LIMITS, PLUG_IN, closed, end, start, update


@st.composite
def runs(draw: st.DrawFn) -> list[SessionRecord]:
    """Draw records of a session, most of them each later than the one before."""
    records = draw(
        strategies.plausible_sessions(most_updates=12)
        | st.lists(strategies.adversarial_records, min_size=1, max_size=8)
    )
    if draw(st.integers(0, 3)):
        records = [
            each._replace(timestamp_us=PLUG_IN + place * 1_000_000)
            for place, each in enumerate(records)
        ]
    if draw(st.booleans()):
        # Nothing but readings, perhaps an end.
        records = [
            each._replace(kind=RecordKind.UPDATE) if each.kind >= END_RANK else each
            for each in records[:-1]
        ] + records[-1:]
    return records


def is_usual(records: Sequence[SessionRecord]) -> bool:
    later = all(one.timestamp_us < next_.timestamp_us for one, next_ in pairwise(records))
    return later and all(each.kind < END_RANK for each in records[:-1])


@settings(max_examples=200, deadline=None)
@given(runs())
def test_usual_records_are_followed_to_what_they_mean_in_order_and_no_others(
    records: list[SessionRecord],
) -> None:
    followed = follow(EMPTY, records, LIMITS)
    assert (followed is not None) == is_usual(records)
    assert followed is None or followed == reduce(records, LIMITS)


@settings(max_examples=200, deadline=None)
@given(runs(), st.data(), strategies.small_limits)
def test_it_makes_no_difference_whether_records_come_together_or_one_by_one(
    records: list[SessionRecord], data: st.DataObject, limits: Limits
) -> None:
    cut = data.draw(st.integers(0, len(records) - 1))
    seen = []
    for calls in ([records[:cut], records[cut:]], [[each] for each in records]):
        state, sealed, stored = None, None, list[SessionRecord]()
        for new in filter(None, calls):
            if sealed is None:
                (state, kept), sealed = advance_unsealed(state, new, lambda: stored, limits)  # noqa: B023
            else:
                state, kept = advance(state, new, lambda: stored, limits)  # noqa: B023
            stored = [*stored, *kept]
        seen.append((state, sealed))
    assert seen[0] == seen[1]


@pytest.mark.parametrize("late", [0, 1, 2])
def test_an_end_counts_though_updates_come_behind_it_in_the_same_call(late: int) -> None:
    records = [start(), update(1, 0.5), end(2, 1.0), *(update(3 + n, 9.0) for n in range(late))]
    assert (follow(EMPTY, records, LIMITS) is None) == bool(late)
    (state, kept), completion = advance_unsealed(None, records, list, LIMITS)
    assert list(kept) == records
    assert state == reduce(records, LIMITS)
    assert (state.ended_us, state.energy_uwh) == (records[2].timestamp_us, 1_000_000_000)
    assert completion is not None
    assert completion.state == reduce(records[:3], LIMITS)


@pytest.mark.parametrize(
    "late", [start(5), end(5, 1.0), closed(5, 1.0)], ids=["start", "end", "closed"]
)
def test_behind_an_end_only_updates_follow(late: SessionRecord) -> None:
    ended = reduce([start(), end(2, 1.0)], LIMITS)
    assert follow(ended, [update(3, 0.5), late], LIMITS) is None
    behind = follow(ended, [update(3, 0.5), update(4, 9.0)], LIMITS)
    assert behind is not None
    assert (behind.revision, behind.energy_uwh, behind.ended_us) == (
        4,
        ended.energy_uwh,
        ended.ended_us,
    )
