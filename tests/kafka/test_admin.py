"""Questions about topics to which Kafka has other answers than yes and no."""

from __future__ import annotations

import pytest

from evcharge.broker import KafkaCluster
from evcharge.kafka.admin import KafkaAdmin, TopicRefusedError

TOPIC_AUTHORIZATION_FAILED = 29
LEADER_NOT_AVAILABLE = 5


def admin_that_hears(monkeypatch: pytest.MonkeyPatch, code: int) -> KafkaAdmin:
    async def answer(_admin: KafkaAdmin, names: list[str]) -> dict[str, object]:
        return {"topics": [{"topic": name, "error_code": code, "partitions": []} for name in names]}

    monkeypatch.setattr(KafkaAdmin, "_metadata", answer)
    return KafkaAdmin(["127.0.0.1:9092"])


@pytest.mark.broker
async def test_a_name_that_kafka_does_not_take_is_one_sentence(kafka: KafkaCluster) -> None:
    async with KafkaAdmin([kafka.bootstrap]) as admin:
        with pytest.raises(TopicRefusedError, match=r"tell about the topic a b: InvalidTopicError"):
            await admin.describe(["a b"])


async def test_a_topic_that_may_not_be_seen_is_no_topic_without_partitions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    admin = admin_that_hears(monkeypatch, TOPIC_AUTHORIZATION_FAILED)
    with pytest.raises(
        TopicRefusedError, match="the topic stations: TopicAuthorizationFailedError"
    ):
        await admin.describe(["stations"])


async def test_a_topic_that_is_being_created_does_not_exist_yet(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert await admin_that_hears(monkeypatch, LEADER_NOT_AVAILABLE).describe(["stations"]) == {}
