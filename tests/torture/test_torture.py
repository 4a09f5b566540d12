"""The short form of ``make torture``: one broker, a few rounds."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.torture.run import torture

pytestmark = pytest.mark.broker

SECONDS = 30.0
"""A round that has begun by then is still finished and checked."""


async def test_nothing_differs_after_a_little_torture(tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"repeat it with TORTURE_SEED={seed} make torture; logs are in {tmp_path}")  # noqa: T201

    journal = await torture(seed, SECONDS, tmp_path, brokers=(1,))

    assert journal.counts["check"] >= 2
