"""Nothing that can arrive stops a worker, and nothing that arrives is lost."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from tests.eventually import PATIENCE_S, eventually
from tests.integration.deployment import Deployment, metric
from tests.integration.test_first_events import look

pytestmark = pytest.mark.broker

VALID = (
    b'{"station_id":"EV-001","timestamp":"2023-05-01T10:15:30Z","status":"occupied"}',
    (
        b'{"event":"session_start","session_id":"S1","station_id":"EV-002",'
        b'"timestamp":"2023-05-01T10:15:30Z","connector_id":1,"user_id":"U1","meter_kwh":100.5}'
    ),
    (
        b'{"event":"session_update","session_id":"S1","station_id":"EV-002",'
        b'"timestamp":"2023-05-01T10:20:30Z","energy_kwh":1.25,"power_kw":11.0,"seq":2}'
    ),
    (
        b'{"event":"session_end","session_id":"S1","station_id":"EV-002",'
        b'"timestamp":"2023-05-01T11:15:30Z","energy_kwh":11,"reason":"EVDisconnected"}'
    ),
    (
        b'{"session_id":"S2","station_id":"EV-003","start_time":"2023-05-01T10:15:30Z",'
        b'"end_time":"2023-05-01T12:00:00Z","energy_kwh":22.5,"user_id":"U67890"}'
    ),
)

HOSTILE = (
    b"",
    b"\x00\xff\xfe" * 10,
    b"null",
    b"[]",
    b'{"station_id":"EV-001"',
    b'{"station_id":"EV-001","timestamp":"2023-05-01T10:15:30Z","status":"occupied"},{}',
    b'{"station_id":"EV-001","timestamp":"9999-12-31T23:59:59Z","status":"free"}',
    b'{"station_id":"EV-001","timestamp":"2023-05-01T10:15:30","status":"free"}',
    (
        b'{"session_id":"S","station_id":"EV-1","start_time":"2023-05-01T10:15:30Z",'
        b'"end_time":"2023-05-01T12:00:00Z","energy_kwh":NaN}'
    ),
    (
        b'{"session_id":"S","station_id":"EV-1","start_time":"2023-05-01T10:15:30Z",'
        b'"end_time":"2023-05-01T12:00:00Z","energy_kwh":1e999}'
    ),
    b'{"station_id":' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    b'{"station_id":"EV-001","status":"free","timestamp":' + b"1" * 60_000 + b"}",
    b"x" * 1_000_000,
    b'{"station_id":"EV-001","timestamp":"2023-05-01T10:15:30Z","status":"free","pad":"'
    + b"y" * 900_000
    + b'"}',
)


def mutate(rng: random.Random) -> bytes:
    """Return a valid event with some damage, or none, or plain junk."""
    event = bytearray(rng.choice(VALID))
    for _ in range(rng.choice((0, 1, 1, 2, 5))):
        at = rng.randrange(len(event))
        damage = rng.randrange(4)
        if damage == 0:
            event[at] = rng.randrange(256)
        elif damage == 1:
            del event[at : at + rng.randrange(1, 6)]
        elif damage == 2:
            event[at:at] = bytes(rng.choices(b'{}[]",:0123456789.eE-+ntfx\\', k=3))
        else:
            event[at:at] = rng.choice(VALID)[: rng.randrange(60)]
        if not event:
            break
    return bytes(event) if rng.random() < 0.97 else rng.randbytes(rng.randrange(200))


@pytest.mark.parametrize("topic", ["station-status", "charging-sessions"])
async def test_each_hostile_record_is_a_dead_letter_byte_for_byte(
    deployment: Deployment, topic: str
) -> None:
    worker = deployment.worker().start().ready()

    await deployment.produce(topic, HOSTILE, partition=3, key=b"k")

    letters = await dead_letters(deployment, len(HOSTILE))
    assert sorted(letter.value for letter in letters) == sorted(HOSTILE)
    assert {letter.key for letter in letters} == {b"k"}
    for letter in letters:
        headers = {name: value.decode() for name, value in letter.headers}
        assert headers["topic"] == deployment.settings.topic(topic)
        assert headers["partition"] == "3"
        assert HOSTILE[int(headers["offset"])] == letter.value
        assert headers["reason"]
        assert headers["detail"]
    assert worker.alive


async def dead_letters(deployment: Deployment, count: int) -> list[Any]:
    """Return the dead letters when there are as many as expected."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        letters = await deployment.records("dead-letters")
        if len(letters) >= count:
            return letters
        assert time.monotonic() < deadline, f"only {len(letters)} dead letters came"


async def test_a_hundred_thousand_fuzzed_records_are_applied_or_dead_letters(
    deployment: Deployment,
) -> None:
    worker = deployment.worker().start().ready()
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")  # noqa: T201
    rng = random.Random(seed)
    records = [mutate(rng) for _ in range(50_000)]

    await deployment.produce("station-status", records)
    await deployment.produce("charging-sessions", records)

    await deployment.applied()
    letters = await deployment.records("dead-letters")
    applied = metric(worker, "evcharge_records_applied_total")
    assert applied + len(letters) == 100_000, f"seed {seed}"
    assert applied > 10_000
    reasons = Counter(dict(letter.headers)["reason"].decode() for letter in letters)
    assert sum(reasons.values()) == metric(worker, "evcharge_records_rejected_total")
    assert worker.alive
    # It goes on as if nothing had been.
    await deployment.produce("charging-sessions", [VALID[4].replace(b"S2", b"S-after")])
    after = eventually(lambda: worker.get("/v1/sessions/S-after")[0] == 200)
    assert after


async def test_a_number_keeps_its_digits_from_the_device_to_the_answer(
    deployment: Deployment,
) -> None:
    worker = deployment.worker().start().ready()
    for number, text in enumerate(("0.1", "22.500001", "123456.789012", "0", "7.10")):
        raw = VALID[4].replace(b"S2", f"N{number}".encode()).replace(b"22.5", text.encode())
        await deployment.produce("charging-sessions", [raw])
        body = eventually(partial(look, worker, f"/v1/sessions/N{number}"))
        assert body["energy_kwh"] == json.loads(text, parse_float=Decimal)
