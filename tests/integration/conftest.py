"""A deployment of its own for each test: topics, group and data directories nobody else uses."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from evcharge.broker import KafkaCluster
from tests.integration.deployment import Deployment


@pytest.fixture
def deployment(kafka: KafkaCluster, tmp_path: Path) -> Iterator[Deployment]:
    """A deployment without workers yet; what still runs at the end is killed."""
    name = f"t{uuid.uuid4().hex[:8]}"
    with Deployment(kafka.bootstrap, name, tmp_path) as fresh:
        yield fresh
