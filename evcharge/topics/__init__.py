"""The topics: ``catalogue`` names every one once, ``setup`` makes them exist."""

from evcharge.topics.catalogue import (
    CATALOGUE,
    DEVICE_TOPICS,
    OUTPUT_TOPICS,
    REROUTED_TOPICS,
    TABLES,
    Cleanup,
    Topic,
    Writer,
    changelog_topic,
    deployment_topics,
)
from evcharge.topics.setup import (
    Difference,
    PartitionMismatchError,
    Report,
    TopicReport,
    ensure_topics,
)

__all__ = [
    "CATALOGUE",
    "DEVICE_TOPICS",
    "OUTPUT_TOPICS",
    "REROUTED_TOPICS",
    "TABLES",
    "Cleanup",
    "Difference",
    "PartitionMismatchError",
    "Report",
    "Topic",
    "TopicReport",
    "Writer",
    "changelog_topic",
    "deployment_topics",
    "ensure_topics",
]
