"""Which topics Kafka does not have, as all of its brokers say.

What a client knows of topics does not tell: an update may have failed, or been under way already.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection

from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError
from aiokafka.protocol.metadata import MetadataRequest

from evcharge.kafka.partition_ends import ANSWER_S
from evcharge.kafka.wire import Wire

logger = logging.getLogger(__name__)


async def missing_topics(wire: Wire, topics: Collection[str]) -> set[str]:
    """Return those topics that do not exist; of others, one exists or a broker does not answer.

    All brokers have to say so: one that was just started may be behind.
    """
    missing = set(topics)
    brokers = wire.client.cluster.brokers()
    try:
        async with asyncio.timeout(ANSWER_S):
            for broker in brokers:
                request = MetadataRequest(sorted(missing), allow_auto_topic_creation=False)
                answer = await wire.send(broker.nodeId, request)
                missing &= {
                    name
                    for code, name, *_ in answer.topics
                    if code == UnknownTopicOrPartitionError.errno
                }
    except (KafkaError, TimeoutError) as problem:
        logger.info("a broker does not tell which topics there are: %r", problem)
        return set()
    return missing if brokers else set()
