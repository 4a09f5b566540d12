"""A whole run: stages on one broker and on three, until the time is over."""

from __future__ import annotations

import random
import shutil
import time
from pathlib import Path

from evcharge.broker import KafkaCluster
from tests.torture.journal import Journal
from tests.torture.stage import Stage

ROUNDS_A_STAGE = 6
STAGES_A_CLUSTER = 2

COMPACTING = {
    # Segments are closed after seconds and compacted at once, whatever is in them.
    "log.roll.ms": "2000",
    "log.cleaner.backoff.ms": "500",
    "log.cleaner.min.cleanable.ratio": "0.01",
    "log.cleaner.max.compaction.lag.ms": "2000",
}


ALONE = {
    # A broker without others that its controller takes for dead leaves its partitions without a
    # leader. Kafka 4.3.1 then takes them for deleted and never writes the markers of transactions that
    # were decided, so that readers wait for ever. Kafka's own default instead of the embedded broker's
    # impatience, and pauses shorter than that (``victims.py``).
    "broker.session.timeout.ms": "9000",
}


async def torture(
    seed: int, seconds: float, directory: Path, *, brokers: tuple[int, ...] = (1, 3)
) -> Journal:
    """Torture for so long, on clusters of so many brokers in turn; return what was done.

    Raises:
        TortureError: something is not as it has to be.
    """
    journal = Journal(directory / "journal.log")
    journal.say(f"seed {seed}, {seconds:g} s")
    ends_at = time.monotonic() + seconds
    chance = random.Random(seed)
    number = 0
    while number == 0 or time.monotonic() < ends_at:
        count = brokers[number % len(brokers)]
        kafka = directory / f"kafka-{number}"
        with KafkaCluster(
            kafka, port=0, brokers=count, heap="400m", settings=COMPACTING
        ) as cluster:
            journal.say(f"cluster of {count}: {cluster.bootstrap}")
            for stage in range(STAGES_A_CLUSTER):
                name = f"t{number}s{stage}"
                here = directory / name
                here.mkdir()
                tortured = Stage(
                    cluster, count, name, here, random.Random(chance.random()), journal
                )
                await tortured.run(ROUNDS_A_STAGE, ends_at)
                for data in filter(Path.is_dir, list(here.iterdir())):
                    shutil.rmtree(data)
                if time.monotonic() > ends_at:
                    break
        shutil.rmtree(kafka, ignore_errors=True)
        number += 1
    journal.say(f"no difference in {journal.elapsed_s:.0f} s: {journal.summary()}")
    return journal
