"""When an event is due: event time that runs N times as fast as the clock."""

from __future__ import annotations

from evcharge.domain.quantities import SECOND_US


class Pace:
    """Maps event time to seconds since the start of the replay; speed 0 is as fast as possible."""

    def __init__(self, speed: float, first_us: int, last_us: int) -> None:
        self._speed = speed
        self._first_us = first_us
        self._last_us = last_us

    def due_s(self, at_us: int) -> float:
        """Seconds after the start at which an event of the instant `at_us` is due."""
        if not self._speed:
            return 0.0
        return (at_us - self._first_us) / SECOND_US / self._speed

    def remaining_s(self, elapsed_s: float) -> float | None:
        """Seconds until the last event is due; None if only the broker's speed decides."""
        if not self._speed:
            return None
        return max(0.0, self.due_s(self._last_us) - elapsed_s)

    def event_time_us(self, elapsed_s: float, last_sent_us: int) -> int:
        """What the replayed devices' clocks show."""
        if not self._speed:
            return last_sent_us
        return min(self._last_us, self._first_us + int(elapsed_s * self._speed * SECOND_US))
