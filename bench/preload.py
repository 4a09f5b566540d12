"""Puts a stream of events into Kafka as fast as one core can, as whole record batches."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

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

    async def append(self, events: Iterable[Event], notice: Notice) -> None:
        """Append events; what is not yet full waits for `flush`."""
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
            if not count % 50_000:
                notice.progress(count)

    async def flush(self) -> None:
        """Send what waits, and return when Kafka has acknowledged everything."""
        for place, batch in self._open.items():
            await self._send(place, batch)
        self._open.clear()
        await self._producer.flush()

    async def _send(self, place: tuple[Topic, int], batch: BatchBuilder) -> None:
        topic, partition = place
        self.ends[TopicPartition(self._names[topic], partition)] += batch.record_count()
        await self._producer.send_batch(batch, self._names[topic], partition=partition)


async def preload(bootstrap: str, prefix: str, stations: int, events: int) -> Stream:
    """Make the topics of a prefix and fill them: every station once, then `events` of the mix."""
    await ensure_topics(Settings.from_env(stream_variables(bootstrap, prefix)))
    fleet = Fleet(stations)
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        max_batch_size=BATCH_BYTES,
        max_request_size=16 << 20,
        # A batch that is sent again must not be there twice: every event is counted.
        enable_idempotence=True,
    )
    await producer.start()
    try:
        loader = Loader(producer, prefix, stations)
        with Notice(f"preloading {events:,} events of {stations:,} stations") as notice:
            await loader.append(fleet.fill(), notice)
            filled = sum(loader.ends.values())
            await loader.append(fleet.mixed(events), notice)
            await loader.flush()
    finally:
        await producer.stop()
    return Stream(bootstrap, prefix, stations, filled, loader.ends, fleet.ended)
