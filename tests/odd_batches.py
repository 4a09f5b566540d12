"""Record batches as only other clients make them: with any bytes as the names of headers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Self

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy

GZIP, SNAPPY, LZ4, ZSTD = 1, 2, 3, 4


class OddRecord(NamedTuple):
    """A record whose headers have names of bytes."""

    value: bytes | None
    headers: Sequence[tuple[bytes, bytes | None]] = ()
    key: bytes | None = None


class _Name(str):
    """A name that a builder encodes to the bytes it was made of."""

    __slots__ = ("raw",)
    raw: bytes

    def __new__(cls, raw: bytes) -> Self:
        name = super().__new__(cls, "name")
        name.raw = raw
        return name

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        return self.raw


def builder(
    records: Iterable[OddRecord], *, codec: int = 0, transactional: bool = False
) -> _DefaultRecordBatchBuilderPy:
    """Return aiokafka's pure-Python builder, full of these records."""
    full = _DefaultRecordBatchBuilderPy(
        magic=2,
        compression_type=codec,
        is_transactional=transactional,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=-1,
        batch_size=64 << 20,
    )
    for offset, record in enumerate(records):
        headers: list[Any] = [(_Name(name), value) for name, value in record.headers]
        full.append(offset, 1_700_000_000_000, record.key, record.value, headers)
    return full


async def send_batch(
    producer: AIOKafkaProducer,
    topic: str,
    partition: int,
    records: Sequence[OddRecord],
    *,
    codec: int = 0,
    transactional: bool = False,
) -> None:
    """Send records as one batch and wait for the acknowledgement."""
    batch = producer.create_batch()
    batch._builder = builder(records, codec=codec, transactional=transactional)
    # aiokafka sets it, but asserts that the builder is its compiled one.
    batch._set_producer_state = batch._builder.set_producer_state
    batch._relative_offset = len(records)
    batch.close()
    if transactional:
        # aiokafka forgets this for whole batches, and then waits for ever.
        producer._txn_manager.maybe_add_partition_to_txn(TopicPartition(topic, partition))
    await (await producer.send_batch(batch, topic, partition=partition))
