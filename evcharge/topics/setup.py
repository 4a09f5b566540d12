"""Makes the topics of a deployment exist, and says where existing ones differ from the settings."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from evcharge.errors import EvchargeError
from evcharge.kafka.admin import KafkaAdmin, NewTopic, TopicState
from evcharge.settings import Settings
from evcharge.topics.catalogue import Topic, deployment_topics


@dataclass(frozen=True, slots=True)
class Difference:
    """A setting of an existing topic is not what the catalogue and the settings say."""

    topic: str
    setting: str
    """Kafka's name of it, or ``partitions`` or ``replication``."""
    expected: str
    found: str

    def __str__(self) -> str:
        return f"{self.topic}: {self.setting} is {self.found}, expected {self.expected}"


@dataclass(frozen=True, slots=True)
class TopicReport:
    """What became of one topic."""

    name: str
    partitions: int
    retention_ms: int | None
    created: bool
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """What became of all topics, in the order of the catalogue."""

    topics: tuple[TopicReport, ...]

    @property
    def created(self) -> tuple[str, ...]:
        """The topics that did not exist before."""
        return tuple(topic.name for topic in self.topics if topic.created)

    @property
    def differences(self) -> tuple[Difference, ...]:
        """Everything that exists otherwise than it would be created now."""
        return tuple(difference for topic in self.topics for difference in topic.differences)


class PartitionMismatchError(EvchargeError):
    """A topic has another number of partitions than this deployment: nothing may start."""

    def __init__(self, mismatches: tuple[Difference, ...], existing: Report) -> None:
        self.mismatches = mismatches
        self.existing = existing
        """The topics that exist; missing ones were not created."""
        first = mismatches[0]
        more = f" (and {len(mismatches) - 1} more topics differ)" if len(mismatches) > 1 else ""
        super().__init__(
            f"the topic {first.topic} has {first.found} partition(s), expected {first.expected}"
            f"{more}: the number is fixed for a deployment, see EVCHARGE_PARTITIONS and"
            " EVCHARGE_TOPIC_PREFIX"
        )


async def ensure_topics(
    settings: Settings, only: Collection[Topic] | None = None, timeout_s: float = 10.0
) -> Report:
    """Create the topics that are missing, change none that exists, and report every difference.

    Returns when all topics have leaders. Callers may race: who comes second finds the topic there.
    ``only`` limits the work to some topics; the default is all, changelogs included.

    Raises:
        PartitionMismatchError: a number of partitions differs; nothing was created then.
        TopicCreationError: Kafka refuses, as with more copies than brokers.
        KafkaUnreachableError: no answer within ``timeout_s``.
    """
    topics = deployment_topics(settings) if only is None else tuple(only)
    wanted = {settings.topic(topic.name): topic for topic in topics}
    asked = {setting for topic in topics for setting in topic.config(settings)}
    async with KafkaAdmin(settings.bootstrap, timeout_s) as kafka:
        existing = await kafka.describe(wanted, asked)
        _refuse_mismatch(_report(settings, wanted, existing, created=()))
        missing = [
            NewTopic(name, t.partitions(settings), settings.replication, t.config(settings))
            for name, t in wanted.items()
            if name not in existing
        ]
        created = await kafka.create(missing)
        if missing:
            # Once more: another worker with other settings may have been faster.
            existing = await kafka.describe(wanted, asked)
    report = _report(settings, wanted, existing, created)
    _refuse_mismatch(report)
    return report


def _report(
    settings: Settings,
    wanted: dict[str, Topic],
    existing: dict[str, TopicState],
    created: Collection[str],
) -> Report:
    return Report(
        tuple(
            TopicReport(
                name=name,
                partitions=existing[name].partitions,
                retention_ms=topic.retention_ms,
                created=name in created,
                differences=compare(name, topic, settings, existing[name]),
            )
            for name, topic in wanted.items()
            if name in existing
        )
    )


def compare(
    name: str, topic: Topic, settings: Settings, found: TopicState
) -> tuple[Difference, ...]:
    """Return where an existing topic differs from the catalogue and the settings."""
    expected = {
        "partitions": str(topic.partitions(settings)),
        "replication": str(settings.replication),
        **topic.config(settings),
    }
    actual = {
        "partitions": str(found.partitions),
        "replication": str(found.replication),
        **found.config,
    }
    return tuple(
        Difference(name, setting, value, actual.get(setting, "unknown"))
        for setting, value in expected.items()
        if actual.get(setting) != value
    )


def _refuse_mismatch(report: Report) -> None:
    mismatches = tuple(d for d in report.differences if d.setting == "partitions")
    if mismatches:
        raise PartitionMismatchError(mismatches, report)
