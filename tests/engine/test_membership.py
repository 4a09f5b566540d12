"""Static membership against a real Kafka: who replaces whom, and who has left."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
import pytest_asyncio
from aiokafka.errors import KafkaError

from evcharge.broker import KafkaCluster
from evcharge.engine.membership import GroupMember
from evcharge.kafka.admin import KafkaAdmin, NewTopic
from tests.eventually import eventually_async

pytestmark = pytest.mark.broker

SESSION_S = 30


class Group:
    """Members of one group, over a topic of two partitions."""

    def __init__(self, bootstrap: str, name: str, stack: AsyncExitStack) -> None:
        self._bootstrap, self._name, self._stack = bootstrap, name, stack
        self.replaced: list[str] = []

    async def join(self, instance: str, heartbeat_ms: int = 100) -> GroupMember:
        member = GroupMember(
            bootstrap_servers=self._bootstrap,
            group_id=self._name,
            group_instance_id=instance,
            session_timeout_ms=SESSION_S * 1000,
            heartbeat_interval_ms=heartbeat_ms,
            enable_auto_commit=False,
            on_replaced=self.replaced.append,
        )
        await member.start()
        self._stack.push_async_callback(member.stop)
        member.subscribe([self._name])
        return member


@pytest_asyncio.fixture
async def group(kafka: KafkaCluster) -> AsyncIterator[Group]:
    name = f"members-{uuid.uuid4().hex[:8]}"
    async with KafkaAdmin(kafka.bootstrap.split(",")) as admin:
        await admin.create([NewTopic(name, 2, 1, {})])
    async with AsyncExitStack() as stack:
        yield Group(kafka.bootstrap, name, stack)


async def has(member: GroupMember, partitions: int) -> None:
    await eventually_async(lambda: len(member.assignment()) == partitions, what="its share")


async def test_who_stops_leaves_at_once_and_not_when_its_session_ends(group: Group) -> None:
    stays, goes = await group.join("stays"), await group.join("goes")
    await has(stays, 1)
    await has(goes, 1)
    began = time.monotonic()

    await goes.stop()

    await has(stays, 2)
    assert time.monotonic() - began < SESSION_S / 2
    assert group.replaced == []


async def test_who_comes_back_under_its_name_gets_its_share_without_a_rebalance(
    group: Group,
) -> None:
    stays, killed = await group.join("stays"), await group.join("killed")
    await has(stays, 1)
    await has(killed, 1)
    share, generation = killed.assignment(), generation_of(stays)
    await cut_off(killed)

    back = await group.join("killed")
    await has(back, 1)

    assert back.assignment() == share
    assert generation_of(back) == generation_of(stays) == generation


async def test_the_older_of_two_under_one_name_is_told_so_by_its_heartbeat(group: Group) -> None:
    older = await group.join("one-name")
    await has(older, 2)
    newer = await group.join("one-name")
    await has(newer, 2)
    await eventually_async(lambda: group.replaced, what="the older being told")
    assert set(group.replaced) == {"one-name"}


async def test_the_older_of_two_under_one_name_does_not_join_again_when_it_commits(
    group: Group,
) -> None:
    # So seldom that the commit comes first.
    older = await group.join("one-name", heartbeat_ms=SESSION_S * 1000 // 2)
    await has(older, 2)
    newer = await group.join("one-name")
    await has(newer, 2)
    place = newer._coordinator.member_id

    with pytest.raises(KafkaError):
        await older.commit(dict.fromkeys(older.assignment(), 0))

    assert group.replaced == ["one-name"]
    confirmed = newer.confirmed_at()
    await eventually_async(lambda: newer.confirmed_at() > confirmed, what="another heartbeat")
    assert newer._coordinator.member_id == place


async def test_a_member_is_confirmed_by_every_heartbeat(group: Group) -> None:
    member = await group.join("a")
    assert member.confirmed_at() == float("-inf")
    await has(member, 2)
    first = member.confirmed_at()
    assert time.monotonic() - SESSION_S < first
    await eventually_async(lambda: member.confirmed_at() > first, what="another heartbeat")
    await member.stop()


def generation_of(member: GroupMember) -> int:
    generation: int = member._coordinator.generation
    return generation


async def cut_off(member: GroupMember) -> None:
    """End a member as ``kill -9`` does: without a word to Kafka."""

    async def say_nothing() -> None:
        await asyncio.sleep(0)

    coordinator: Any = member._coordinator
    coordinator._maybe_leave_group = say_nothing
    await member.stop()
