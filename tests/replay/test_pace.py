"""When events are due."""

from __future__ import annotations

from evcharge.replay.pace import Pace

HOUR_US = 3_600_000_000


def test_at_60_an_hour_takes_a_minute() -> None:
    assert Pace(60, HOUR_US, 3 * HOUR_US).due_s(2 * HOUR_US) == 60


def test_at_0_everything_is_due_at_once_and_nobody_knows_how_long_it_takes() -> None:
    pace = Pace(0, 0, HOUR_US)

    assert pace.due_s(HOUR_US) == 0
    assert pace.remaining_s(1) is None
    assert pace.event_time_us(1, last_sent_us=7) == 7


def test_the_clock_runs_on_between_events_and_stops_at_the_last() -> None:
    pace = Pace(3600, HOUR_US, 3 * HOUR_US)

    assert pace.event_time_us(1, last_sent_us=0) == 2 * HOUR_US
    assert pace.event_time_us(9, last_sent_us=0) == 3 * HOUR_US
    assert pace.remaining_s(0.5) == 1.5
    assert pace.remaining_s(9) == 0
