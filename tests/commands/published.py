"""A deployment's topics on the shared broker, a command of ours run against them, what it wrote."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from pathlib import Path

from aiokafka import ConsumerRecord

from evcharge.settings import Settings
from evcharge.topics.catalogue import CHARGING_SESSIONS, DEVICE_TOPICS, STATION_STATUS
from evcharge.topics.setup import ensure_topics
from tests.read_topic import read_topic

ROOT = Path(__file__).parents[2]
SESSIONS, STATUS = CHARGING_SESSIONS.name, STATION_STATUS.name


class Topics:
    """The device topics of a deployment that nobody else uses."""

    def __init__(self, bootstrap: str) -> None:
        self.variables = {
            "EVCHARGE_BROKER": f"kafka://{bootstrap}",
            "EVCHARGE_TOPIC_PREFIX": f"t{uuid.uuid4().hex[:8]}.",
        }
        self.settings = Settings.from_env(self.variables)

    async def create(self) -> Topics:
        """Create the two device topics."""
        await ensure_topics(self.settings, DEVICE_TOPICS)
        return self

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start `python -m evcharge ARGUMENTS…`."""
        return subprocess.Popen(
            [sys.executable, "-m", "evcharge", *arguments],
            cwd=ROOT,
            env={**os.environ, **self.variables, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run it to its end."""
        with self.start(*arguments) as process:
            out, err = process.communicate(timeout=120)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    async def records(self, topic: str) -> list[ConsumerRecord[bytes, bytes]]:
        """Everything in a topic, partition by partition in the order of the offsets."""
        return await read_topic(self.settings.bootstrap, self.settings.topic(topic))


async def fresh_topics(bootstrap: str) -> Topics:
    """Topics that are empty."""
    return await Topics(bootstrap).create()
