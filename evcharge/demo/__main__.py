"""`python -m evcharge.demo`: see the package."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from evcharge.broker import KafkaCluster
from evcharge.commands.base import say
from evcharge.demo.applied import applied
from evcharge.demo.play import StoppedError, Voices, play
from evcharge.demo.stage import Stage
from evcharge.errors import EvchargeError, SettingError
from evcharge.settings import Settings

_INTERRUPTED = 130
_LOOK_S = 1.0


def main() -> int:
    """Run the demo; returns the exit code."""
    try:
        seconds = demo_seconds(os.environ.get("DEMO_SECONDS", ""))
    except SettingError as problem:
        tell(str(problem))
        return problem.exit_code
    directory = Path(tempfile.mkdtemp(prefix="evcharge-demo-"))
    try:
        tell("starting Apache Kafka")
        with KafkaCluster(directory / "kafka", port=0) as kafka:
            asyncio.run(_demo(kafka, directory, seconds))
    except (StoppedError, KeyboardInterrupt, asyncio.CancelledError):
        tell("stopped")
        code = _INTERRUPTED
    except EvchargeError as problem:
        tell(f"{problem}\nThe logs are in {directory}.")
        return 1
    except BrokenPipeError:
        # Whoever read our lines has gone; nothing may be written at the interpreter's end either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    else:
        code = 0
    shutil.rmtree(directory, ignore_errors=True)
    return code


def demo_seconds(text: str) -> float | None:
    """Read DEMO_SECONDS; empty means until Ctrl-C.

    Raises:
        SettingError: it is no number of seconds.
    """
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,5}", text) or int(text) < 5:
        raise SettingError(
            f"DEMO_SECONDS={text!r} cannot be used: expected a whole number of seconds from 5"
        )
    return float(text)


async def _demo(kafka: KafkaCluster, directory: Path, seconds: float | None) -> None:
    stage = Stage(directory, kafka.bootstrap)
    settings = Settings.from_env(stage.variables)
    stop = asyncio.Event()
    playing = asyncio.create_task(
        play(
            stage,
            seconds,
            stop=stop,
            applied=lambda within_s: applied(settings, within_s),
            voices=Voices(show, tell),
        )
    )

    def asked_to_stop() -> None:
        # The first time in order and with a summary, the second time at once.
        if stop.is_set():
            playing.cancel()
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, asked_to_stop)
    guard = asyncio.create_task(_guard(kafka, stage))
    try:
        await asyncio.wait({playing, stage.failure}, return_when=asyncio.FIRST_COMPLETED)
        if stage.failure.done():
            await stage.failure
        await playing
    finally:
        guard.cancel()
        playing.cancel()
        await stage.clear()


async def _guard(kafka: KafkaCluster, stage: Stage) -> None:
    """Kafka is no program of the stage, but its end is the demo's end as well."""
    while kafka.pid(1) is not None:  # noqa: ASYNC110 - a process id gives no event
        await asyncio.sleep(_LOOK_S)
    log = kafka.log(1).read_text(encoding="utf-8", errors="replace")
    stage.fail("Kafka ended unexpectedly", "\n".join(log.splitlines()[-15:]))


def show(line: str) -> None:
    """Write a line of the demo's result."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def tell(line: str) -> None:
    """Say what the demo is doing."""
    say(line, who="demo")


if __name__ == "__main__":
    sys.exit(main())
