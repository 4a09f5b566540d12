"""The garbage collector of a worker."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from evcharge.engine.collector import THRESHOLDS, collect_seldom


@pytest.fixture
def _collector() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


@pytest.mark.usefixtures("_collector")
def test_what_the_program_consists_of_is_not_looked_through_again_and_again() -> None:
    collect_seldom()
    assert gc.get_freeze_count() > 0
    assert gc.get_threshold() == THRESHOLDS
    assert gc.isenabled(), "cycles must still go"
