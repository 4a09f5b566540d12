"""`python -m bench [FIGURE…]`: measures, writes bench/result.json, prints the table."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
import time
from pathlib import Path

from bench.machine import record
from bench.notice import say
from bench.result import Figure, as_text, missing, write
from bench.scene import Scene, set_scene
from bench.sizes import DEFAULT, FULL
from evcharge.errors import EvchargeError

HERE = Path(__file__).resolve().parent
RESULT = HERE / "result.json"
MACHINE = HERE / "machine.json"

QUIET = 0.5
"""Load average above which the machine is not free for a measurement."""


def main() -> int:
    """Measure the figures asked for, or all; 1 if one was missed."""
    from bench.figures import FIGURES

    parser = argparse.ArgumentParser(prog="make bench ARGS=", description=__doc__)
    parser.add_argument("figures", nargs="*", metavar="FIGURE", help=", ".join(FIGURES))
    wanted = parser.parse_args().figures or list(FIGURES)
    if unknown := [each for each in wanted if each not in FIGURES]:
        parser.error(f"there is no figure {unknown[0]}: there are {', '.join(FIGURES)}")
    # What is normal here (topics that are new, groups that nobody knows yet) is a warning to it.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    # As Ctrl-C: everything is ended and removed on the way out.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        figures = _measure(wanted)
    except KeyboardInterrupt:
        print("interrupted: nothing is left behind", file=sys.stderr)
        return 130
    except EvchargeError as problem:
        print(problem, file=sys.stderr)
        return 1
    print(as_text(json.loads(RESULT.read_text(encoding="utf-8"))))
    return 0 if all(figure.met for figure in figures) else 1


def _measure(wanted: list[str]) -> list[Figure]:
    full = os.environ.get("BENCH_FULL", "") not in {"", "0"}
    began, load = time.time(), os.getloadavg()[0]
    if load > QUIET:
        say(
            f"something else is running (load average {load:.1f}): figures will be off, least those by"
            " CPU time"
        )
    with set_scene(FULL if full else DEFAULT) as scene:
        figures = asyncio.run(_all(scene, wanted))
    MACHINE.write_text(
        json.dumps(record(began, load, full=full), indent=1) + "\n", encoding="utf-8"
    )
    return figures


async def _all(scene: Scene, wanted: list[str]) -> list[Figure]:
    from bench.figures import FIGURES

    figures: list[Figure] = []
    for name in wanted:
        print(f"{name}", file=sys.stderr)
        scene.stay_on_kafkas_core()
        try:
            # One by one: what was measured before a failure is kept.
            async for figure in FIGURES[name](scene):
                figures.append(figure)  # noqa: PERF401
        except EvchargeError as problem:
            say(f"not measured: {problem}")
            figures.append(missing(name))
        # After each, so that an interrupted run has told what it knew.
        write(figures, RESULT)
    return figures


if __name__ == "__main__":
    sys.exit(main())
