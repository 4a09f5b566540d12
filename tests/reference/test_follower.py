"""Following the reference topics on Kafka."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaProducer

from evcharge.broker import KafkaCluster
from evcharge.errors import EvchargeError
from evcharge.reference import Reference
from evcharge.settings import Settings
from evcharge.topics import ensure_topics
from evcharge.topics.catalogue import STATIONS, TARIFFS
from tests.eventually import eventually_async
from tests.remake_topic import remake_topic

pytestmark = pytest.mark.broker

TARIFF = json.dumps(
    {
        "id": "T1",
        "currency": "EUR",
        "last_updated": "2024-01-01T00:00:00Z",
        "elements": [{"price_components": [{"type": "ENERGY", "price": 0.25}]}],
    }
).encode()


def nothing_fails(reason: str, problem: BaseException) -> None:
    raise AssertionError(reason) from problem


@pytest_asyncio.fixture
async def settings(kafka: KafkaCluster, tmp_path: Path) -> Settings:
    """A deployment of its own, with its reference topics."""
    settings = Settings(
        broker=f"kafka://{kafka.bootstrap}",
        topic_prefix=f"t{uuid.uuid4().hex[:8]}.",
        data_dir=tmp_path,
    )
    await ensure_topics(settings, only=[STATIONS, TARIFFS])
    return settings


class Operator:
    """Publishes reference data as an operator's own tools would."""

    def __init__(self, settings: Settings, producer: AIOKafkaProducer) -> None:
        self.settings = settings
        self.producer = producer

    async def station(self, station_id: str, **facts: object) -> None:
        value = json.dumps({"station_id": station_id, **facts}).encode()
        await self.record("stations", station_id.encode(), value)

    async def record(self, topic: str, key: bytes | None, value: bytes | None) -> None:
        await self.producer.send_and_wait(self.settings.topic(topic), value, key, partition=0)


@pytest_asyncio.fixture
async def operator(settings: Settings) -> AsyncIterator[Operator]:
    async with AIOKafkaProducer(bootstrap_servers=settings.bootstrap) as producer:
        yield Operator(settings, producer)


@pytest_asyncio.fixture
async def reference(settings: Settings) -> AsyncIterator[Reference]:
    reference = Reference(settings)
    yield reference
    await reference.stop()


async def test_a_start_returns_when_everything_was_read(
    operator: Operator, reference: Reference
) -> None:
    for n in range(1_200):
        await operator.producer.send(
            operator.settings.topic("stations"), json.dumps({"station_id": f"S{n}"}).encode()
        )
    await operator.producer.flush()
    await operator.record("tariffs", b"T1", TARIFF)

    await reference.start(nothing_fails)

    assert reference.caught_up
    assert len(reference.register) == 1_200
    assert len(reference.tariffs.versions("T1")) == 1


async def test_empty_topics_are_read_at_once(reference: Reference) -> None:
    async with asyncio.timeout(10):
        await reference.start(nothing_fails)
    assert reference.caught_up


async def test_later_records_are_followed(operator: Operator, reference: Reference) -> None:
    await reference.start(nothing_fails)
    await operator.station("A", name="new")
    await eventually_async(lambda: reference.register.get("A") is not None)
    await operator.record("stations", b"A", None)
    await eventually_async(lambda: reference.register.get("A") is None)
    await operator.record("tariffs", b"T1", TARIFF)
    await eventually_async(lambda: reference.tariffs.versions("T1"))


async def test_junk_neither_stops_the_start_nor_the_following(
    operator: Operator, reference: Reference
) -> None:
    await operator.record("stations", b"A", b"\x00junk")
    await operator.station("B")
    await reference.start(nothing_fails)
    assert list(reference.register.ids()) == ["B"]
    await operator.record("stations", None, b"[" * 10_000)
    await operator.station("C")
    await eventually_async(lambda: reference.register.get("C") is not None)
    assert reference.register.refusals.count.total() == 2


async def test_a_restart_goes_on_where_it_stopped(operator: Operator, settings: Settings) -> None:
    # given a register that was read once, and changes while the worker is away
    await operator.station("A")
    await operator.station("B")
    first = Reference(settings)
    await first.start(nothing_fails)
    await first.stop()
    await operator.record("stations", b"A", None)
    await operator.record("stations", b"X", b"junk")
    await operator.station("C")
    # when it starts again
    second = Reference(settings)
    await second.start(nothing_fails)
    # then it knows everything, and has counted what is new only
    assert list(second.register.ids()) == ["B", "C"]
    assert second.register.refusals.count.total() == 1
    position = second.register.position
    assert position is not None
    assert position.offset == 4
    await second.stop()
    # and once more with nothing new
    third = Reference(settings)
    await third.start(nothing_fails)
    assert list(third.register.ids()) == ["B", "C"]
    assert third.register.refusals.count.total() == 0
    await third.stop()


@pytest.mark.parametrize("records", [1, 3], ids=["shorter than before", "longer than before"])
async def test_a_topic_made_anew_is_read_anew(
    operator: Operator, settings: Settings, records: int
) -> None:
    # given a register of two stations
    await operator.station("A")
    await operator.station("B")
    first = Reference(settings)
    await first.start(nothing_fails)
    await first.stop()
    # when the topic is replaced by another one
    await remake_topic(settings, STATIONS)
    async with AIOKafkaProducer(bootstrap_servers=settings.bootstrap) as producer:
        for n in range(records):
            await Operator(settings, producer).station(f"N{n}")
    # then nothing of the old one is left
    second = Reference(settings)
    await second.start(nothing_fails)
    assert list(second.register.ids()) == [f"N{n}" for n in range(records)]
    assert len(second.register) == records
    await second.stop()


async def test_a_topic_made_anew_under_a_running_worker_ends_it(
    operator: Operator, settings: Settings
) -> None:
    # given a worker that bills with what it has read
    await operator.station("A")
    await operator.station("B")
    failures: list[str] = []
    reference = Reference(settings)
    await reference.start(lambda reason, _: failures.append(reason))
    # when the topic is replaced by another one
    await remake_topic(settings, STATIONS)
    # then it ends with all that it knew
    await eventually_async(lambda: bool(failures))
    [failure] = failures
    assert failure.startswith("the reference data can be read no longer: ")
    assert failure.endswith("the next start reads it before the first record")
    assert list(reference.register.ids()) == ["A", "B"]
    await reference.stop()


async def test_a_following_that_is_cancelled_by_nobody_is_a_failure(settings: Settings) -> None:
    failures: list[str] = []
    reference = Reference(settings)
    await reference.start(lambda reason, _: failures.append(reason))
    follower = reference._follower
    assert follower is not None
    assert follower._task is not None
    follower._task.cancel()
    await eventually_async(lambda: bool(failures))
    assert failures == [
        "the reference data can be read no longer: it was cancelled, which nobody had asked for"
    ]
    await reference.stop()
    assert len(failures) == 1


async def test_the_end_of_a_transaction_is_not_waited_for(
    settings: Settings, reference: Reference
) -> None:
    # given an operator who publishes in transactions, so that the topic ends with a marker
    async with AIOKafkaProducer(
        bootstrap_servers=settings.bootstrap, transactional_id=settings.topic_prefix
    ) as producer:
        operator = Operator(settings, producer)
        async with producer.transaction():
            await operator.station("committed")
        await producer.begin_transaction()
        await operator.station("aborted")
        await producer.abort_transaction()
    # when a worker starts, and starts again
    async with asyncio.timeout(20):
        await reference.start(nothing_fails)
        assert list(reference.register.ids()) == ["committed"]
        await reference.stop()
        again = Reference(settings)
        await again.start(nothing_fails)
    assert list(again.register.ids()) == ["committed"]
    await again.stop()


async def test_a_missing_topic_is_one_sentence(settings: Settings) -> None:
    other = Reference(replace(settings, topic_prefix="elsewhere."))
    with pytest.raises(EvchargeError, match=r"the topic elsewhere\.stations does not exist"):
        await other.start(nothing_fails)


async def test_a_failure_of_the_following_is_reported_once(
    operator: Operator, settings: Settings
) -> None:
    failures: list[str] = []
    reference = Reference(settings)
    await reference.start(lambda reason, _: failures.append(reason))

    def broken(records: object) -> None:
        raise RuntimeError("disk full")

    reference.register.apply = broken  # type: ignore[method-assign]
    await operator.station("A")
    await eventually_async(lambda: bool(failures))
    assert failures == ["the reference data can be read no longer: disk full"]
    await reference.stop()
    assert len(failures) == 1


async def test_a_failure_of_the_first_reading_is_raised(
    operator: Operator, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    await operator.station("A")
    monkeypatch.setattr(
        "evcharge.reference.register.Register.apply", lambda *_: (_ for _ in ()).throw(OSError(28))
    )
    with pytest.raises(OSError, match="28"):
        await Reference(settings).start(nothing_fails)


@pytest.mark.slow
async def test_a_lost_broker_is_waited_for(tmp_path: Path) -> None:
    with KafkaCluster(port=0) as own:
        settings = Settings(broker=f"kafka://{own.bootstrap}", data_dir=tmp_path)
        await ensure_topics(settings, only=[STATIONS, TARIFFS])
        reference = Reference(settings)
        await reference.start(nothing_fails)
        # when the broker dies and comes back
        await asyncio.to_thread(own.kill, 1)
        await asyncio.sleep(1)
        await asyncio.to_thread(own.restart, 1)
        async with AIOKafkaProducer(bootstrap_servers=settings.bootstrap) as producer:
            await Operator(settings, producer).station("A")
        # then the following goes on
        await eventually_async(lambda: reference.register.get("A") is not None)
        await reference.stop()
