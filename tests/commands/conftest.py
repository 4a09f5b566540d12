"""Deployments of their own on the shared broker, for tests and for the commands that they call."""

from __future__ import annotations

import asyncio
import uuid

import pytest

from evcharge.broker import KafkaCluster
from evcharge.settings import Settings
from evcharge.topics import ensure_topics
from tests.agents.memory_step import SETTINGS as MADE_BY


@pytest.fixture
def bare_deployment(kafka: KafkaCluster, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """One without a topic; commands in this process find it in the environment."""
    monkeypatch.setenv("EVCHARGE_BROKER", f"kafka://{kafka.bootstrap}")
    monkeypatch.setenv("EVCHARGE_TOPIC_PREFIX", f"t{uuid.uuid4().hex[:8]}.")
    monkeypatch.setenv("EVCHARGE_PARTITIONS", "2")
    monkeypatch.setenv("EVCHARGE_ISSUER_NAME", MADE_BY.issuer_name)
    monkeypatch.setenv("EVCHARGE_ISSUER_VAT_ID", MADE_BY.issuer_vat_id)
    return Settings.from_env()


@pytest.fixture
def settings(bare_deployment: Settings) -> Settings:
    """One with all topics."""
    asyncio.run(ensure_topics(bare_deployment))
    return bare_deployment
