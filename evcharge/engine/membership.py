"""A worker's place in the consumer group: static, left on purpose, and never fought for.

Kafka knows a worker by its instance id, so that one that was killed and is back gets its partitions
again at once, without a rebalance of the others. aiokafka has the joining part of that. What it lacks is
here: a worker that stops says so, and one whose instance id another process uses ends, instead of
both taking the place from each other for ever.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import aiokafka
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.errors import KafkaError
from aiokafka.protocol import group as protocol
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.commit import OffsetCommitRequest
from aiokafka.protocol.types import Int16, Int32, Schema, String

from evcharge.engine.assignor import StaleAssignmentError

FENCED_INSTANCE_ID = 82
"""Kafka's answer to a member whose instance id was given to another; newer than aiokafka's list."""
_REBALANCING = 27
_UNKNOWN_MEMBER_ID = 25

NEVER = float("-inf")

_MEMBER = (
    protocol.HeartbeatRequest,
    protocol.JoinGroupRequest,
    protocol.SyncGroupRequest,
)


class StaticHeartbeatResponse(Response):  # type: ignore[misc]
    """Version 3 of Kafka's Heartbeat."""

    API_KEY = 12
    API_VERSION = 3
    SCHEMA = Schema(("throttle_time_ms", Int32), ("error_code", Int16))


class StaticHeartbeatRequestV3(RequestStruct):  # type: ignore[misc]
    """Version 3 of Kafka's Heartbeat: the first that names the instance."""

    API_KEY = 12
    API_VERSION = 3
    RESPONSE_TYPE = StaticHeartbeatResponse
    SCHEMA = Schema(
        ("group", String("utf-8")),
        ("generation_id", Int32),
        ("member_id", String("utf-8")),
        ("group_instance_id", String("utf-8")),
    )


class StaticHeartbeat(Request[StaticHeartbeatRequestV3]):  # type: ignore[misc]
    """A heartbeat by which Kafka can tell a replaced member from one that was away for too long."""

    API_KEY = 12

    def __init__(self, group: str, generation: int, member: str, instance: str) -> None:
        self._fields = group, generation, member, instance

    def build(
        self, request_struct_class: type[StaticHeartbeatRequestV3]
    ) -> StaticHeartbeatRequestV3:
        return request_struct_class(*self._fields)


class MemberCoordinator(GroupCoordinator):  # type: ignore[misc]
    """aiokafka's coordinator of a static member."""

    def __init__(self, *args: Any, on_replaced: Callable[[str], object], **kwargs: Any) -> None:
        """``on_replaced`` gets the instance id when another process has joined with it."""
        super().__init__(*args, **kwargs)
        self._on_replaced = on_replaced
        self.confirmed_at = NEVER
        """When Kafka last said that this worker is a member (``time.monotonic``)."""

    async def _send_req(self, request: Any) -> Any:
        """Send a request of the member; its heartbeats name the instance.

        Raises:
            KafkaError: another process has joined as this instance (after ``on_replaced``).
        """
        if isinstance(request, protocol.HeartbeatRequest):
            request = StaticHeartbeat(
                self.group_id, self.generation, self.member_id, self._group_instance_id
            )
        asked_at = time.monotonic()
        answer = await super()._send_req(request)
        if isinstance(request, (StaticHeartbeat, *_MEMBER)):
            if answer.error_code == FENCED_INSTANCE_ID:
                self._on_replaced(self._group_instance_id)
            if answer.error_code in {0, _REBALANCING}:
                self.confirmed_at = asked_at
            elif answer.error_code == _UNKNOWN_MEMBER_ID:
                self.confirmed_at = NEVER
        elif isinstance(request, OffsetCommitRequest) and _is_unknown(answer):
            # A commit names no instance: was it away for too long, or did another process join? Only the
            # first may join again, which would take the place from the other.
            await self._do_heartbeat()
        return answer

    async def _do_rejoin_group(self, subscription: Any) -> bool:
        """Join; again where what a predecessor had is of no use, which makes Kafka assign anew.

        Not as a new member: another process of this name could join in between.
        """
        try:
            joined: bool = await super()._do_rejoin_group(subscription)
        except StaleAssignmentError:
            self.request_rejoin()
            return False
        return joined

    async def _maybe_leave_group(self) -> None:
        """Leave, so that others take over now and not when the session has timed out."""
        if self.generation > 0:
            try:
                await self._send_req(protocol.LeaveGroupRequest(self.group_id, self.member_id))
            except KafkaError:
                # Nobody to tell: the session times out by itself.
                pass
        self.reset_generation()


def _is_unknown(answer: Any) -> bool:
    return any(code == _UNKNOWN_MEMBER_ID for _, found in answer.topics for _, code in found)


class GroupMember(aiokafka.AIOKafkaConsumer):  # type: ignore[misc]
    """aiokafka's consumer as a static member of a group."""

    def __init__(self, *args: Any, on_replaced: Callable[[str], object], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._on_replaced = on_replaced
        self._coordinator: Any = None

    async def start(self) -> None:
        """Connect; nothing is subscribed yet, so that the coordinator can still be exchanged."""
        await super().start()
        unused: Any = self._coordinator
        await unused.close()
        self._client.cluster.remove_listener(unused._handle_metadata_update)  # noqa: SLF001
        self._coordinator = MemberCoordinator(
            self._client,
            self._subscription,
            on_replaced=self._on_replaced,
            group_id=self._group_id,
            group_instance_id=self._group_instance_id,
            heartbeat_interval_ms=self._heartbeat_interval_ms,
            session_timeout_ms=self._session_timeout_ms,
            retry_backoff_ms=self._retry_backoff_ms,
            enable_auto_commit=self._enable_auto_commit,
            assignors=self._partition_assignment_strategy,
            exclude_internal_topics=self._exclude_internal_topics,
            rebalance_timeout_ms=self._rebalance_timeout_ms,
            max_poll_interval_ms=self._max_poll_interval_ms,
        )

    def check(self) -> None:
        """Raise what ended or stopped the coordination of the group.

        Raises:
            KafkaError: Kafka refused something that aiokafka does not repeat by itself.
        """
        self._coordinator.check_errors()

    def confirmed_at(self) -> float:
        """When Kafka last said that this is a member (``time.monotonic``), minus infinity: it is not."""
        coordinator = self._coordinator
        # Another one is there for a moment at the start, and none before.
        return coordinator.confirmed_at if isinstance(coordinator, MemberCoordinator) else NEVER
