"""KafkaCluster: one or more embedded Kafka nodes on this machine, as a context manager."""

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self

from evcharge.broker.config import server_properties
from evcharge.broker.datadir import DataDirectory
from evcharge.broker.errors import BrokerError, PortTakenError
from evcharge.broker.jars import KAFKA_LOCK_FILE, JarSet
from evcharge.broker.java import find_java
from evcharge.broker.kafka import Kafka, is_formatted
from evcharge.broker.members import await_members, require_running
from evcharge.broker.node import Node
from evcharge.broker.ports import HOST, NodePorts, choose_ports

_PORT_ATTEMPTS = 5
_STOP_GRACE_S = 15.0
_POLL_S = 0.2


class KafkaCluster:
    """Real Kafka in child processes. Nodes count from 1; each is broker and controller.

    ``data_dir`` is created or, if it holds a cluster, taken up again; None is a temporary directory
    that ``stop`` removes. Node 1 listens on ``port``, the next ones on those that follow; 0 picks
    free ports. ``heap`` is Java's maximum per node, ``timeout`` the seconds that a start may take,
    ``settings`` more broker settings under Kafka's names. Use from one thread at a time.

    Where something cannot be done, BrokerError says why. The nodes end with this process, even if
    it is killed.
    """

    def __init__(
        self,
        data_dir: Path | None = None,
        port: int = 9092,
        brokers: int = 1,
        *,
        heap: str = "512m",
        timeout: float = 60.0,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        if brokers < 1:
            raise BrokerError(f"a cluster has at least 1 broker, not {brokers}")
        if port < 0 or port + brokers - 1 > 65_535:
            raise BrokerError(f"a port is a number from 0 (any free one) to 65535, not {port}")
        self._wanted_data_dir = data_dir
        self._wanted_port = port
        self._fixed_ports = range(port, port + brokers) if port else range(0)
        self._brokers = brokers
        self._heap = heap
        self._timeout = timeout
        self._settings = dict(settings or {})
        self._directory: DataDirectory | None = None
        self._ports: list[NodePorts] = []
        self._nodes: list[Node] = []

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def bootstrap(self) -> str:
        """``127.0.0.1:9092``, several of them separated by commas: what Kafka clients ask for."""
        return ",".join(f"{HOST}:{port.broker}" for port in self._ports)

    @property
    def data_dir(self) -> Path:
        """Where the running cluster keeps everything."""
        if self._directory is None:
            raise BrokerError("the cluster is not running")
        return self._directory.path

    def pid(self, node: int) -> int | None:
        """The process id of a node's Java, None if it does not run."""
        return self._node(node).pid

    def log(self, node: int) -> Path:
        """The log of a node."""
        return self._node(node).log

    def start(self) -> None:
        """Start all nodes and wait until each of them sees all of them alive."""
        if self._directory is not None:
            raise BrokerError("the cluster is already running")
        jars = JarSet.load(KAFKA_LOCK_FILE).paths()
        kafka = Kafka(find_java(), jars, self._heap)
        self._directory = DataDirectory(self._wanted_data_dir, self._brokers)
        try:
            self._directory.require_space()
            for attempt in range(_PORT_ATTEMPTS):
                try:
                    self._launch(kafka, self._directory)
                    break
                except PortTakenError as error:
                    # A free port was taken before Java bound it. The ports that the caller fixed
                    # cannot be chosen anew.
                    if error.port in self._fixed_ports or attempt == _PORT_ATTEMPTS - 1:
                        raise
                    for node in self._nodes:
                        node.kill()
        except BaseException as error:
            # Also on Ctrl-C during a start: nothing may be left behind.
            where = self._directory.path
            self._end(grace=0)
            if isinstance(error, OSError):
                raise BrokerError(
                    f"the data directory {where} cannot be used: {error.strerror}"
                ) from error
            raise

    def stop(self) -> None:
        """End all nodes in order, killing those that take too long. Harmless if none runs.

        Nodes on a temporary directory are killed at once: what they would tidy up is removed.
        """
        in_order = self._directory is not None and not self._directory.temporary
        self._end(grace=_STOP_GRACE_S if in_order else 0)

    def wait(self) -> None:
        """Block until a node ends by itself, and raise BrokerError that says why."""
        while True:
            require_running(self._nodes)
            time.sleep(_POLL_S)

    def kill(self, node: int) -> None:
        """``kill -9`` one node and wait until it is gone."""
        self._node(node).kill()

    def pause(self, node: int) -> None:
        """Freeze one node (SIGSTOP): its connections stay, its answers do not come."""
        self._node(node).pause()

    def resume(self, node: int) -> None:
        """Let a paused node go on."""
        self._node(node).resume()

    def restart(self, node: int, *, wait: bool = True) -> None:
        """Start a node again on its port and data (stopping it first if it runs).

        Waits until it answers as a member of the cluster, which takes a majority of the nodes;
        with ``wait=False`` it returns at once, as needed after the loss of that majority.
        """
        again = self._node(node)
        again.terminate()
        if not again.wait(_STOP_GRACE_S):
            again.kill()
        assert self._directory is not None, "a node exists only in a started cluster"
        again.start(inherit=[self._directory.lock_fd])
        if wait:
            await_members([again], {node}, self._directory.cluster_id, self._timeout)

    def _launch(self, kafka: Kafka, directory: DataDirectory) -> None:
        """One attempt: choose ports, write the settings, start, wait for the answers."""
        self._ports = choose_ports(self._wanted_port, self._brokers)
        self._nodes = []
        for node_id, ports in enumerate(self._ports, start=1):
            home = directory.node(node_id)
            text = server_properties(node_id, self._ports, home / "kafka", self._settings)
            (home / "server.properties").write_text(text)
            self._nodes.append(Node(node_id, ports, home, kafka.server(home)))
        fresh = [node.directory for node in self._nodes if not is_formatted(node.directory)]
        with ThreadPoolExecutor() as pool:
            # The list is for its exceptions: an unread map would swallow them.
            list(pool.map(lambda home: kafka.format(home, directory.cluster_id), fresh))
        for node in self._nodes:
            node.start(inherit=[directory.lock_fd])
        everybody = {node.node_id for node in self._nodes}
        await_members(self._nodes, everybody, directory.cluster_id, self._timeout)

    def _end(self, grace: float) -> None:
        """Leave no process and no lock; nodes that are to end in order get ``grace`` s for it."""
        try:
            if grace:
                for node in self._nodes:
                    node.terminate()
                deadline = time.monotonic() + grace
                for node in self._nodes:
                    node.wait(max(0.0, deadline - time.monotonic()))
        finally:
            for node in self._nodes:
                node.kill()
            if self._directory:
                self._directory.close()
            self._directory, self._nodes, self._ports = None, [], []

    def _node(self, node_id: int) -> Node:
        if not 1 <= node_id <= len(self._nodes):
            raise BrokerError(f"there is no running node {node_id}: {len(self._nodes)} are")
        return self._nodes[node_id - 1]
