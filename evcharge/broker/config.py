"""server.properties of one node: a combined broker and controller on 127.0.0.1.

Every node is both, so that a cluster of three survives the loss of any one of them.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from evcharge.broker.ports import HOST, NodePorts

_MESSAGE_MAX_BYTES = 16 * 1024 * 1024
# A multiple of three, so that three brokers share the coordinators' work evenly. Kafka's default
# of 50 is made for large clusters and costs 50 open logs, each recovered after a kill.
_COORDINATOR_PARTITIONS = 6


def server_properties(
    node_id: int, ports: Sequence[NodePorts], directory: Path, extra: Mapping[str, str]
) -> str:
    """The text for node ``node_id`` (from 1) of ``len(ports)``; ``extra`` overrides all of it."""
    settings = {
        **_identity(node_id, ports, directory),
        **_durability(brokers=len(ports)),
        **_behaviour(),
        **extra,
    }
    return "".join(f"{name}={value}\n" for name, value in settings.items())


def _identity(node_id: int, ports: Sequence[NodePorts], directory: Path) -> dict[str, str]:
    own = ports[node_id - 1]
    return {
        "process.roles": "broker,controller",
        "node.id": str(node_id),
        "log.dirs": str(directory),
        "listeners": f"PLAINTEXT://{HOST}:{own.broker},CONTROLLER://{HOST}:{own.controller}",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{own.broker}",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "PLAINTEXT",
        # A fixed list of voters rather than Kafka's newer dynamic quorum: that one records the
        # controllers' ports in the data, and a data directory must start on other ports as well.
        "controller.quorum.voters": ",".join(
            f"{voter}@{HOST}:{port.controller}" for voter, port in enumerate(ports, start=1)
        ),
    }


def _durability(brokers: int) -> dict[str, str]:
    """As many copies as three brokers can hold while one of them is away."""
    replication = str(min(brokers, 3))
    in_sync = str(max(1, min(brokers, 3) - 1))
    settings = {"default.replication.factor": replication, "min.insync.replicas": in_sync}
    internal_topics = {
        "offsets.topic": "offsets.topic.num.partitions",
        "transaction.state.log": "transaction.state.log.num.partitions",
        "share.coordinator.state.topic": "share.coordinator.state.topic.num.partitions",
    }
    for topic, partitions in internal_topics.items():
        settings[f"{topic}.replication.factor"] = replication
        settings[partitions] = str(_COORDINATOR_PARTITIONS)
    settings["transaction.state.log.min.isr"] = in_sync
    settings["share.coordinator.state.topic.min.isr"] = in_sync
    # How long a silent broker counts as alive, and how long after a ``kill -9`` Kafka refuses the same
    # broker. Shorter than Kafka's own default it would be gone whenever the machine is busy, and markers
    # of transactions for partitions that have no leader at that moment are never written (Kafka 4.3.1).
    settings["broker.session.timeout.ms"] = "9000"
    settings["broker.heartbeat.interval.ms"] = "500"
    return settings


def _behaviour() -> dict[str, str]:
    return {
        "auto.create.topics.enable": "false",
        "log.message.timestamp.type": "LogAppendTime",
        # A first member need not wait for others; tests may use short sessions.
        "group.initial.rebalance.delay.ms": "0",
        "group.min.session.timeout.ms": "1000",
        # What one record batch may hold must fit through replication and one request (whose own
        # limit, socket.request.max.bytes, is 100 MiB).
        "message.max.bytes": str(_MESSAGE_MAX_BYTES),
        "replica.fetch.max.bytes": str(_MESSAGE_MAX_BYTES),
        "replica.fetch.response.max.bytes": str(2 * _MESSAGE_MAX_BYTES),
        "log.retention.check.interval.ms": "60000",
        # The default of 128 MiB would be a quarter of the heap; this is room for a million keys.
        "log.cleaner.dedupe.buffer.size": str(32 * 1024 * 1024),
    }
