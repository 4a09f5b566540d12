"""What we ask Kafka about topics: who is there, what exists, please create.

aiokafka's own admin client lets a question about a missing topic create it on clusters with
``auto.create.topics.enable``, with the wrong number of partitions; this one never does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from aiokafka import errors as kafka_errors
from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.admin import CreateTopicsRequest, DescribeConfigsRequest
from aiokafka.protocol.metadata import MetadataRequest

from evcharge.errors import EvchargeError

_RETRY_S = 0.2
_TOPIC_RESOURCE = 2
_NO_ERROR = 0
_TOPIC_EXISTS = kafka_errors.TopicAlreadyExistsError.errno
_UNKNOWN_TOPIC = kafka_errors.UnknownTopicOrPartitionError.errno
_NO_LEADER = kafka_errors.LeaderNotAvailableError.errno
_BAD_REPLICATION = kafka_errors.InvalidReplicationFactorError.errno


class KafkaUnreachableError(EvchargeError):
    """Kafka did not answer in time; names the address and the setting."""

    def __init__(self, bootstrap: Sequence[str], timeout_s: float) -> None:
        super().__init__(
            f"Kafka at {', '.join(bootstrap)} (EVCHARGE_BROKER) did not answer within"
            f" {timeout_s:g} s: is it running?"
        )


class TopicCreationError(EvchargeError):
    """Kafka refused to create a topic; says why."""


class TopicRefusedError(EvchargeError):
    """Kafka does not tell about a topic: this client may not see it, or its name is none."""

    def __init__(self, name: str, code: int) -> None:
        why = kafka_errors.for_code(code)
        super().__init__(
            f"Kafka refuses to tell about the topic {name}: {why.__name__} ({why.description})"
        )


class NewTopic(NamedTuple):
    """A topic to create."""

    name: str
    partitions: int
    replication: int
    config: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class TopicState:
    """A topic as it exists."""

    partitions: int
    replication: int
    """Copies of the partition that has the fewest."""
    ready: bool
    """Every partition has a leader."""
    config: Mapping[str, str]
    """The settings that were asked for, under Kafka's names."""


class KafkaAdmin:
    """Questions and requests about topics, as an async context manager.

    Every method retries lost connections and raises KafkaUnreachableError after ``timeout_s``.
    """

    def __init__(self, bootstrap: Sequence[str], timeout_s: float = 10.0) -> None:
        self._bootstrap = list(bootstrap)
        self._timeout_s = timeout_s
        self._client = AIOKafkaClient(bootstrap_servers=self._bootstrap, client_id="evcharge-admin")

    async def __aenter__(self) -> Self:
        try:
            async with asyncio.timeout(self._timeout_s):
                while True:
                    try:
                        await self._client.bootstrap()
                        return self
                    except kafka_errors.KafkaConnectionError:
                        await asyncio.sleep(_RETRY_S)
        except BaseException as problem:
            await self._client.close()
            if isinstance(problem, TimeoutError):
                raise KafkaUnreachableError(self._bootstrap, self._timeout_s) from None
            raise

    async def __aexit__(self, *_: object) -> None:
        await self._client.close()

    async def broker_count(self) -> int:
        """Return how many brokers the cluster has now."""
        metadata = await self._metadata([])
        return len(metadata["brokers"])

    async def describe(
        self, names: Collection[str], settings: Collection[str] = ()
    ) -> dict[str, TopicState]:
        """Return those of the topics that exist, with the ``settings`` asked for.

        Raises:
            TopicRefusedError: Kafka does not say whether one of them exists.
        """
        if not names:
            return {}
        metadata = await self._metadata(sorted(names))
        found = {t["topic"]: t for t in metadata["topics"] if _exists(t)}
        configs = await self._configs(sorted(found), sorted(settings)) if settings else {}
        return {
            name: TopicState(
                partitions=len(topic["partitions"]),
                replication=min((len(p["replicas"]) for p in topic["partitions"]), default=0),
                ready=topic["error_code"] == _NO_ERROR
                and bool(topic["partitions"])
                and all(p["leader"] >= 0 for p in topic["partitions"]),
                config=configs.get(name, {}),
            )
            for name, topic in found.items()
        }

    async def create(self, topics: Sequence[NewTopic]) -> set[str]:
        """Create topics, wait until all of them have leaders, and return those that are ours.

        A topic that somebody else created in the meantime is left as it is.

        Raises:
            TopicCreationError: Kafka refuses one of them.
        """
        if not topics:
            return set()
        placement: list[Any] = []  # Kafka chooses the brokers
        wanted = [
            (t.name, t.partitions, t.replication, placement, list(t.config.items())) for t in topics
        ]
        answer = await self._send(
            CreateTopicsRequest(wanted, timeout=int(self._timeout_s * 1000), validate_only=False)
        )
        created = set()
        for name, code, *rest in answer.topic_errors:
            if code == _NO_ERROR:
                created.add(name)
            elif code == _BAD_REPLICATION:
                await self._refuse_replication(topics)
            elif code != _TOPIC_EXISTS:
                why = (rest and rest[0]) or kafka_errors.for_code(code).__name__
                raise TopicCreationError(f"Kafka refused to create the topic {name}: {why}")
        await self._until_ready([t.name for t in topics])
        return created

    async def _refuse_replication(self, topics: Sequence[NewTopic]) -> None:
        asked = max(t.replication for t in topics)
        raise TopicCreationError(
            f"EVCHARGE_REPLICATION={asked} asks for {asked} copies of each topic, but the cluster"
            f" has {await self.broker_count()} broker(s)"
        )

    async def _until_ready(self, names: Collection[str]) -> None:
        try:
            async with asyncio.timeout(self._timeout_s):
                while True:
                    state = await self.describe(names)
                    if len(state) == len(names) and all(t.ready for t in state.values()):
                        return
                    await asyncio.sleep(_RETRY_S)
        except TimeoutError:
            raise TopicCreationError(
                f"the new topics have no leaders yet after {self._timeout_s:g} s"
            ) from None

    async def _metadata(self, names: list[str]) -> dict[str, Any]:
        request = MetadataRequest(names, allow_auto_topic_creation=False)
        answer: dict[str, Any] = (await self._send(request)).to_object()
        return answer

    async def _configs(
        self, topics: Sequence[str], settings: Sequence[str]
    ) -> dict[str, dict[str, str]]:
        if not topics:
            return {}
        answer = await self._send(
            DescribeConfigsRequest([(_TOPIC_RESOURCE, name, list(settings)) for name in topics])
        )
        # (error, message, type, topic, [(setting, value, …)]); a topic deleted just now has none.
        return {r[3]: {entry[0]: entry[1] for entry in r[4]} for r in answer.resources}

    async def _send(self, request: Any) -> Any:
        """Send to the controller (which Kafka before 4 insists on for creation), with retries."""
        try:
            async with asyncio.timeout(self._timeout_s):
                while True:
                    controller = self._client.cluster.controller
                    node = controller.nodeId if controller else self._client.get_random_node()
                    try:
                        if node is not None:
                            return await self._client.send(node, request)
                    except (kafka_errors.KafkaConnectionError, kafka_errors.NodeNotReadyError):
                        pass
                    await self._client.force_metadata_update()
                    await asyncio.sleep(_RETRY_S)
        except (TimeoutError, kafka_errors.RequestTimedOutError):
            raise KafkaUnreachableError(self._bootstrap, self._timeout_s) from None


def _exists(topic: Mapping[str, Any]) -> bool:
    """Whether a topic that was asked about exists; one that is being created may have nothing yet."""
    code = topic["error_code"]
    if code not in {_NO_ERROR, _UNKNOWN_TOPIC, _NO_LEADER}:
        raise TopicRefusedError(topic["topic"], code)
    return bool(topic["partitions"])
