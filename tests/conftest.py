"""Fixtures for all tests: the application in memory, and one real Kafka for the whole run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from evcharge.broker import KafkaCluster

pytest_plugins = ["evcharge.testing"]


@pytest.fixture(scope="session")
def kafka() -> Iterator[KafkaCluster]:
    """One embedded broker for the run; tests use topics of their own on it.

    If it cannot be started, the tests that ask for it fail: a broker that is missing is never a
    reason to skip.
    """
    with KafkaCluster(port=0) as cluster:
        yield cluster
