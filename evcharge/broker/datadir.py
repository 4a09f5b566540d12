"""The directory that holds a cluster: its identity, its nodes, and a lock against a second start.

::

    cluster.json    cluster id and number of brokers, written once
    .lock           held while the cluster runs; its text is the process that holds it
    node-N/         one node: server.properties, kafka/ (the records), logs/server.log

Everything else in the directory is left alone.
"""

import base64
import fcntl
import json
import os
import shutil
import tempfile
import time
import uuid
from pathlib import Path

from evcharge.broker.errors import BrokerError

_LEAST_FREE_BYTES = 100 * 1024 * 1024
_LOCK_PATIENCE_S = 3.0
_FIRST_OWN_FD = 10


class DataDirectory:
    """A cluster's directory, locked from construction until ``close``.

    With None it is a temporary one, removed by ``close``. Raises BrokerError if it cannot be used:
    not writable, full, in use by another process, or made for another number of nodes.
    """

    def __init__(self, path: Path | None, nodes: int) -> None:
        self.temporary = path is None
        try:
            self.path = path.absolute() if path else Path(tempfile.mkdtemp(prefix="evcharge-"))
            self.path.mkdir(parents=True, exist_ok=True)
            self.lock_fd = self._lock()
            try:
                self.cluster_id = self._identity(nodes)
            except BaseException:
                self.close()
                raise
        except OSError as error:
            where = path or tempfile.gettempdir()
            raise BrokerError(
                f"the data directory {where} cannot be written: {error.strerror}"
            ) from error

    def node(self, node_id: int) -> Path:
        """The directory of one node, with its ``logs`` in it."""
        directory = self.path / f"node-{node_id}"
        (directory / "logs").mkdir(parents=True, exist_ok=True)
        return directory

    def require_space(self) -> None:
        """Raises BrokerError when too little of the disk is left for a broker to start."""
        free = shutil.disk_usage(self.path).free
        if free < _LEAST_FREE_BYTES:
            raise BrokerError(
                f"the disk of the data directory {self.path} is full ({free / 1e6:.0f} MB left): "
                "free some space or choose another directory with --data"
            )

    def close(self) -> None:
        """Release the lock and remove the directory if it is a temporary one. Once only."""
        if self.temporary:
            shutil.rmtree(self.path, ignore_errors=True)
        # Not only closed: a Java process that inherited it and is still ending would keep it.
        fcntl.flock(self.lock_fd, fcntl.LOCK_UN)
        os.close(self.lock_fd)

    def _lock(self) -> int:
        """Take the lock, and return a file descriptor to be inherited by the Java processes.

        So the lock is held until this process *and* its Java are gone, and a start right after a
        ``kill -9`` waits here for the old Java's end instead of meeting it.
        """
        file = self.path / ".lock"
        with file.open("a+") as opened:
            # Above the descriptors that the shell in node.py uses for itself.
            descriptor = fcntl.fcntl(opened, fcntl.F_DUPFD_CLOEXEC, _FIRST_OWN_FD)
        deadline = time.monotonic() + _LOCK_PATIENCE_S
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() < deadline:
                    time.sleep(0.05)
                    continue
                os.close(descriptor)
                holder = file.read_text() or "unknown"
                raise BrokerError(
                    f"the data directory {self.path} is in use by another broker "
                    f"(process {holder}): stop that one or choose another directory with --data"
                ) from None
        file.write_text(str(os.getpid()))
        return descriptor

    def _identity(self, nodes: int) -> str:
        """The cluster id, read from cluster.json or made and written there."""
        file = self.path / "cluster.json"
        if file.exists():
            known = json.loads(file.read_text())
            if known["brokers"] != nodes:
                raise BrokerError(
                    f"the data directory {self.path} holds a cluster of {known['brokers']} "
                    f"brokers, not of {nodes}: choose another with --data"
                )
            return str(known["cluster_id"])
        cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        draft = file.with_suffix(".tmp")
        draft.write_text(json.dumps({"cluster_id": cluster_id, "brokers": nodes}))
        draft.replace(file)
        return cluster_id
