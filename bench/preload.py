"""Puts a stream of events into Kafka as fast as one core can, as whole record batches."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.producer.message_accumulator import BatchBuilder

from bench.events import TOPIC_NAMES, Event, Fleet, Topic, station_id
from bench.notice import Notice
from evcharge.kafka.partitioning import partition_of
from evcharge.settings import Settings
from evcharge.topics import ensure_topics

PARTITIONS = 8
BATCH_BYTES = 256 << 10


@dataclass(frozen=True)
class Stream:
    """A preloaded stream: the device topics of one topic prefix, only read from then on."""

    bootstrap: str
    prefix: str
    stations: int
    filled: int
    """Events of the fill, before the mix begins."""
    ends: dict[TopicPartition, int] = field(repr=False)
    """How many events each partition has."""
    ended: int
    """Sessions that end in it, each with one output."""

    @property
    def events(self) -> int:
        """All events, the fill included."""
        return sum(self.ends.values())

    @property
    def mixed(self) -> int:
        """The events of the mix."""
        return self.events - self.filled

    @property
    def variables(self) -> dict[str, str]:
        """The settings of a worker that reads it."""
        return stream_variables(self.bootstrap, self.prefix)


def stream_variables(bootstrap: str, prefix: str) -> dict[str, str]:
    """Return the settings of a deployment over a topic prefix."""
    return {
        "EVCHARGE_BROKER": f"kafka://{bootstrap}",
        "EVCHARGE_TOPIC_PREFIX": prefix,
        "EVCHARGE_PARTITIONS": str(PARTITIONS),
    }


class Loader:
    """Appends events to the device topics of a prefix, in batches of explicit partitions."""

    def __init__(self, producer: AIOKafkaProducer, prefix: str, stations: int) -> None:
        self._producer = producer
        self._names = {topic: prefix + name for topic, name in TOPIC_NAMES.items()}
        self._keys = [station_id(number).encode() for number in range(stations)]
        self._partitions = [partition_of(key, PARTITIONS) for key in self._keys]
        self._open: dict[tuple[Topic, int], BatchBuilder] = {}
        self.ends = {
            TopicPartition(name, number): 0
            for name in self._names.values()
            for number in range(PARTITIONS)
        }

    async def append(self, events: Iterable[Event], notice: Notice | None = None) -> None:
        """Append events; what does not fill a batch waits for `send_open` or `flush`."""
        open_batches, keys, partitions = self._open, self._keys, self._partitions
        for count, (topic, station, value) in enumerate(events, 1):
            place = topic, partitions[station]
            batch = open_batches.get(place)
            if batch is None:
                batch = open_batches[place] = self._producer.create_batch()
            if batch.append(timestamp=None, key=keys[station], value=value) is None:
                await self._send(place, batch)
                batch = open_batches[place] = self._producer.create_batch()
                batch.append(timestamp=None, key=keys[station], value=value)
            if notice is not None and not count % 50_000:
                notice.progress(count)

    async def append_record(self, topic: Topic, key: bytes, value: bytes) -> None:
        """Append a record of a station that is none of the fleet's."""
        place = topic, partition_of(key, PARTITIONS)
        batch = self._open.get(place)
        if batch is None:
            batch = self._open[place] = self._producer.create_batch()
        if batch.append(timestamp=None, key=key, value=value) is None:
            await self._send(place, batch)
            self._open[place] = batch = self._producer.create_batch()
            batch.append(timestamp=None, key=key, value=value)

    async def send_open(self) -> None:
        """Send what waits, without waiting for Kafka."""
        batches, self._open = self._open, {}
        for place, batch in batches.items():
            await self._send(place, batch)

    async def flush(self) -> None:
        """Send what waits, and return when Kafka has acknowledged everything."""
        await self.send_open()
        await self._producer.flush()

    async def _send(self, place: tuple[Topic, int], batch: BatchBuilder) -> None:
        topic, partition = place
        self.ends[TopicPartition(self._names[topic], partition)] += batch.record_count()
        await self._producer.send_batch(batch, self._names[topic], partition=partition)


class Preloading:
    """The device topics of a prefix while they are being filled, as an async context manager.

    If it is `transactional`, readers of committed records see the mix all at once, with `commit`.
    """

    def __init__(
        self, bootstrap: str, prefix: str, stations: int, *, transactional: bool = False
    ) -> None:
        self._bootstrap = bootstrap
        self._prefix = prefix
        self._stations = stations
        self.fleet = Fleet(stations)
        self._filled = 0
        self._transactional = transactional
        self._producer = producer(bootstrap, f"{prefix}load" if transactional else None)
        self.loader = Loader(self._producer, prefix, stations)

    async def __aenter__(self) -> Self:
        await ensure_topics(Settings.from_env(stream_variables(self._bootstrap, self._prefix)))
        await self._producer.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._producer.stop()

    async def fill(self) -> Stream:
        """Append a status of every station and the sessions that are open at the beginning."""
        with Notice(f"filling {self._stations:,} stations") as notice:
            if self._transactional:
                await self._producer.begin_transaction()
            await self.loader.append(self.fleet.fill(), notice)
            await self.loader.flush()
            if self._transactional:
                await self._producer.commit_transaction()
        self._filled = sum(self.loader.ends.values())
        return self.stream()

    async def mix(self, events: int) -> Stream:
        """Append events of the mix."""
        with Notice(f"loading {events:,} events of {self._stations:,} stations") as notice:
            if self._transactional:
                await self._producer.begin_transaction()
            await self.loader.append(self.fleet.mixed(events), notice)
            await self.loader.flush()
        return self.stream()

    async def commit(self) -> None:
        """Let readers see the mix."""
        await self._producer.commit_transaction()

    def stream(self) -> Stream:
        """Return what there is now."""
        return Stream(
            self._bootstrap,
            self._prefix,
            self._stations,
            self._filled,
            dict(self.loader.ends),
            self.fleet.ended,
        )


def producer(bootstrap: str, transactional_id: str | None = None) -> AIOKafkaProducer:
    """Return a producer for whole batches, not yet started."""
    return AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        max_batch_size=BATCH_BYTES,
        max_request_size=16 << 20,
        # A batch that is sent again must not be there twice: every event is counted.
        enable_idempotence=True,
        transactional_id=transactional_id,
        transaction_timeout_ms=600_000,
    )


async def preload(bootstrap: str, prefix: str, stations: int, events: int) -> Stream:
    """Make the topics of a prefix and fill them: every station once, then `events` of the mix."""
    async with Preloading(bootstrap, prefix, stations) as preloading:
        await preloading.fill()
        return await preloading.mix(events)
