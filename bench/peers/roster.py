"""All peers, ready to be started."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from bench.peers.kafka_streams.build import build
from bench.preload import Stream
from bench.programs import Peer
from evcharge.errors import CommandError

QUIX_PYTHON = Path(__file__).resolve().parents[2] / ".venv-bench" / "quix" / "bin" / "python"

FAUST = Peer(
    "Faust",
    (sys.executable, "-m", "bench.peers.faust_peer"),
    "at-least-once",
    changelogs=("stations", "sessions", "records"),
)


def quix(guarantee: str) -> Peer:
    """Return Quix Streams; raises CommandError if it is not installed."""
    if not QUIX_PYTHON.exists():
        raise CommandError("Quix Streams is not installed: `make bench` makes .venv-bench for it")
    start = (str(QUIX_PYTHON), "-m", "bench.peers.quix_peer")
    return Peer(_named("Quix Streams", guarantee), start, guarantee)


@dataclass(frozen=True)
class KafkaStreams:
    """Kafka Streams, compiled once; `warm_up` is what it works off before anything is measured."""

    start: tuple[str, ...]
    warm_up: Stream

    @classmethod
    def compiled(cls, directory: Path, warm_up: Stream) -> KafkaStreams:
        """Compile into a directory."""
        return cls(build(directory), warm_up)

    def peer(self, guarantee: str) -> Peer:
        """Return the usual code."""
        return self._warm("Kafka Streams", guarantee, "--code=plain")

    def by_hand(self, guarantee: str) -> Peer:
        """Return the code that is written by hand for speed."""
        return self._warm("Kafka Streams by hand", guarantee, "--code=tuned")

    def without_records(self, guarantee: str) -> Peer:
        """Return the usual code for less than the job: no record of a session is kept."""
        told = ("--code=plain", "--without-records")
        return self._warm("Kafka Streams without records", guarantee, *told)

    def _warm(self, name: str, guarantee: str, *told: str) -> Peer:
        return Peer(_named(name, guarantee), (*self.start, *told), guarantee, self.warm_up)

    def filling(self, guarantee: str) -> Peer:
        """Return what takes a fleet in before anything is measured: not warm, quick to commit."""
        start = (*self.start, "--code=plain", "--commit-ms=1000")
        return Peer(_named("Kafka Streams", guarantee), start, guarantee)


def _named(name: str, guarantee: str) -> str:
    return name if guarantee == "at-least-once" else f"{name}, exactly once"
