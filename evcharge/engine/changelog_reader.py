"""Reads the rows of changelog partitions, as they were fetched, and writes them to their stores."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence

import aiokafka
from aiokafka.structs import TopicPartition
from faust.types import TP

from evcharge.engine.intake import Intake, Taken
from evcharge.engine.local_rows import FENCE, rows_of, touched
from evcharge.kafka.closing import close
from evcharge.storage.partition_store import HISTORY, PartitionStore

ROWS_AT_ONCE = 20_000
BYTES_AT_ONCE = 8 << 20
"""What is read of one changelog and written together: a row that is in it twice is written once."""

LOOK_S = 0.2

Stores = Mapping[TopicPartition, PartitionStore]


class ChangelogReader:
    """One consumer for all changelog partitions of a worker."""

    def __init__(self, bootstrap: Sequence[str], client_id: str) -> None:
        self._bootstrap = list(bootstrap)
        self._client_id = client_id
        self._started: tuple[aiokafka.AIOKafkaConsumer, Intake] | None = None

    async def start(self) -> None:
        """Connect, if that was not done."""
        if self._started is None:
            consumer = aiokafka.AIOKafkaConsumer(
                bootstrap_servers=self._bootstrap,
                client_id=self._client_id,
                isolation_level="read_committed",
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                max_partition_fetch_bytes=1 << 20,
                fetch_max_bytes=8 << 20,
            )
            await consumer.start()
            self._started = consumer, Intake(consumer)

    async def stop(self) -> None:
        """Close the connections."""
        if self._started is not None:
            await close(self._consumer)

    @property
    def _consumer(self) -> aiokafka.AIOKafkaConsumer:
        return self._running[0]

    @property
    def _running(self) -> tuple[aiokafka.AIOKafkaConsumer, Intake]:
        if self._started is None:
            raise RuntimeError("the reader of changelogs was not started")
        return self._started

    async def bounds(
        self, tps: Iterable[TopicPartition]
    ) -> tuple[Mapping[TopicPartition, int], Mapping[TopicPartition, int]]:
        """Return the first offset of each changelog and the one behind its last."""
        asked = list(tps)
        starts, ends = await asyncio.gather(
            self._consumer.beginning_offsets(asked), self._consumer.end_offsets(asked)
        )
        return starts, ends

    def seek(self, positions: Mapping[TopicPartition, int]) -> None:
        """Read these changelogs from now on, and no others."""
        self._consumer.assign(list(positions))
        for tp, position in positions.items():
            self._consumer.seek(tp, position)

    async def pause_beyond(self, lasts: Mapping[TopicPartition, int]) -> set[TopicPartition]:
        """Read no more of the changelogs that were read up to these offsets; return which they are."""
        read = {tp for tp, last in lasts.items() if await self._consumer.position(tp) > last}
        if read:
            self._consumer.pause(*read)
        return read

    async def written(
        self, positions: Mapping[TopicPartition, int], lasts: Mapping[TopicPartition, int]
    ) -> set[TopicPartition]:
        """Return the changelogs with more than fences from positions up to offsets."""
        self.seek(positions)
        unknown, written = set(positions), set[TopicPartition]()
        while True:
            while (taken := await self._take()) is not None:
                tp = TopicPartition(*taken.tp)
                if tp in unknown and any(record.key != FENCE for record in taken.records):
                    written.add(tp)
                    unknown.remove(tp)
                    self._consumer.pause(tp)
            unknown -= await self.pause_beyond({tp: lasts[tp] for tp in unknown})
            if not unknown:
                return written
            await self.arrival()

    async def apply(self, stores: Stores) -> int:
        """Write the rows that were fetched since; return how many came."""
        applied = 0
        while (taken := await self._take()) is not None:
            if not taken.records:
                # Markers, or what a transaction wrote that was aborted.
                continue
            store, last = stores[TopicPartition(*taken.tp)], taken.records[-1]
            rows = rows_of(taken.records, named=store.get(HISTORY) is not None)
            store.write({**rows, **touched(last.timestamp)}, last.offset)
            applied += len(taken.records)
            # Others have waited for as long as that took.
            await asyncio.sleep(0)
        return applied

    async def arrival(self) -> None:
        """Return when something was fetched, or after a while."""
        _, intake = self._running
        await intake.wait(asyncio.get_running_loop().create_future(), LOOK_S)

    async def _take(self) -> Taken | None:
        """Return rows of one changelog; ``None`` if there are none yet."""
        _, intake = self._running
        return await intake.take(_any, lambda _: ROWS_AT_ONCE, BYTES_AT_ONCE, _nowhere)


def _any(_: TP) -> bool:
    return True


def _nowhere(_: object) -> None:
    """Our own rows have no headers, so nothing of them is ever read anew."""
