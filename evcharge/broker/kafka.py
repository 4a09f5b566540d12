"""The Java command lines of Kafka: format a node's directory, run a node."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from evcharge.broker.errors import BrokerError
from evcharge.broker.java import Java

_LOG4J_CONFIG = Path(__file__).with_name("log4j2.xml")


def is_formatted(node: Path) -> bool:
    """Whether the node's directory already has a storage: it is never made anew."""
    return (node / "kafka" / "meta.properties").exists()


def first_complaint(console: str) -> str:
    """The first line that tells what went wrong in what Java printed; empty if none does."""
    for line in console.splitlines():
        # Newer Javas warn about Kafka's ways first, whether it works or not.
        if line.strip() and not line.startswith(("WARNING: ", "Picked up ")):
            return line.strip().removeprefix('Exception in thread "main" ')
    return ""


@dataclass(frozen=True)
class Kafka:
    """A Java, Kafka's class path and the heap that a node gets (as in ``-Xmx512m``).

    The heap has its size from the start, as in Kafka's own start script: one that grows as it is needed is
    full every two seconds under a light load, and the node stands still for 30 ms each time.
    """

    java: Java
    jars: Sequence[Path]
    heap: str

    def server(self, node: Path) -> list[str]:
        """The command that runs the node whose directory is given, in the foreground."""
        return [
            *self._java(
                node, f"-Xms{self.heap}", f"-Xmx{self.heap}", "-XX:+ExitOnOutOfMemoryError"
            ),
            "kafka.Kafka",
            str(node / "server.properties"),
        ]

    def format(self, node: Path, cluster_id: str) -> None:
        """Make the node's empty storage; raises BrokerError if Kafka refuses."""
        # Only the quick compiler: this Java lives for less than a second.
        java = self._java(node, "-Xmx128m", "-XX:TieredStopAtLevel=1")
        arguments = ["format", f"--cluster-id={cluster_id}", "--ignore-formatted"]
        command = [*java, "kafka.tools.StorageTool", *arguments]
        formatted = subprocess.run(
            [*command, "--config", str(node / "server.properties")],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        if formatted.returncode != 0:
            reason = first_complaint(formatted.stderr) or first_complaint(formatted.stdout)
            raise BrokerError(f"Kafka could not prepare {node}: {reason}")

    def _java(self, node: Path, *options: str) -> list[str]:
        logs = node / "logs"
        return [
            str(self.java.executable),
            *options,
            # One thread collects a heap of this size fast enough, and leaves the cores to others.
            "-XX:+UseSerialGC",
            "-Djava.awt.headless=true",
            f"-Dlog4j2.configurationFile={_LOG4J_CONFIG}",
            f"-Devcharge.logs={logs}",
            f"-XX:ErrorFile={logs}/java-crash.log",
            "-cp",
            ":".join(map(str, self.jars)),
        ]
