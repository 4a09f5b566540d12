"""A wait is told of when it lasts, and then now and then."""

from __future__ import annotations

import pytest

from evcharge.kafka.waiting import Waiting


def test_what_is_there_soon_is_not_told_of(caplog: pytest.LogCaptureFixture) -> None:
    waiting = Waiting("a leader", iter([0, 1, 4]).__next__)
    waiting.goes_on("none")
    waiting.goes_on("none")
    assert not caplog.messages


def test_what_takes_long_is_told_of_now_and_then(caplog: pytest.LogCaptureFixture) -> None:
    waiting = Waiting("a leader", iter([0, *range(1, 41)]).__next__)
    for _ in range(40):
        waiting.goes_on("Kafka names none")
    assert caplog.messages == [
        "waiting for a leader since 5 s: Kafka names none",
        "waiting for a leader since 35 s: Kafka names none",
    ]
