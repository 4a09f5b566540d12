"""How far a program has come, as Kafka knows it: the offsets that its group has committed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError


@dataclass(frozen=True)
class Progress:
    """Events whose effects a program has made durable."""

    status: int
    sessions: int

    @property
    def events(self) -> int:
        """Events of both topics."""
        return self.status + self.sessions


class Commits:
    """Reads a group's commits, as an async context manager."""

    def __init__(self, bootstrap: str, group: str, ends: Mapping[TopicPartition, int]) -> None:
        self._admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
        self._group = group
        self._ends = ends

    async def __aenter__(self) -> Self:
        await self._admin.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._admin.close()

    async def now(self) -> Progress:
        """Return the progress; none as long as the group does not exist."""
        try:
            committed = await self._admin.list_consumer_group_offsets(self._group)
        except KafkaError:
            return Progress(0, 0)
        status = sessions = 0
        for partition, end in self._ends.items():
            at = committed.get(partition)
            # -1: nothing committed yet. Nobody is ahead of the end but a marker of a transaction.
            done = 0 if at is None else max(0, min(at.offset, end))
            if partition.topic.endswith("station-status"):
                status += done
            else:
                sessions += done
        return Progress(status, sessions)
