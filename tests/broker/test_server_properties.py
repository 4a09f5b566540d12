"""What the nodes are told."""

from pathlib import Path

import pytest

from evcharge.broker.config import server_properties
from evcharge.broker.ports import NodePorts

PORTS = [NodePorts(9092, 20_001), NodePorts(9093, 20_002), NodePorts(9094, 20_003)]


def settings(node_id: int, nodes: int, extra: dict[str, str] | None = None) -> dict[str, str]:
    text = server_properties(node_id, PORTS[:nodes], Path("/data/kafka"), extra or {})
    return dict(line.split("=", 1) for line in text.splitlines())


def test_a_node_listens_on_its_own_ports_of_the_loopback_address() -> None:
    assert settings(2, 3)["listeners"] == "PLAINTEXT://127.0.0.1:9093,CONTROLLER://127.0.0.1:20002"


def test_every_node_knows_all_voters() -> None:
    voters = "1@127.0.0.1:20001,2@127.0.0.1:20002,3@127.0.0.1:20003"
    assert {settings(node, 3)["controller.quorum.voters"] for node in (1, 2, 3)} == {voters}


@pytest.mark.parametrize(
    ("nodes", "replication", "in_sync"), [(1, "1", "1"), (2, "2", "1"), (3, "3", "2")]
)
def test_replication_fits_the_number_of_brokers(nodes: int, replication: str, in_sync: str) -> None:
    told = settings(1, nodes)
    for topic in ("offsets.topic", "transaction.state.log", "share.coordinator.state.topic"):
        assert told[f"{topic}.replication.factor"] == replication
    assert told["transaction.state.log.min.isr"] == told["min.insync.replicas"] == in_sync


def test_the_callers_settings_come_last() -> None:
    assert settings(1, 1, {"message.max.bytes": "1000"})["message.max.bytes"] == "1000"
