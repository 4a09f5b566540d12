"""A broker that can be made to leave out markers, and a writer there."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator

import pytest

from evcharge.broker import KafkaCluster
from evcharge.kafka.admin import KafkaAdmin, NewTopic
from tests.kafka.forgetful import FENCE, Place


@pytest.fixture(scope="session")
def lax() -> Iterator[KafkaCluster]:
    """A broker that takes batches of a transaction for partitions that were not added to it."""
    settings = {"transaction.partition.verification.enable": "false"}
    with KafkaCluster(port=0, settings=settings) as cluster:
        yield cluster


@pytest.fixture
async def place(lax: KafkaCluster) -> AsyncIterator[Place]:
    """A changelog that its first owner has taken over, with two partitions for outputs."""
    place = Place(lax, uuid.uuid4().hex[:8])
    async with KafkaAdmin(place.bootstrap) as admin:
        await admin.create([NewTopic(place.changelog, 1, 1, {}), NewTopic(place.outputs, 2, 1, {})])
    await place.wire.start()
    await place.writer.take_over(FENCE)
    yield place
    await place.wire.stop()
