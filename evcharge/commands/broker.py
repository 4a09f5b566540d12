"""``broker``: the embedded Apache Kafka in the foreground."""

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import click

from evcharge.broker import KafkaCluster
from evcharge.commands.base import ProjectCommand, option, say


class Broker(ProjectCommand):
    """Run an embedded Apache Kafka in the foreground, for trying things out and for tests.

    Needs neither Docker nor an installed Java. The first start downloads Apache Kafka (45 MB) into the
    user's cache directory. Once it answers, its address is the first line on standard output; Ctrl-C
    stops it. Listens on 127.0.0.1 only.
    """

    options = [  # noqa: RUF012 - declared as Faust does
        option(
            "--port",
            type=click.IntRange(0, 65_535),
            default=9092,
            help="Port to listen on, more brokers on those that follow; 0 picks free ones.",
        ),
        option(
            "--data",
            type=click.Path(path_type=Path, file_okay=False),
            help="Directory that keeps the data; without it they are gone at the end.",
        ),
        option("--brokers", type=click.IntRange(1, 9), default=1, help="How many brokers to run."),
    ]

    async def run(self, *, port: int, data: Path | None, brokers: int, **_: Any) -> int:
        """Run until asked to stop."""
        return run_broker(port, data, brokers)


def run_broker(port: int, data: Path | None, brokers: int) -> int:
    """Run until SIGINT or SIGTERM; returns the exit code. BrokerError if Kafka cannot go on.

    Once it answers, ``host:port`` of the first broker is the only line on standard output; all else
    goes to standard error. To be called in the main thread, which is where signals arrive.
    """
    try:
        with _stop_signals_raise():
            _serve(port, data, brokers)
    except _StopAskedError:
        return 0
    return 0


def _serve(port: int, data: Path | None, brokers: int) -> None:
    say(f"starting Apache Kafka ({brokers} broker{'s' if brokers > 1 else ''})")
    started = time.monotonic()
    with KafkaCluster(data, port, brokers) as cluster:
        kept = "temporary, removed at the end" if data is None else "kept"
        say(f"data directory {cluster.data_dir} ({kept})")
        took = time.monotonic() - started
        say(f"Apache Kafka answers on {cluster.bootstrap} after {took:.1f} s; Ctrl-C stops it")
        sys.stdout.write(cluster.bootstrap.split(",")[0] + "\n")
        sys.stdout.flush()
        cluster.wait()


class _StopAskedError(BaseException):
    """Somebody asked us to stop. Not an Exception, so that nothing on the way handles it."""


@contextmanager
def _stop_signals_raise() -> Iterator[None]:
    """Turn the first SIGINT or SIGTERM into _StopAskedError and ignore those after it.

    A second Ctrl-C would otherwise break the orderly stop that the first one began.
    """

    def stop(_number: int, _frame: FrameType | None) -> None:
        for one in before:
            signal.signal(one, signal.SIG_IGN)
        raise _StopAskedError

    before = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)}
    for one in before:
        signal.signal(one, stop)
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
