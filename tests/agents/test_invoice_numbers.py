"""The numbers that agents give to invoices and credit notes: each series counts from 1 without a gap."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from evcharge.domain.billing.decision import Decision
from evcharge.domain.quantities import DAY_US
from evcharge.domain.session import Limits
from evcharge.domain.session_record import SessionRecord
from tests.agents.memory_step import SETTINGS, MemoryStep, ledger_of
from tests.domain.billing_desk import FakeDesk, correct
from tests.domain.session_records import end, start
from tests.domain.test_billing_properties import decisions, orders, sessions

# Sessions are never forgotten, so decisions about them may come years later.
LIMITS = Limits(memory_us=10_000 * DAY_US)

LANES_OF = {"EV-001": "41", "EV-002": "33", "EV-042": "41"}
"""Murmur2 modulo 64, as Kafka's Java client has it."""


def counters(documents: list[dict[str, Any]]) -> dict[tuple[str, str, str], list[int]]:
    """Return the counters of documents by issuer, year and lane, all read from what was written."""
    found = defaultdict(list)
    for document in documents:
        match = re.fullmatch(r"(\d{4})-(\d{2})-(\d{6})", document["number"])
        assert match is not None, document["number"]
        year, lane, counter = match.groups()
        assert year == document["issued_at"][:4]
        assert lane == LANES_OF[document["station_id"]]
        found[document["issuer"]["vat_id"], year, lane].append(int(counter))
    return dict(found)


def assert_without_gap(documents: list[dict[str, Any]]) -> None:
    for series, found in counters(documents).items():
        assert found == list(range(1, len(found) + 1)), series


later = st.sampled_from([0, 0, 400 * DAY_US])
stories = st.tuples(sessions, decisions(), orders, st.sampled_from(sorted(LANES_OF)), later)


@given(st.lists(stories, min_size=1, max_size=4), st.integers(1, 4))
def test_numbers_of_all_invoices_and_credit_notes_have_no_gap(
    told: list[tuple[list[SessionRecord], list[Decision], list[bool], str, int]], size: int
) -> None:
    step = MemoryStep(LIMITS, FakeDesk())
    pending: list[SessionRecord] = []
    for number, (records, log, order, station_id, later_us) in enumerate(told):
        session = station_id, f"S{number}"
        left = [
            each._replace(
                station_id=station_id, session_id=session[1], ingest_us=each.ingest_us + later_us
            )
            for each in records
        ]
        made = list(log)
        # Chunks have records of several sessions, of one lane or not.
        for is_record in [*order, *([True] * len(left)), *([False] * len(log))]:
            if is_record and left:
                pending.append(left.pop(0))
            elif not is_record and made:
                step.decide(made.pop(0), session)
            if len(pending) >= size:
                step.take(*pending)
                pending = []
    if pending:
        step.take(*pending)
    assert_without_gap(step.invoices)


def test_a_chunk_of_many_sessions_and_their_credit_notes_count_on() -> None:
    step = MemoryStep(LIMITS, FakeDesk())
    for station_id in LANES_OF:
        for number in range(3):
            session = station_id, f"S{number}"
            step.take(
                *(
                    each._replace(station_id=station_id, session_id=session[1])
                    for each in (start(0, user_id="U1"), end(60, 10.0))
                )
            )
            step.decide(correct(2, energy=5), session)
    assert [each["kind"] for each in step.invoices] == ["invoice", "credit_note", "invoice"] * 9
    found = counters(step.invoices)
    assert sorted(map(len, found.values())) == [9, 18], "two of the stations are in one lane"
    assert_without_gap(step.invoices)


def test_a_credit_note_has_a_number_of_the_issuer_that_it_names() -> None:
    step = MemoryStep(LIMITS, FakeDesk())
    step.take(start(0, user_id="U1"), end(60, 10.0))
    moved = replace(SETTINGS, issuer_name="Other GmbH", issuer_vat_id="XX2")
    step.books.ledger = ledger_of(moved)
    same_year_us = start(0).ingest_us
    step.decide(correct(2, energy=5, ingest_us=same_year_us))
    told = [(each["kind"], each["issuer"]["vat_id"], each["number"][-6:]) for each in step.invoices]
    assert told == [
        ("invoice", "XX1", "000001"),
        ("credit_note", "XX1", "000002"),
        ("invoice", "XX2", "000001"),
    ]
