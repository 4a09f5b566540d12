"""How fast lost local state is restored from the changelogs."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator

from aiokafka import AIOKafkaConsumer, TopicPartition

from bench.large import large
from bench.notice import Notice
from bench.preload import PARTITIONS
from bench.result import Figure, at_least, shown
from bench.scene import Scene
from bench.worker import Worker
from evcharge.topics.catalogue import TABLES

LEAST = 300_000


async def restore(scene: Scene) -> AsyncIterator[Figure]:
    """Start a worker without its local state, and compare with a start that has nothing to restore."""
    state = await large(scene)
    with Notice("restore") as notice:
        async with Worker(state.job, scene.program_core) as worker:
            await worker.start_until_ready()
            await worker.running.kill()
            without_restore = await worker.start_until_ready()
            await worker.running.kill()
            shutil.rmtree(worker.state)
            with_restore = await worker.start_until_ready(600)
            records = await _changelog_records(scene, state.job.name, state.job.stream.prefix)
        seconds = with_restore - without_restore
        notice.done(f"{records:,} records in {seconds:.1f} s")
    yield at_least("restore of a lost state", records / seconds, "records/s", LEAST)
    yield shown("records restored", records, "records")


async def _changelog_records(scene: Scene, app_id: str, prefix: str) -> int:
    """Return how many offsets the changelogs have: their rows, and a few markers of the engine's."""
    partitions = [
        TopicPartition(f"{prefix}{app_id}-{table}-changelog", number)
        for table in TABLES
        for number in range(PARTITIONS)
    ]
    async with AIOKafkaConsumer(bootstrap_servers=scene.bootstrap) as consumer:
        consumer.assign(partitions)
        first = await consumer.beginning_offsets(partitions)
        ends = await consumer.end_offsets(partitions)
    return sum(ends[each] - first[each] for each in partitions)
