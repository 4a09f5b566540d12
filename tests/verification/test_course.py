"""The checker follows a session's records and decisions to what the agents wrote of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from itertools import count
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from evcharge.domain.billing.decision import Corrections, Decision, Verdict
from evcharge.domain.session import Limits
from evcharge.domain.session_record import SessionRecord
from evcharge.events.rejection import Reason
from evcharge.events.session_decisions import Decided
from evcharge.verification.sessions import DECISIONS, TOO_MUCH
from tables.charging_sessions import block_key, decode_session, encode_records, session_key
from tests.domain.billing_desk import approve, correct, rerate, void
from tests.domain.session_records import MINUTE, PLUG_IN, correction, end, minute, start, update
from tests.domain.strategies import arrivals as any_arrivals
from tests.verification.billed import Billed, tariff

corrections = st.builds(
    Corrections,
    st.sampled_from([None, PLUG_IN]),
    st.sampled_from([None, PLUG_IN + 20 * MINUTE, PLUG_IN + 90 * MINUTE]),
    st.sampled_from([None, 7_000_000_000]),
    st.sampled_from([None, "U1", "U2"]),
).filter(any)


@st.composite
def decisions(draw: st.DrawFn) -> list[Decision]:
    """Draw a log of decisions, some of them twice."""
    log = []
    for offset in range(draw(st.integers(0, 3))):
        verdict = draw(st.sampled_from(Verdict))
        made = Decision(
            f"D{draw(st.integers(0, 2))}",
            verdict,
            "A1",
            draw(st.integers(1, 8)),
            draw(st.sampled_from([None, None, offset])),
            0,
            offset,
            PLUG_IN + 50 * MINUTE + offset * 1_000,
        )
        if verdict is Verdict.CORRECT:
            made = made._replace(corrections=draw(corrections))
        if verdict is Verdict.RERATE:
            made = made._replace(document=tariff("0.20", "T2").decode())
        log.append(made)
    return log


@st.composite
def tidy_arrivals(draw: st.DrawFn) -> list[list[SessionRecord]]:
    """Draw chunks of records, each from a place of its own and no earlier than the one before it."""
    offsets, at_us = count(), 0
    chunks = draw(any_arrivals())
    for chunk in chunks:
        for number, record in enumerate(chunk):
            at_us = max(at_us, record.ingest_us)
            chunk[number] = record._replace(offset=next(offsets), ingest_us=at_us)
    return chunks


def capped() -> bytes:
    """Return a tariff under which other lines come to the same total."""
    document = json.loads(tariff("0.50"))
    parking = {"type": "PARKING_TIME", "price": "2", "step_size": 1}
    document["elements"][0]["price_components"].append(parking)
    return json.dumps(document | {"max_price": {"excl_vat": 1, "incl_vat": 1}}).encode()


@settings(deadline=None)
@given(
    tidy_arrivals(),
    decisions(),
    st.lists(st.booleans(), max_size=16),
    st.sampled_from([None, 22, 150]),
    st.sampled_from([20_000, 3]),
    st.sampled_from([tariff("0.50"), capped()]),
)
def test_whatever_the_agents_make_of_a_session_is_equal(
    chunks: list[list[SessionRecord]],
    log: list[Decision],
    order: list[bool],
    power: int | None,
    most: int,
    document: bytes,
) -> None:
    billed = Billed(Limits(max_readings=most))
    billed.publish(document)
    connectors = [] if power is None else [{"connector_id": 1, "max_power_kw": power}]
    billed.register(tariff_id="T1", connectors=connectors)
    for is_chunk in order:
        if is_chunk and chunks:
            billed.send(*chunks.pop(0))
        elif log:
            billed.decide(log.pop(0))
    for chunk in chunks:
        billed.send(*chunk)
    billed.decide(*log)

    report, checked = billed.checked()
    assert list(report.lines()) == []
    if known := checked.sessions.get(("EV-001", "S1")):
        assert asyncio.run(billed.cost()) in known.costs(PLUG_IN)


async def test_a_worker_that_stopped_reading_tariffs_long_ago_says_a_wrong_running_cost() -> None:
    billed = Billed()
    billed.publish(tariff("0.50"))
    billed.register(tariff_id="T1")
    billed.publish(tariff("0.60"), worker_reads=False, at_ms=minute(5) // 1_000)
    billed.send(start(10), update(20, 1.0, ingest=10))
    _, checked = billed.checked()
    costs = checked.sessions["EV-001", "S1"].costs

    assert await billed.cost() in costs(minute(9))
    assert await billed.cost() not in costs(minute(11))
    assert [cost and cost["incl_vat"] for cost in costs(minute(11))] == ["0.72"]


async def test_a_bill_that_follows_its_records_costs_what_they_do_while_it_is_held() -> None:
    billed = Billed()
    billed.publish(tariff("0.50"))
    billed.register(tariff_id="T1")
    billed.send(start(), end(60, 10.0))
    assert len(billed.found_of("sealed-sessions")) == 1
    sealed = await billed.cost()
    # Two ends that contradict each other: the later one would be billed.
    billed.send(end(50, 12.0), end(70, 20.0, user_id="U1"))
    _, checked = billed.checked()
    cost = await billed.cost()
    assert checked.sessions["EV-001", "S1"].costs(PLUG_IN) == [cost] != [sealed]
    # One that cannot be billed.
    billed.send(correction(-10, 12.0))
    _, checked = billed.checked()
    assert checked.sessions["EV-001", "S1"].costs(PLUG_IN) == [None]
    assert await billed.cost() is None


async def test_the_cost_of_what_was_looked_at_last_counts_though_it_is_the_same_total() -> None:
    billed = Billed()
    billed.publish(capped())
    billed.register(tariff_id="T1")
    billed.send(start(), update(30, 10.0, charging=False), end(60, 10.0))
    billed.send(update(20, 10.0, charging=False)).decide(approve(4))
    assert len(billed.found_of("sealed-sessions")) == 1
    _, checked = billed.checked()
    assert checked.sessions["EV-001", "S1"].costs(PLUG_IN) == [await billed.cost()]


def cut(
    records: list[SessionRecord], power: int, *sizes: int, waiting: Iterable[Decision] = ()
) -> Any:
    """Return what became of a session, its records being cut into chunks of these sizes.

    That is its account, when it was completed, all that was written about its bills, and what became a
    dead letter; ``waiting`` are decisions that were taken up before the records.
    """
    billed = Billed()
    billed.decide(*waiting)
    billed.publish(tariff("0.50"))
    billed.register(tariff_id="T1", connectors=[{"connector_id": 1, "max_power_kw": power}])
    left = list(records)
    for size in sizes:
        billed.send(*left[:size])
        del left[:size]
    assert not left
    assert list(billed.report().lines()) == []
    row = decode_session(billed.step.rows[session_key("EV-001", "S1")])
    letters = billed.step.refused, billed.step.rejected
    return row.account, row.completed_us, billed.step.emitted, letters


def test_decisions_that_waited_are_carried_out_in_the_order_of_what_they_waited_for() -> None:
    records = [start(user_id="U1"), update(30, 5.0), end(60, 10.0), update(70, 10.0)]
    # The later one in the log is about less: it is carried out first, and the other one is overruled.
    fixes = correct(4, 3.0, ingest_us=minute(1))._replace(offset=0)
    drops = void(3, ingest_us=minute(2))._replace(offset=1)

    account, _, written, _ = one_by_one = cut(records, 50, 1, 1, 1, 1, waiting=[fixes, drops])

    assert account.verdict is Verdict.VOID
    kinds = [json.loads(value)["kind"] for topic, value in written if topic == "invoices"]
    assert kinds == ["invoice", "credit_note"]
    assert cut(records, 50, 4, waiting=[fixes, drops]) == one_by_one
    assert cut(records, 50, 2, 2, waiting=[fixes, drops]) == one_by_one


def test_what_a_session_without_an_invoice_was_when_a_decision_came_due_does_not_depend_on_chunks() -> (
    None
):
    records = [start(), end(60, 10.0), correction(60, 12.0), update(70, 12.0)]
    cheaper = rerate(2, "0.20")._replace(document=tariff("0.20", "T2").decode())

    _, _, written, _ = one_by_one = cut(records, 50, 1, 1, 1, 1, waiting=[cheaper])

    assert len(written) == 3  # as agreed, under the other tariff, and that again of the correction
    assert cut(records, 50, 4, waiting=[cheaper]) == one_by_one
    assert cut(records, 50, 1, 3, waiting=[cheaper]) == one_by_one


def test_what_cures_a_doubt_about_the_power_cures_it_in_the_same_chunk_too() -> None:
    # 10 kWh in an hour from 5 kW, until another end is told
    records = [start(user_id="U1"), end(60, 10.0), correction(60, 4.0)]

    one_by_one = cut(records, 5, 1, 1, 1)

    assert len(one_by_one[2]) == 2  # a sealed session and its invoice
    assert cut(records, 5, 3) == cut(records, 5, 2, 1) == one_by_one


def test_a_doubt_that_lasts_is_no_completion_however_often_it_comes_up() -> None:
    records = [start(user_id="U1"), end(60, 10.0), update(50, 9.0), update(40, 7.0)]

    assert cut(records, 5, 4) == cut(records, 5, 2, 1, 1) == cut(records, 5, 1, 1, 1, 1)


def test_readings_behind_the_end_are_not_looked_at_whatever_came_with_them() -> None:
    # nobody to be invoiced: the account follows its records
    records = [start(), end(60, 10.0), update(50, 9.0), update(70, 10.0)]

    assert cut(records, 22, 4) == cut(records, 22, 2, 2) == cut(records, 22, 1, 1, 1, 1)


def test_what_a_flooded_session_is_billed_by_does_not_depend_on_how_it_was_cut() -> None:
    flood = [update(each, each / 10) for each in range(1, 9)]
    records = [start(user_id="U1"), end(60, 10.0), *flood, correction(60, 9.0)]
    papers, totals = [], [""]
    for size in (1, 2, 3, len(records)):
        billed = Billed(Limits(max_readings=4))
        billed.publish(tariff("0.50"))
        billed.register(tariff_id="T1")
        for first in range(0, len(records), size):
            billed.send(*records[first : first + size])
        for offset, revision in enumerate((2, 5)):
            name = f"about {revision}"
            made = approve(revision, decision_id=name, offset=offset, ingest_us=minute(80 + offset))
            billed.decide(made)
        assert list(billed.report().lines()) == []
        papers.append(billed.step.emitted)
        totals = [each["cost"]["incl_vat"] for each in billed.step.invoices]
    assert papers[0] == papers[1] == papers[2] == papers[3]
    # Sealed at its end, approved so, and as it is with the correction in place of the end.
    assert totals == ["6.00", "-6.00", "5.40"]


def test_why_a_decision_about_a_flooded_session_was_refused_depends_on_when_it_was_taken_up() -> (
    None
):
    flood = [start(user_id="U1"), *(update(each, each / 10) for each in range(1, 9))]
    details = []
    for before_the_end in (True, False):
        billed = Billed(Limits(max_readings=4))
        billed.register(tariff_id="never-published")
        billed.send(*flood, *([] if before_the_end else [end(60, 10.0)]))
        billed.decide(approve(5, ingest_us=minute(80)))
        if before_the_end:
            billed.send(end(60, 10.0))
        assert list(billed.report().lines()) == []
        ((_, rejected),) = billed.step.refused
        details.append(rejected.detail)
    assert details == [
        "session S1: its start, end and energy are not all known, or contradict",
        "session S1: its station names a tariff that is not known",
    ]


def test_which_of_two_records_flooded_a_session_is_told_by_what_was_decided_then() -> None:
    rerouted = start(1, duration_us=60_000_000)._replace(partition=1)
    kept = [update(0, 1.0), start(1), start(1, reservation_id="R1")]
    for last in ([rerouted, start(1, meter=0)], [start(1, meter=0), rerouted]):
        billed = Billed(Limits(max_readings=3))
        billed.publish(tariff("0.50"))
        billed.register(tariff_id="T1")
        whole = {"ended_us": minute(60), "ingest_us": minute(80)}
        billed.decide(correct(4, energy=5, **whole))
        for record in [*kept, *last]:
            billed.send(record)
        assert len(billed.step.emitted) >= 1
        assert list(billed.report().lines()) == []


def test_a_session_of_which_a_worker_leaves_steps_out_is_not_followed() -> None:
    # Without an invoice each record may make another bill; of so many the first ones are passed over.
    behind = [update(70 + each, 12.0) for each in range(1_100)]
    billed = Billed()
    billed.publish(tariff("0.50"))
    billed.register(tariff_id="T1")
    billed.send(start(), end(60, 10.0), correction(60, 12.0), *behind)

    report = billed.report()

    first, second = billed.step.sealed
    assert (first["revision"], second["energy_kwh"]) == (2, "12")
    assert second["revision"] > 3
    assert list(report.lines()) == []
    assert report.unchecked[TOO_MUCH] == 1


def test_the_dead_letter_of_a_decision_about_such_a_session_is_believed_and_so_counted() -> None:
    behind = [update(70 + each, 12.0) for each in range(1_100)]
    billed = Billed().send(start(), end(60, 10.0), *behind)
    billed.decide(approve(2, decisions=5, ingest_us=minute(80)))
    ((said, rejected),) = billed.step.refused
    assert isinstance(said, Decided)

    report, checked = billed.checked()

    assert list(report.lines()) == []
    assert report.unchecked[TOO_MUCH] == 1
    assert checked.refused == {(DECISIONS, said.partition, said.offset): rejected}


def test_a_dead_letter_of_a_decision_with_another_reason_is_found() -> None:
    billed = Billed().send(start(), update(30, 5.0)).decide(approve(2, ingest_us=minute(80)))
    ((decided, rejected),) = billed.step.refused
    assert list(billed.report().lines()) == []

    for wrong in ({"detail": "session S1: it is void"}, {"reason": Reason.TOO_LATE}):
        billed.step.refused = [(decided, rejected._replace(**wrong))]
        assert billed.sorts() == ["changed"]


def test_a_flooded_session_of_which_too_little_or_too_much_is_kept_is_found() -> None:
    records = [start(user_id="U1"), *(update(each, each / 10) for each in range(1, 9))]
    billed = Billed(Limits(max_readings=4)).send(*records)
    for kept, sort in ((records[:3], "missing"), (records[:5], "surplus")):
        row = decode_session(billed.step.rows[session_key("EV-001", "S1")])
        assert row.blocks == 1
        rows = billed.step.rows | {block_key("EV-001", "S1", 0): encode_records(kept)}
        assert billed.sorts(rows=rows) == [sort]
