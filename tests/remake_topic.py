"""A topic made anew under its old name, as an operator's mistake or repair does it."""

from __future__ import annotations

from aiokafka.admin import AIOKafkaAdminClient

from evcharge.settings import Settings
from evcharge.topics import Topic, ensure_topics
from tests.eventually import eventually_async


async def remake_topic(settings: Settings, topic: Topic) -> None:
    """Delete a topic and create it again, empty."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.bootstrap)
    await admin.start()
    await admin.delete_topics([settings.topic(topic.name)])
    await admin.close()

    async def is_made() -> bool:
        return bool((await ensure_topics(settings, only=[topic])).created)

    # Kafka deletes in the background.
    await eventually_async(is_made, what="the topic being made anew")
