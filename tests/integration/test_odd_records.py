"""What only odd clients send: names that are no text, nothing at all, bombs, aborted writes."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import MessageSizeTooLargeError

from tests.eventually import eventually
from tests.integration.deployment import Deployment, metric
from tests.integration.test_first_events import look
from tests.integration.test_junk import dead_letters
from tests.odd_batches import GZIP, LZ4, SNAPPY, ZSTD, OddRecord, send_batch

pytestmark = pytest.mark.broker

HOME = 1
"""Partition of EV-001 among eight."""
NAMES: Sequence[tuple[bytes, bytes | None]] = ((b"\xff\xfe", b"\x00"), (b"caf\xe9", None))


def closed(session_id: str, station_id: str = "EV-001") -> bytes:
    """Return a session that a device reports when it is over."""
    return json.dumps(
        {
            "session_id": session_id,
            "station_id": station_id,
            "start_time": "2023-05-01T10:15:30Z",
            "end_time": "2023-05-01T12:00:00Z",
            "energy_kwh": 22.5,
        }
    ).encode()


@asynccontextmanager
async def device(deployment: Deployment, **settings: Any) -> AsyncIterator[AIOKafkaProducer]:
    """A producer as a device has it."""
    async with AIOKafkaProducer(
        bootstrap_servers=deployment.bootstrap, max_request_size=64 << 20, **settings
    ) as producer:
        yield producer


@pytest.mark.parametrize(
    ("odd_at", "chunk_records"), [({0}, "2000"), ({4}, "2"), ({8}, "2000"), (set(range(9)), "2")]
)
async def test_a_header_name_that_is_no_text_holds_nothing_up(
    deployment: Deployment, odd_at: set[int], chunk_records: str
) -> None:
    deployment.variables["EVCHARGE_CHUNK_RECORDS"] = chunk_records
    worker = deployment.worker().start().ready()
    topic = deployment.settings.topic("charging-sessions")
    async with device(deployment) as producer:
        # given good records before, after, and in other partitions (all of them for station EV-001)
        for batch in range(3):
            odd = odd_at if batch == 1 else set()
            records = [
                OddRecord(closed(f"S-{batch}-{n}"), NAMES if n in odd else ()) for n in range(9)
            ]
            await send_batch(producer, topic, HOME, records)
            for other in (3, 5):
                await send_batch(producer, topic, other, [OddRecord(closed(f"S-{other}-{batch}"))])

    eventually(lambda: metric(worker, "evcharge_records_applied_total") == 33)
    await deployment.applied()
    for session in [*(f"S-{b}-{n}" for b in range(3) for n in range(9)), "S-3-0", "S-5-2"]:
        assert worker.get(f"/v1/sessions/{session}")[0] == 200, session
    assert await deployment.records("dead-letters") == []

    # and a restart goes on behind them
    assert worker.stop() == 0
    worker.start().ready()
    await deployment.produce("charging-sessions", [closed("S-after")], partition=HOME)
    eventually(partial(look, worker, "/v1/sessions/S-after"))
    assert metric(worker, "evcharge_records_applied_total") == 1


async def test_a_fresh_worker_reads_past_header_names_that_are_no_text(
    deployment: Deployment,
) -> None:
    assert deployment.command("topics").returncode == 0
    topic = deployment.settings.topic("charging-sessions")
    async with device(deployment) as producer:
        for partition in range(8):
            records = [OddRecord(closed(f"S-{partition}-{n}"), NAMES) for n in range(100)]
            await send_batch(producer, topic, partition, records)

    worker = deployment.worker().start().ready()

    eventually(lambda: metric(worker, "evcharge_records_applied_total") == 800)


async def test_rejected_and_rerouted_records_keep_their_bytes_and_readable_names(
    deployment: Deployment,
) -> None:
    worker = deployment.worker().start().ready()
    topic = deployment.settings.topic("charging-sessions")
    junk = OddRecord(b"\xff\x00junk", NAMES, b"\xfe")
    async with device(deployment) as producer:
        await send_batch(producer, topic, 3, [junk, OddRecord(closed("S1"), NAMES)])

    eventually(partial(look, worker, "/v1/sessions/S1"))
    [letter] = await dead_letters(deployment, 1)
    assert (letter.key, letter.value) == (junk.key, junk.value)
    assert letter.headers[:2] == (("\\xff\\xfe", b"\x00"), ("caf\\xe9", None))
    [rerouted] = await deployment.records("charging-sessions-rerouted")
    assert rerouted.value == closed("S1")
    assert rerouted.headers[:2] == (("\\xff\\xfe", b"\x00"), ("caf\\xe9", None))


async def test_the_largest_record_with_names_that_grow_is_a_dead_letter(
    deployment: Deployment,
) -> None:
    worker = deployment.worker().start().ready()
    largest = OddRecord(b"junk", [(b"\xff" * 1_000_000, None)])
    rerouted = OddRecord(closed("S1"), [(b"\xff" * 1_000_000, None)])
    async with device(deployment) as producer:
        for record in (largest, rerouted):
            topic = deployment.settings.topic("charging-sessions")
            await send_batch(producer, topic, 3, [record])

    [letter] = await dead_letters(deployment, 1)
    assert letter.headers[0][0] == "\\xff" * 1_000_000
    eventually(partial(look, worker, "/v1/sessions/S1"))


async def test_a_register_entry_with_a_header_name_that_is_no_text_counts(
    deployment: Deployment,
) -> None:
    worker = deployment.worker().start().ready()
    topic = deployment.settings.topic("stations")
    async with device(deployment) as producer:
        for number in range(3):
            station = {"station_id": f"EV-{number}", "name": f"Station {number}"}
            headers = NAMES if number == 1 else ()
            record = OddRecord(json.dumps(station).encode(), headers, f"EV-{number}".encode())
            await send_batch(producer, topic, 0, [record])

    for number in range(3):
        eventually(partial(look, worker, f"/v1/stations/EV-{number}"))

    # also when it is read from the beginning
    second = deployment.worker("worker-2").start().ready()
    assert second.get("/v1/stations/EV-1")[1]["name"] == "Station 1"


@pytest.mark.parametrize("headers", [(), ((b"a", None), (b"source-offset", None))])
async def test_a_record_with_neither_key_nor_value_is_a_dead_letter(
    deployment: Deployment, headers: Sequence[tuple[bytes, bytes | None]]
) -> None:
    worker = deployment.worker().start().ready()
    async with device(deployment) as producer:
        for topic in ("station-status", "charging-sessions"):
            records = [OddRecord(None, headers), OddRecord(None, [(b"x", b"y" * 900_000)])]
            for record in records:
                await send_batch(producer, deployment.settings.topic(topic), 2, [record])

    letters = await dead_letters(deployment, 4)
    assert [(letter.key, letter.value) for letter in letters] == [(None, None)] * 4
    assert {dict(letter.headers)["reason"] for letter in letters} == {b"no-value"}
    assert worker.alive


async def test_null_values_of_headers_named_like_ours_do_no_harm(deployment: Deployment) -> None:
    worker = deployment.worker().start().ready()
    names = (b"source-partition", b"source-offset", b"ingest-ms", b"reason", b"detail", b"offset")
    headers = [(name, None) for name in names]
    async with device(deployment) as producer:
        for topic in ("charging-sessions", "charging-sessions-rerouted"):
            records = [OddRecord(closed(f"in-{topic}"), headers), OddRecord(b"junk", headers)]
            await send_batch(producer, deployment.settings.topic(topic), 4, records)

    eventually(partial(look, worker, "/v1/sessions/in-charging-sessions"))
    assert len(await dead_letters(deployment, 2)) >= 2
    assert worker.alive


async def test_compressed_events_are_applied(deployment: Deployment) -> None:
    worker = deployment.worker().start().ready()
    topic = deployment.settings.topic("charging-sessions")
    async with device(deployment) as producer:
        for codec in (GZIP, SNAPPY, LZ4, ZSTD):
            records = [OddRecord(closed(f"S{codec}-{n}")) for n in range(20)]
            await send_batch(producer, topic, HOME, records, codec=codec)

    eventually(lambda: metric(worker, "evcharge_records_applied_total") == 80)


async def test_compressed_events_of_a_topic_that_keeps_them_compressed_are_applied(
    deployment: Deployment,
) -> None:
    # given topics that were made with other settings
    assert deployment.command("topics").returncode == 0
    topic = deployment.settings.topic("charging-sessions")
    await set_compression(deployment, topic, "producer")
    worker = deployment.worker().start().ready()
    async with device(deployment) as producer:
        for codec in (GZIP, SNAPPY, LZ4, ZSTD):
            records = [OddRecord(closed(f"S{codec}-{n}"), NAMES) for n in range(20)]
            await send_batch(producer, topic, HOME, records, codec=codec)

    eventually(lambda: metric(worker, "evcharge_records_applied_total") == 80)
    report = deployment.command("topics")
    assert "compression.type is producer, expected uncompressed" in report.stdout + report.stderr


async def set_compression(deployment: Deployment, topic: str, compression: str) -> None:
    from aiokafka.admin import AIOKafkaAdminClient
    from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

    admin = AIOKafkaAdminClient(bootstrap_servers=deployment.bootstrap)
    await admin.start()
    try:
        configs = {"compression.type": compression, "message.timestamp.type": "LogAppendTime"}
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, configs)])
    finally:
        await admin.close()


@pytest.mark.parametrize("codec", [GZIP, ZSTD])
async def test_a_compressed_bomb_is_refused_at_the_producer(
    deployment: Deployment, codec: int
) -> None:
    assert deployment.command("topics").returncode == 0
    small = [OddRecord(b"x" * (1 << 20))] * 50
    # The same, as large as a batch may be while it is compressed.
    large = [OddRecord(os.urandom(900 << 10)), *small]
    async with device(deployment) as producer:
        for topic in ("station-status", "charging-sessions", "stations", "tariffs"):
            name = deployment.settings.topic(topic)
            for bomb in (small, large):
                with pytest.raises(MessageSizeTooLargeError):
                    await send_batch(producer, name, 0, bomb, codec=codec)
            assert await deployment.records(topic) == []


async def test_what_a_transaction_aborted_never_happened(deployment: Deployment) -> None:
    worker = deployment.worker().start().ready()
    topic = deployment.settings.topic("charging-sessions")
    async with device(deployment, transactional_id=deployment.settings.app_id) as producer:
        for round_number in range(3):
            for headers in ((), NAMES):
                name = f"{round_number}-{len(headers)}"
                await producer.begin_transaction()
                records = [OddRecord(closed(f"aborted-{name}"), headers)]
                await send_batch(producer, topic, HOME, records, transactional=True)
                await producer.abort_transaction()
                await producer.begin_transaction()
                records = [OddRecord(closed(f"committed-{name}"), headers)]
                await send_batch(producer, topic, HOME, records, transactional=True)
                await producer.commit_transaction()

    eventually(lambda: metric(worker, "evcharge_records_applied_total") == 6)
    sessions = {s["session_id"] for s in worker.pages("/v1/stations/EV-001/sessions", "sessions")}
    assert sessions == {f"committed-{r}-{h}" for r in range(3) for h in (0, 2)}
    # and a restart goes on behind them
    assert worker.stop() == 0
    worker.start().ready()
    await deployment.produce("charging-sessions", [closed("S-after")], partition=HOME)
    eventually(partial(look, worker, "/v1/sessions/S-after"))
    assert metric(worker, "evcharge_records_applied_total") == 1


async def test_what_somebody_writes_into_topics_of_our_own_stops_nothing(
    deployment: Deployment,
) -> None:
    worker = deployment.worker().start().ready()
    zeros = bytes(20 << 20)  # 20 KB while they are compressed
    decision = OddRecord(b"{}", [(b"\xff" * (4 << 20), None), (b"a", None)], zeros)
    away = OddRecord(closed("S0", "EV-003"), [(b"a", zeros)], b"EV-003")
    async with device(deployment) as producer:
        for topic, odd in (
            ("session-decisions", [OddRecord(zeros), decision, OddRecord(b"{}" + zeros[:600_000])]),
            ("charging-sessions-rerouted", [OddRecord(zeros), OddRecord(None, (), zeros), away]),
            ("station-status-rerouted", [OddRecord(b"junk", [(b"a", zeros)])]),
        ):
            name = deployment.settings.topic(topic)
            await send_batch(producer, name, HOME, odd, codec=GZIP)

    letters = await dead_letters(deployment, 7)
    reasons = Counter(dict(each.headers)["reason"].decode() for each in letters)
    assert reasons == {"too-large": 5, "no-value": 1, "not-json": 1}
    whole = [each for each in letters if each.value is not None]
    assert [len(each.value) for each in whole] == [600_002]
    assert all(
        b"left where they were" in dict(e.headers)["detail"] for e in letters if e not in whole
    )
    # and all goes on, also behind a restart
    await deployment.produce("charging-sessions", [closed("S1")], partition=HOME)
    eventually(partial(look, worker, "/v1/sessions/S1"))
    assert worker.stop() == 0
    worker.start().ready()
    await deployment.produce("charging-sessions", [closed("S2")], partition=HOME)
    eventually(partial(look, worker, "/v1/sessions/S2"))
    await deployment.applied()
    # what is in the rerouted topics and was never rerouted
    assert "evcharge: 4 differences" in deployment.command("verify").stderr
