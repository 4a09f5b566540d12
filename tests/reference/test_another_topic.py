"""A reference topic that is not the one that was read: a start reads it anew, a running worker ends."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest
from aiokafka import TopicPartition

from evcharge.errors import EvchargeError
from evcharge.reference.feed import ReferenceRecord
from evcharge.reference.follower import ReferenceFollower
from evcharge.reference.register import Register
from evcharge.settings import Settings

STATIONS = TopicPartition("stations", 0)
READ_MS = 1_700_000_000_000


def nothing_fails(reason: str, problem: BaseException) -> NoReturn:
    raise AssertionError(reason) from problem


class Scene:
    """A follower that has read two stations, at the offsets 3 and 4, and has a new consumer."""

    def __init__(self) -> None:
        self.register = Register.in_memory()
        self.register.apply(
            [
                ReferenceRecord(offset, READ_MS, None, b'{"station_id":"EV-%d"}' % offset)
                for offset in (3, 4)
            ]
        )
        self.follower = ReferenceFollower(Settings(), [self.register], nothing_fails)
        self.sought: list[int] = []
        self.consumer: Any = SimpleNamespace(seek=lambda _, offset: self.sought.append(offset))

    def finds(self, begin: int, end: int, append_ms: int = READ_MS) -> None:
        """Find these offsets, and at that of the last record one of this time."""
        self.follower._seek(self.consumer, STATIONS, self.register, begin, end)
        if begin <= 4 < end:
            there: Any = SimpleNamespace(offset=4, timestamp=append_ms, key=None, value=b"{}")
            self.follower._take(self.consumer, STATIONS, [there], begin)


OTHERS: dict[str, Callable[[Scene], None]] = {
    "shorter": lambda scene: scene.finds(0, 4),
    "begins later": lambda scene: scene.finds(5, 9),
    "as long": lambda scene: scene.finds(0, 9, append_ms=READ_MS + 1),
}


@pytest.mark.parametrize("another", OTHERS.values(), ids=OTHERS)
def test_before_anybody_uses_it_another_topic_is_read_anew(
    another: Callable[[Scene], None],
) -> None:
    scene = Scene()
    another(scene)
    assert list(scene.register.ids()) == []
    assert scene.sought[-1] in {0, 5}


@pytest.mark.parametrize("another", OTHERS.values(), ids=OTHERS)
def test_a_running_worker_ends_with_what_it_has_read(another: Callable[[Scene], None]) -> None:
    scene = Scene()
    scene.follower._caught_up.set()
    with pytest.raises(EvchargeError, match="a worker that runs cannot begin it anew"):
        another(scene)
    assert list(scene.register.ids()) == ["EV-3", "EV-4"]


def test_the_same_topic_is_read_on() -> None:
    scene = Scene()
    scene.follower._caught_up.set()
    scene.finds(0, 9)
    assert (scene.sought, list(scene.register.ids())) == ([4], ["EV-3", "EV-4"])
