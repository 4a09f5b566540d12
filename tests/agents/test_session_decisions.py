"""The agent of ``session-decisions``: what was decided about a session is billed, or credited."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from evcharge.domain.session import Lifecycle
from evcharge.engine.chunk import FirstArrival
from evcharge.testing import NOW_MS, MemoryWorker
from tests.agents.billing_events import SETTINGS, decision, priced, tariff, told
from tests.agents.session_events import END, START, event
from tests.agents.test_billing import invoices_of, lifecycle, sessions_of
from tests.agents.test_forgotten_sessions import DAY_MS, reasons, rows_left

CORRECTION = event("end", 30, energy_kwh=7, correction=True)
FIRST = ("invoice", "2023-41-000001", "3.15")
CREDIT = ("credit_note", "2023-41-000002", "-3.15")
"""And what a further invoice comes to: 7 kWh, or 2."""
OF_7 = ("invoice", "2023-41-000003", "4.20")
OF_2 = ("invoice", "2023-41-000003", "1.20")


async def billed(worker: MemoryWorker) -> None:
    priced(worker)
    await worker.send("charging-sessions", START, END)


async def test_approving_a_changed_session_credits_its_invoice_and_writes_another() -> None:
    async with MemoryWorker(SETTINGS) as worker:
        await billed(worker)
        await worker.send("charging-sessions", CORRECTION)
        await worker.send("session-decisions", decision("approve", 3, "D1"))
        assert told(worker) == [FIRST, CREDIT, OF_7]
        assert lifecycle(worker) is Lifecycle.COMPLETED
        invoice, credit, _ = worker.records("invoices")
        assert credit["credits"] == {
            "invoice_id": invoice["invoice_id"],
            "number": invoice["number"],
        }
        assert len(list(invoices_of(worker).invoices_of("U1"))) == 3
        _, sealed = worker.records("sealed-sessions")
        assert sealed["decision"] == {
            "decision_id": "D1",
            "decision": "approve",
            "actor": "clerk-1",
        }
        home = worker.state.partition_of("EV-001")
        assert sealed["evidence"]["session-decisions"] == [[home, 0]]


async def test_a_void_session_has_a_credit_note_and_a_sealed_record_that_says_so() -> None:
    async with MemoryWorker(SETTINGS) as worker:
        await billed(worker)
        await worker.send("session-decisions", decision("void", 2, "D1"))
        assert told(worker) == [FIRST, CREDIT]
        assert lifecycle(worker) is Lifecycle.VOID
        assert [each["state"] for each in worker.records("sealed-sessions")] == [
            "completed",
            "void",
        ]


async def test_a_corrected_session_is_billed_with_the_persons_values() -> None:
    async with MemoryWorker(SETTINGS) as worker:
        await billed(worker)
        await worker.send("session-decisions", decision("correct", 2, "D1", energy_kwh=2))
        assert told(worker) == [FIRST, CREDIT, OF_2]
        assert lifecycle(worker) is Lifecycle.COMPLETED
        await worker.send("charging-sessions", CORRECTION)
        assert told(worker) == [FIRST, CREDIT, OF_2]
        assert lifecycle(worker) is Lifecycle.HELD


async def test_a_held_session_is_billed_when_somebody_corrects_it() -> None:
    async with MemoryWorker(SETTINGS) as worker:
        priced(worker)
        await worker.send("charging-sessions", END | {"user_id": "U1"})
        assert told(worker) == []
        start = {"started_at": "2023-05-01T10:00:00Z"}
        await worker.send("session-decisions", decision("correct", 1, "D1", **start))
        assert told(worker) == [FIRST]


async def test_a_session_whose_end_never_came_is_closed_by_a_person() -> None:
    async with MemoryWorker(SETTINGS) as worker:
        priced(worker)
        await worker.send("charging-sessions", START, event("update", 10, energy_kwh=5.25))
        assert len(worker.state.open_sessions("EV-001")) == 1
        end = {"ended_at": "2023-05-01T10:30:00Z"}
        await worker.send("session-decisions", decision("correct", 2, "D1", **end))
        assert told(worker) == [FIRST]
        assert lifecycle(worker) is Lifecycle.COMPLETED
        assert worker.state.open_sessions("EV-001") == []
        later = NOW_MS + 101 * DAY_MS
        await worker.send("charging-sessions", START | {"session_id": "S2"}, timestamp_ms=later)
        assert worker.state.session("EV-001", "S1") is None


async def test_a_re_rating_credits_what_was_invoiced_under_the_old_tariff() -> None:
    async with MemoryWorker(SETTINGS) as worker:
        await billed(worker)
        cheaper = decision("rerate", 2, "D1", tariff=tariff(0.25, "T2"))
        await worker.send("session-decisions", cheaper)
        third = ("invoice", "2023-41-000003", "1.58")
        assert told(worker) == [FIRST, CREDIT, third]
        await worker.send("session-decisions", cheaper)
        await worker.send("session-decisions", cheaper | {"decision_id": "D2"})
        assert told(worker) == [FIRST, CREDIT, third]
        assert worker.dead_letters == []
        # A later correction is priced under the tariff of the re-rating.
        await worker.send("session-decisions", decision("correct", 2, "D3", energy_kwh=2))
        assert told(worker)[-1] == ("invoice", "2023-41-000005", "0.60")


async def test_a_decision_taken_up_twice_changes_nothing_the_second_time() -> None:
    async with MemoryWorker(SETTINGS) as worker:
        await billed(worker)
        for _ in range(2):
            await worker.send("session-decisions", decision("void", 2, "D1"))
        assert told(worker) == [FIRST, CREDIT]
        assert worker.dead_letters == []


async def test_a_decision_that_did_not_know_of_another_is_a_dead_letter() -> None:
    async with MemoryWorker(SETTINGS) as worker:
        await billed(worker)
        await worker.send("session-decisions", decision("void", 2, "D1", decisions=0))
        await worker.send("session-decisions", decision("approve", 2, "D2", decisions=0))
        assert reasons(worker) == [b"decision-refused"]
        assert lifecycle(worker) is Lifecycle.VOID


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"nonsense", b"not-json"),
        (json.dumps(decision("approve", 0, "D1")).encode(), b"bad-value"),
        (json.dumps(decision("forget", 2, "D1")).encode(), b"bad-value"),
        (None, b"no-value"),
    ],
)
async def test_a_decision_that_cannot_be_read_is_a_dead_letter(
    value: bytes | None, reason: bytes
) -> None:
    async with MemoryWorker(SETTINGS) as worker:
        home = worker.state.partition_of("EV-001")
        await worker.send("session-decisions", value, partition=home)
        assert reasons(worker) == [reason]
        assert worker.failures == []


async def test_a_decision_in_a_wrong_partition_is_a_dead_letter() -> None:
    async with MemoryWorker(SETTINGS) as worker:
        await billed(worker)
        elsewhere = (worker.state.partition_of("EV-001") + 1) % 4
        await worker.send("session-decisions", decision("void", 2, "D1"), partition=elsewhere)
        assert reasons(worker) == [b"wrong-partition"]
        assert told(worker) == [FIRST]


async def test_a_decision_about_a_session_that_is_not_known_yet_waits_for_it() -> None:
    async with MemoryWorker(SETTINGS) as worker:
        priced(worker)
        await worker.send("session-decisions", decision("correct", 2, "D1", energy_kwh=2))
        assert sessions_of(worker).row("EV-001", "S1") is None
        assert worker.state.session("EV-001", "S1") is None
        assert list(worker.state.sessions_of("EV-001")) == []
        await worker.send("charging-sessions", START)
        (running,) = worker.state.open_sessions("EV-001")
        assert running.session_id == "S1"
        home = worker.state.partition_of("EV-001")
        assert list(worker.state.stations_having(home, "S1")) == ["EV-001"]
        await worker.send("charging-sessions", END)
        assert told(worker) == [FIRST, CREDIT, OF_2]
        assert worker.state.open_sessions("EV-001") == []


async def test_however_two_topics_are_interleaved_the_same_is_billed_in_the_end() -> None:
    arrivals: list[tuple[str, dict[str, Any]]] = [
        ("charging-sessions", START),
        ("charging-sessions", END),
        ("charging-sessions", CORRECTION),
        ("session-decisions", decision("correct", 2, "D1", energy_kwh=2)),
        ("session-decisions", decision("approve", 3, "D2")),
    ]
    for order in itertools.permutations(range(5)):
        if list(filter(lambda each: each < 3, order)) != [0, 1, 2] or order.index(3) > order.index(
            4
        ):
            continue
        async with MemoryWorker(SETTINGS) as worker:
            priced(worker)
            for topic, value in (arrivals[each] for each in order):
                await worker.send(topic, value)
            owed = sum(round(100 * float(total)) for _, _, total in told(worker))
            assert (owed, lifecycle(worker)) == (420, Lifecycle.COMPLETED), order
            numbers = [int(number.rpartition("-")[2]) for _, number, _ in told(worker)]
            assert numbers == list(range(1, len(numbers) + 1))


async def test_a_session_that_was_decided_about_is_forgotten_100_days_later() -> None:
    async with MemoryWorker(SETTINGS) as worker:
        priced(worker)
        await worker.send("charging-sessions", START, END, event("end", 40, energy_kwh=6))
        decided = NOW_MS + 300 * DAY_MS
        await worker.send("session-decisions", decision("approve", 3, "D1"), timestamp_ms=decided)
        others = START | {"session_id": "S2"}, END | {"session_id": "S3"}
        await worker.send("charging-sessions", others[0], timestamp_ms=decided + 99 * DAY_MS)
        assert worker.state.session("EV-001", "S1") is not None
        await worker.send("charging-sessions", others[1], timestamp_ms=decided + 101 * DAY_MS)
        assert worker.state.session("EV-001", "S1") is None
        await worker.send(
            "session-decisions",
            decision("void", 3, "D2"),
            timestamp_ms=decided + 101 * DAY_MS,
        )
        assert reasons(worker) == [b"too-late"]
        # What was billed stays.
        assert len([key for key in rows_left(worker) if key.startswith(b"V")]) == len(told(worker))


async def test_a_decision_forgets_nothing_by_its_own_clock() -> None:
    async with MemoryWorker(SETTINGS) as worker:
        await billed(worker)
        far = NOW_MS + 500 * DAY_MS
        other = decision("void", 1, "D1") | {"session_id": "S2"}
        await worker.send("session-decisions", other, timestamp_ms=far)
        assert worker.state.session("EV-001", "S1") is not None


def waiting_rows(worker: MemoryWorker) -> list[bytes]:
    return [key for key in rows_left(worker) if key.startswith(b"W")]


async def test_a_decision_that_waited_and_cannot_be_carried_out_is_a_dead_letter() -> None:
    async with MemoryWorker(SETTINGS) as worker:
        priced(worker)
        home = worker.state.partition_of("EV-001")
        record = json.dumps(decision("approve", 2, "D1", reason="seen", unknown=[1.50])).encode()
        approve = FirstArrival(b"EV-001", record, NOW_MS, home, 0, [("trace", b"1"), ("a", None)])
        await worker.deliver("session-decisions", home, [approve])
        await worker.send("charging-sessions", START)
        assert (len(waiting_rows(worker)), worker.dead_letters) == (1, [])
        await worker.send("charging-sessions", event("update", 10, energy_kwh=1))
        (letter,) = worker.dead_letters
        assert (letter.partition, letter.key, letter.value) == (home, b"EV-001", record)
        assert list(letter.headers) == [
            ("trace", b"1"),
            ("a", None),
            ("reason", b"decision-refused"),
            (
                "detail",
                b"session S1: its start, end and energy are not all known, or contradict",
            ),
            ("topic", b"session-decisions"),
            ("partition", b"%d" % home),
            ("offset", b"0"),
        ]
        assert waiting_rows(worker) == []
        await worker.send("charging-sessions", END)
        assert (told(worker), len(worker.dead_letters)) == ([FIRST], 1)


async def test_a_decision_that_waited_and_was_carried_out_leaves_nothing() -> None:
    async with MemoryWorker(SETTINGS) as worker:
        priced(worker)
        await worker.send("session-decisions", decision("correct", 2, "D1", energy_kwh=2))
        assert len(waiting_rows(worker)) == 1
        await worker.send("charging-sessions", START, END)
        assert told(worker) == [FIRST, CREDIT, OF_2]
        assert (waiting_rows(worker), worker.dead_letters) == ([], [])


async def test_of_more_than_eight_decisions_that_wait_the_earliest_is_given_up() -> None:
    async with MemoryWorker(SETTINGS) as worker:
        priced(worker)
        for number in range(9):
            await worker.send("session-decisions", decision("void", 2, f"D{number}"))
        (letter,) = worker.dead_letters
        assert json.loads(letter.value or b"")["decision_id"] == "D0"
        assert reasons(worker) == [b"decision-refused"]
        assert len(waiting_rows(worker)) == 8


async def test_a_decision_that_waits_when_its_session_is_forgotten_is_a_dead_letter() -> None:
    async with MemoryWorker(SETTINGS) as worker:
        await billed(worker)
        record, home = decision("void", 3, "D1"), worker.state.partition_of("EV-001")
        # Kafka takes null as the value of a header.
        void = FirstArrival(None, json.dumps(record).encode(), NOW_MS, home, 0, [("a", None)])
        await worker.deliver("session-decisions", home, [void])
        later = NOW_MS + 102 * DAY_MS
        await worker.send("charging-sessions", START | {"session_id": "S2"}, timestamp_ms=later)
        assert worker.state.session("EV-001", "S1") is None
        assert (reasons(worker), waiting_rows(worker)) == ([b"too-late"], [])
        assert json.loads(worker.dead_letters[0].value or b"")["decision_id"] == "D1"


async def test_a_time_that_no_broker_says_stops_nothing() -> None:
    async with MemoryWorker(SETTINGS) as worker:
        priced(worker)
        home = worker.state.partition_of("EV-001")
        values = START, END, event("update", 20)
        times = NOW_MS, NOW_MS, 2**63 - 1
        records = [
            FirstArrival(None, json.dumps(value).encode(), at_ms, home, offset)
            for offset, (value, at_ms) in enumerate(zip(values, times, strict=True))
        ]
        await worker.deliver("charging-sessions", home, records)
        for number, at_ms in enumerate((2**63 - 1, -(2**63))):
            value = json.dumps(decision("void", 3, f"D{number}")).encode()
            record = FirstArrival(None, value, at_ms, home, number)
            await worker.deliver("session-decisions", home, [record])
        assert reasons(worker) == [b"bad-value"] * 3
        assert told(worker) == [FIRST]
