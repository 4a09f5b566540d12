"""Which partitions are not applied, for the journal of a run that does not come to an end."""

from __future__ import annotations

from collections.abc import Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition

from evcharge.settings import Settings
from evcharge.topics.catalogue import DEVICE_TOPICS, REROUTED_TOPICS, SESSION_DECISIONS


async def lagging(settings: Settings) -> Sequence[str]:
    """Return a line for each partition that is behind: what was committed, decided, appended.

    Records between the last two belong to a transaction that nobody has decided.
    """
    tps = [
        TopicPartition(settings.topic(topic.name), number)
        for topic in (*DEVICE_TOPICS, *REROUTED_TOPICS, SESSION_DECISIONS)
        for number in range(settings.partitions)
    ]
    ends = []
    for isolation in ("read_committed", "read_uncommitted"):
        async with AIOKafkaConsumer(
            bootstrap_servers=settings.bootstrap, isolation_level=isolation
        ) as consumer:
            ends.append(await consumer.end_offsets(tps))
    decided, appended = ends
    async with AIOKafkaConsumer(
        bootstrap_servers=settings.bootstrap, group_id=settings.app_id, enable_auto_commit=False
    ) as member:
        member.assign(tps)
        committed = {tp: await member.committed(tp) or 0 for tp in tps}
    return [
        f"{tp.topic}/{tp.partition}: {committed[tp]} committed, {decided[tp]} decided,"
        f" {appended[tp]} appended"
        for tp in tps
        if committed[tp] < appended[tp]
    ]
