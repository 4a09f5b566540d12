"""Progress of long commands: a bar in a terminal, lines in a log."""

from __future__ import annotations

import io

import pytest

from evcharge.commands.progress import Progress, duration


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_terminal_shows_a_bar_that_is_drawn_over_and_taken_away() -> None:
    screen, clock = Terminal(), Clock()

    with Progress(200, stream=screen, clock=clock) as progress:
        clock.now += 10
        progress.update(50, "50 events")

    drawn, wiped = screen.getvalue().split("\r")[1:3]
    assert drawn == "[######..................]  25%  50 events  30 s left"
    assert wiped == " " * len(drawn)
    assert "\n" not in screen.getvalue()


def test_a_terminal_is_not_drawn_on_more_often_than_ten_times_a_second() -> None:
    screen, clock = Terminal(), Clock()
    progress = Progress(None, stream=screen, clock=clock)

    for count in range(100):
        progress.update(count, str(count))
        clock.now += 0.01

    assert 9 <= screen.getvalue().count("\r") <= 11


def test_a_log_gets_a_line_every_ten_seconds_and_none_for_what_is_short() -> None:
    log, clock = io.StringIO(), Clock()

    with Progress(100, stream=log, clock=clock) as progress:
        for second in range(25):
            progress.update(second, f"{second} events", remaining_s=7.0)
            clock.now += 1

    assert log.getvalue().splitlines() == [
        "[##......................]  10%  10 events  7 s left",
        "[####....................]  20%  20 events  7 s left",
    ]


def test_nothing_to_do_is_done() -> None:
    screen = Terminal()

    Progress(0, stream=screen, clock=Clock()).update(0, "nothing")

    assert "100%  nothing" in screen.getvalue()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (200, "3 min 20 s"),
        (7_500, "2 h 05 min"),
        (462_000, "5 d 08 h"),
    ],
)
def test_a_duration_is_written_for_people(seconds: float, text: str) -> None:
    assert duration(seconds) == text
