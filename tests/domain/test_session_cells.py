"""The table of what each kind of record does to a session in each state, every cell."""

from __future__ import annotations

from itertools import product

import pytest

from evcharge.domain.session import Lifecycle, advance, fold
from evcharge.domain.session_record import SessionRecord
from tests.domain.session_records import LIMITS, closed, correction, end, start, update

ACTIVE, COMPLETED, HELD = Lifecycle

BEFORE: dict[str, list[SessionRecord]] = {
    "none": [],
    "active": [start(), update(10, 1)],
    "active without start": [update(10, 1)],
    "completed": [start(), update(10, 1), end(60, 5)],
    "held": [update(10, 1), end(60, 5)],
}

NEXT: dict[str, SessionRecord] = {
    "start": start(1),
    "late start": start(61),
    "update": update(20, 2),
    "late update": update(61, 9),
    "end": end(60, 5, reason="Local"),
    "other end": end(70, 6),
    "closed": closed(60, 5),
    "correction": correction(60, 4),
}

CELLS: dict[str, dict[str, Lifecycle]] = {
    "none": {
        "start": ACTIVE,
        "late start": ACTIVE,
        "update": ACTIVE,
        "late update": ACTIVE,
        "end": HELD,  # no-start
        "other end": HELD,  # no-start
        "closed": COMPLETED,
        "correction": HELD,  # no-start
    },
    "active": {
        "start": ACTIVE,
        "late start": ACTIVE,
        "update": ACTIVE,
        "late update": ACTIVE,
        "end": COMPLETED,
        "other end": COMPLETED,
        "closed": COMPLETED,
        "correction": COMPLETED,
    },
    "active without start": {
        "start": ACTIVE,
        "late start": ACTIVE,
        "update": ACTIVE,
        "late update": ACTIVE,
        "end": HELD,  # no-start
        "other end": HELD,  # no-start
        "closed": COMPLETED,
        "correction": HELD,  # no-start
    },
    "completed": {
        "start": COMPLETED,
        "late start": COMPLETED,  # the first start counts
        "update": COMPLETED,
        "late update": COMPLETED,
        "end": COMPLETED,  # the same fact
        "other end": HELD,  # conflicting-end
        "closed": COMPLETED,  # the same fact
        "correction": COMPLETED,
    },
    "held": {
        "start": COMPLETED,  # what was missing
        "late start": HELD,  # end-before-start
        "update": HELD,
        "late update": HELD,
        "end": HELD,
        "other end": HELD,
        "closed": COMPLETED,  # states the start
        "correction": HELD,
    },
}


@pytest.mark.parametrize(("before", "following"), list(product(BEFORE, NEXT)))
def test_every_cell_of_state_and_record(before: str, following: str) -> None:
    records, new = BEFORE[before], NEXT[following]
    state = fold(records, LIMITS) if records else None
    after = advance(state, [new], lambda: records, LIMITS).state
    assert after.lifecycle is CELLS[before][following]
    assert after == fold([*records, new], LIMITS)


def test_the_table_has_every_cell() -> None:
    assert {name: set(row) for name, row in CELLS.items()} == {each: set(NEXT) for each in BEFORE}
