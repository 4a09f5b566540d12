"""One Kafka node: a Java process that ends with this process, whatever ends this process."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

from evcharge.broker.errors import BrokerError
from evcharge.broker.guard import ENDED, guarded
from evcharge.broker.ports import NodePorts


class Node:
    """A node's process, started at most once at a time; ``node_id`` counts from 1."""

    def __init__(
        self, node_id: int, ports: NodePorts, directory: Path, command: Sequence[str]
    ) -> None:
        self.node_id = node_id
        self.ports = ports
        self.directory = directory
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None
        self._log_start = 0

    @property
    def log(self) -> Path:
        """Kafka's own log."""
        return self.directory / "logs" / "server.log"

    @property
    def console(self) -> Path:
        """What Java itself said since its last start."""
        return self.directory / "logs" / "console.log"

    @property
    def pid(self) -> int | None:
        """The process id of the running Java, None if it does not run."""
        process = self._process
        return process.pid if process and process.poll() is None else None

    @property
    def exit_code(self) -> int | None:
        """How the process ended; None while it runs and before it was ever started."""
        return self._process.poll() if self._process else None

    def start(self, inherit: Sequence[int] = ()) -> None:
        """Start Java, which keeps the given file descriptors open; does not wait for it."""
        if self.pid is not None:
            raise BrokerError(f"Kafka node {self.node_id} is already running")
        self._release_guard()
        self._log_start = self.log.stat().st_size if self.log.exists() else 0
        with self.console.open("wb") as console:
            self._process = subprocess.Popen(
                guarded("kafka", self._command),
                stdin=subprocess.PIPE,
                stdout=console,
                stderr=subprocess.STDOUT,
                pass_fds=inherit,
                # Ctrl-C in the terminal is for us: the nodes are stopped in our order.
                start_new_session=True,
            )

    def terminate(self) -> None:
        """Ask the node to end in order, also if it is paused; does not wait."""
        self.resume()
        self.signal(signal.SIGTERM)

    def wait(self, timeout: float) -> bool:
        """Wait for its end; False if it still runs after ``timeout`` s."""
        if self._process is None:
            return True
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout)
            self._release_guard()
            return True
        return False

    def kill(self) -> None:
        """End it as a power cut would, and wait until it is gone."""
        self.signal(signal.SIGKILL)
        if self._process:
            self._process.wait()
            self._release_guard()

    def pause(self) -> None:
        """Stop its clock: it holds its connections and answers nothing."""
        self.signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused node go on; no effect on one that runs."""
        self.signal(signal.SIGCONT)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal if it runs."""
        if self._process:
            self._process.send_signal(number)

    def new_log_lines(self) -> list[str]:
        """What its log has since its last start."""
        if not self.log.exists():
            return []
        with self.log.open("rb") as file:
            # Smaller than at the start: rotated since, so all of it is new.
            if os.fstat(file.fileno()).st_size >= self._log_start:
                file.seek(self._log_start)
            return file.read().decode(errors="replace").splitlines()

    def _release_guard(self) -> None:
        if self._process and self._process.stdin and not self._process.stdin.closed:
            # The guard may be gone already, if somebody killed the whole session.
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.write(ENDED)
                self._process.stdin.flush()
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
