"""What Kafka removed unread is told once, in a metric and in the log."""

from __future__ import annotations

import logging

import pytest

from evcharge.engine.counters import Counters
from evcharge.engine.losses import Losses


def test_a_loss_is_counted_and_reported_with_where_to_look(
    caplog: pytest.LogCaptureFixture,
) -> None:
    counters = Counters()
    Losses(counters).tell("station-status", 3, 10, 25)
    assert counters.values == {("records_lost", "station-status"): 15}
    [(_, level, said)] = caplog.record_tuples
    assert level == logging.ERROR
    for named in ("station-status/3", "10 to 24", "goes on at 25", "retention"):
        assert named in said


def test_a_loss_that_is_found_again_is_told_only_as_far_as_it_is_new(
    caplog: pytest.LogCaptureFixture,
) -> None:
    counters = Counters()
    losses = Losses(counters)
    for end in (25, 25, 30, 28):
        losses.tell("station-status", 3, 10, end)
    losses.tell("station-status", 4, 10, 11)
    assert counters.values == {("records_lost", "station-status"): 20 + 1}
    assert len(caplog.records) == 3
