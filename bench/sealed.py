"""Puts sealed sessions into Kafka, as workers would have sealed them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from zoneinfo import ZoneInfo

from aiokafka.producer.message_accumulator import BatchBuilder

from bench.events import station_id
from bench.finished_session import TARIFF, session
from bench.notice import Notice
from bench.preload import PARTITIONS, producer, stream_variables
from evcharge.domain.billing.account import facts_of
from evcharge.domain.billing.bill import Bill, evidence_of
from evcharge.domain.billing.terms import Terms
from evcharge.domain.pricing import price, session_usage
from evcharge.domain.session import Limits, fold
from evcharge.events.cost import cost_bytes
from evcharge.events.sealed_session import encode_bill
from evcharge.kafka.partitioning import partition_of
from evcharge.past_bills.tariff_file import read_tariff
from evcharge.settings import Settings
from evcharge.topics import ensure_topics

STATIONS = 2_000
ZONE = "Europe/Paris"


def sealed_sessions(count: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield keys and values of so many sessions like the one of the figure `pricing`, each a user's."""
    tariff = read_tariff("the tariff", json.dumps(TARIFF).encode())
    records = [record._replace(user_id="U1") for record in session()]
    limits = Limits()
    state = fold(records, limits)
    usage = session_usage(state, records, ZoneInfo(ZONE), limits)
    assert usage is not None, "it ended"
    terms = Terms(TARIFF["id"], None, tariff.digest, ZONE)
    cost = price(tariff.plan, usage)
    text = cost_bytes(cost)
    bill = Bill(
        "",
        "",
        1,
        state,
        facts_of(state),
        terms,
        tariff,
        usage.segments,
        cost,
        evidence_of(records, len(records)),
        # Now: workers have not forgotten them.
        time.time_ns() // 1_000,
    )
    for number in range(count):
        station = station_id(number % STATIONS)
        mine = bill._replace(station_id=station, session_id=f"S{number:07d}")
        yield station.encode(), encode_bill(mine, text)


async def preload_sealed(bootstrap: str, prefix: str, count: int) -> None:
    """Make the topics of a prefix, and fill `sealed-sessions`."""
    settings = Settings.from_env(stream_variables(bootstrap, prefix))
    await ensure_topics(settings)
    topic = settings.topic("sealed-sessions")
    batches: dict[int, BatchBuilder] = {}
    async with producer(bootstrap) as kafka:
        with Notice(f"loading {count:,} sealed sessions") as notice:
            for done, (key, value) in enumerate(sealed_sessions(count), 1):
                partition = partition_of(key, PARTITIONS)
                batch = batches.get(partition) or kafka.create_batch()
                if batch.append(timestamp=None, key=key, value=value) is None:
                    await kafka.send_batch(batch, topic, partition=partition)
                    batch = kafka.create_batch()
                    batch.append(timestamp=None, key=key, value=value)
                batches[partition] = batch
                if not done % 10_000:
                    notice.progress(done)
            for partition, batch in batches.items():
                await kafka.send_batch(batch, topic, partition=partition)
            await kafka.flush()
