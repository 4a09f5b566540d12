"""What a redrive remembers."""

from __future__ import annotations

import pytest

from evcharge.dead_letters.headers import DeadLetterOrigin
from evcharge.dead_letters.letter import DeadLetter, Selection
from evcharge.dead_letters.marks import Marks

ALL = Selection()
JUNK = Selection(reason="not-json")
STATUS = Selection(topic="station-status")


def letter(offset: int, reason: str = "not-json", topic: str = "station-status") -> DeadLetter:
    return DeadLetter(0, offset, 0, DeadLetterOrigin(reason, "", topic, 0, 0, ()), b"k", b"v")


def test_nothing_is_done_at_the_beginning() -> None:
    assert not Marks().done(letter(0))
    assert Marks().start(ALL, 0) == 0


def test_what_lies_before_a_mark_of_everything_is_done() -> None:
    marks = Marks()
    marks.advance(ALL, {0: 5})
    assert [marks.done(letter(n)) for n in (4, 5)] == [True, False]
    assert (marks.start(ALL, 0), marks.start(JUNK, 0), marks.start(ALL, 1)) == (5, 5, 0)


def test_a_mark_covers_its_selection_only() -> None:
    marks = Marks()
    marks.advance(JUNK, {0: 5})
    assert marks.done(letter(4))
    assert not marks.done(letter(4, reason="bad-value"))
    assert marks.start(JUNK, 0) == 5
    # everything else is still to be looked at
    assert (marks.start(ALL, 0), marks.start(STATUS, 0)) == (0, 0)


def test_marks_of_several_selections_add_up() -> None:
    marks = Marks()
    marks.advance(JUNK, {0: 5})
    marks.advance(STATUS, {0: 9})
    assert marks.done(letter(8, reason="bad-value"))
    assert not marks.done(letter(8, reason="bad-value", topic="charging-sessions"))


def test_a_mark_never_goes_back() -> None:
    marks = Marks()
    marks.advance(ALL, {0: 5, 1: 7})
    marks.advance(ALL, {0: 3})
    assert (marks.start(ALL, 0), marks.start(ALL, 1)) == (5, 7)


@pytest.mark.parametrize("selection", [ALL, JUNK, STATUS, Selection("a", "b")])
def test_marks_are_read_as_they_were_written(selection: Selection) -> None:
    marks = Marks()
    marks.advance(selection, {0: 5, 12: 2**40})
    read = Marks.decode([marks.encode(selection)])
    assert [read.start(selection, p) for p in (0, 12, 1)] == [5, 2**40, 0]


def test_what_is_not_a_mark_is_passed_over() -> None:
    marks = Marks()
    marks.advance(ALL, {0: 5})
    junk = [(None, None), (b"\xff", b"{}"), (b"{}", b"\xff"), (b"[]", b"[]"), (b"{}", b'{"v":1}')]
    assert Marks.decode([*junk, marks.encode(ALL)]).start(ALL, 0) == 5


def test_the_last_record_of_a_selection_counts_also_where_it_goes_back() -> None:
    before, after = Marks(), Marks()
    before.advance(ALL, {0: 500, 1: 7})
    after.advance(ALL, {0: 3})
    read = Marks.decode([before.encode(ALL), after.encode(ALL)])
    assert (read.start(ALL, 0), read.start(ALL, 1)) == (3, 0)


def test_marks_up_to_the_end_are_of_this_topic() -> None:
    marks = Marks()
    marks.advance(ALL, {0: 5, 1: 7})
    assert marks.forget_another_topic({0: 5, 1: 8}) == []
    assert (marks.start(ALL, 0), marks.start(ALL, 1)) == (5, 7)


@pytest.mark.parametrize("ends", [{0: 4, 1: 8}, {0: 5}])
def test_one_mark_behind_the_end_says_that_all_are_of_another_topic(ends: dict[int, int]) -> None:
    marks = Marks()
    marks.advance(ALL, {0: 5, 1: 7})
    marks.advance(JUNK, {0: 1})
    assert set(marks.forget_another_topic(ends)) == {ALL, JUNK}
    assert not marks.done(letter(0))
    assert (marks.start(ALL, 1), marks.start(JUNK, 0)) == (0, 0)
    # and it is kept so
    assert Marks.decode([marks.encode(ALL)]).start(ALL, 1) == 0
