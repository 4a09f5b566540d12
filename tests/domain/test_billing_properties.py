"""What holds for every session and every decision about it."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from evcharge.domain.billing.account import Account, Facts
from evcharge.domain.billing.bill import Bill, first_records
from evcharge.domain.billing.correction import corrected_usage
from evcharge.domain.billing.decision import Corrections, Decision, Verdict
from evcharge.domain.billing.rebill import doubts_of
from evcharge.domain.billing.standing import standing_of
from evcharge.domain.pricing import Segment, SegmentKind, Usage
from evcharge.domain.session.state import EMPTY
from evcharge.domain.session_record import SessionRecord
from tests.domain.billing_desk import FakeDesk, Till, per_kwh, rated
from tests.domain.session_records import MINUTE, PLUG_IN
from tests.domain.strategies import adversarial_records, plausible_sessions
from tests.domain.usage_builders import AMSTERDAM

PRICES = ("0.00", "0.50", "1.00")

corrections = st.builds(
    Corrections,
    st.sampled_from([None, PLUG_IN]),
    st.sampled_from([None, PLUG_IN + 20 * MINUTE, PLUG_IN + 90 * MINUTE]),
    st.sampled_from([None, 7_000_000_000]),
    st.sampled_from([None, "U1", "U2"]),
)


@st.composite
def decisions(draw: st.DrawFn) -> list[Decision]:
    """Draw a log of decisions, some of them twice."""
    log: list[Decision] = []
    for offset in range(draw(st.integers(0, 4))):
        verdict = draw(st.sampled_from(Verdict))
        made = Decision(
            f"D{draw(st.integers(0, 3))}",
            verdict,
            "A1",
            draw(st.integers(1, 8)),
            draw(st.sampled_from([None, None, offset])),
            0,
            offset,
            PLUG_IN + offset,
            draw(corrections) if verdict is Verdict.CORRECT else None,
            rated(per_kwh(draw(st.sampled_from(PRICES)))).document.decode()
            if verdict is Verdict.RERATE
            else None,
        )
        log.append(made)
    return log


sessions = plausible_sessions() | st.lists(adversarial_records, min_size=1, max_size=8)


def desk(price: str = "0.50", *, doubtful: bool = False) -> FakeDesk:
    """Return a desk whose connectors, where they are doubtful, give at most 5 kW."""
    made = FakeDesk(price)
    made.doubtful = doubtful
    return made


def played(
    records: list[SessionRecord],
    log: list[Decision],
    order: list[bool],
    price: str,
    *,
    doubtful: bool = False,
) -> Till:
    """Return the till after records one by one and decisions, in an order of the two."""
    till = Till(desk(price, doubtful=doubtful))
    left, made = list(records), list(log)
    for is_record in order:
        if is_record and left:
            till.send(left.pop(0))
        elif made:
            till.decide(made.pop(0))
    for record in left:
        till.send(record)
    for decision in made:
        till.decide(decision)
    return till


orders = st.lists(st.booleans(), max_size=16)


@given(sessions, decisions(), orders, st.sampled_from(PRICES), st.booleans())
def test_at_most_one_invoice_stands_and_the_balance_is_the_current_total(
    records: list[SessionRecord],
    log: list[Decision],
    order: list[bool],
    price: str,
    doubtful: bool,
) -> None:
    till = played(records, log, order, price, doubtful=doubtful)
    balance = till.balance  # asserts that each credit note credits the one that stands
    account = till.account
    if account is None or account.invoice is None:
        assert balance == 0
    else:
        assert account.total is not None
        assert balance == account.total[1] != 0


@given(sessions, decisions(), orders, st.sampled_from(PRICES))
def test_what_comes_twice_changes_nothing(
    records: list[SessionRecord], log: list[Decision], order: list[bool], price: str
) -> None:
    till = played(records, log, order, price)
    before = till.state, till.account, list(till.outputs)
    # One that did not know of another decision was not accepted, and may be when it comes again.
    known = (till.account and till.account.known) or ()
    accepted = [decision for decision in log if decision.decision_id in known]
    for record in records:
        assert till.send(record) == []
    for decision in accepted:
        assert till.decide(decision) == []
        assert till.refusal == "this decision was taken up before"
    assert (till.state, till.account, till.outputs) == before


@given(sessions, decisions(), orders, orders, st.booleans())
def test_however_the_topics_are_interleaved_the_same_is_billed_in_the_end(
    records: list[SessionRecord],
    log: list[Decision],
    one: list[bool],
    other: list[bool],
    doubtful: bool,
) -> None:
    first, second = (
        played(records, log, order, "0.50", doubtful=doubtful) for order in (one, other)
    )
    assert first.state is not None
    assert second.state is not None
    assert standing_of(first.state, first.account) == standing_of(second.state, second.account)
    assert first.balance == second.balance


@given(sessions, st.lists(st.integers(1, 4), max_size=8), st.sampled_from(PRICES), st.booleans())
def test_however_records_are_cut_into_chunks_the_same_is_written(
    records: list[SessionRecord], cuts: list[int], price: str, doubtful: bool
) -> None:
    singly, chunked = (Till(desk(price, doubtful=doubtful)) for _ in range(2))
    for record in records:
        singly.send(record)
    rest = list(records)
    for cut in [*cuts, len(records)]:
        some, rest = rest[:cut], rest[cut:]
        if some:
            chunked.send(*some)
    assert chunked.outputs == singly.outputs
    assert chunked.account == singly.account


@given(sessions, st.data())
def test_until_something_is_invoiced_the_reasons_are_those_of_the_set_in_any_order(
    records: list[SessionRecord], data: st.DataObject
) -> None:
    tills = [Till(desk(doubtful=True)) for _ in range(2)]
    for till, order in zip(tills, [records, data.draw(st.permutations(records))], strict=True):
        for record in order:
            till.send(record)
    first, second = (standing_of(till.state or EMPTY, till.account) for till in tills)
    # Where one has an invoice already, its records may differ from what was billed.
    if not any(till.balance for till in tills):
        assert (first.standing, first.reasons) == (second.standing, second.reasons)


@given(sessions, st.sampled_from(PRICES))
def test_nothing_is_billed_in_doubt_unless_somebody_decides_so(
    records: list[SessionRecord], price: str
) -> None:
    till = Till(desk(price, doubtful=True))
    for record in records:
        for bill in till.send(record):
            assert isinstance(bill, Bill)
            seen = first_records(till.records, bill.state.revision)
            assert not doubts_of(till.desk, bill.terms, bill.state, seen, till.limits)


@given(sessions, decisions(), orders)
def test_an_account_survives_its_row(
    records: list[SessionRecord], log: list[Decision], order: list[bool]
) -> None:
    account = played(records, log, order, "0.50").account
    row = msgspec.msgpack.encode(account)
    assert msgspec.msgpack.decode(row, type=Account | None) == account


durations = st.integers(0, 3).map(lambda minutes: minutes * MINUTE)
segments = st.builds(
    Segment,
    st.sampled_from([SegmentKind.TIME, SegmentKind.PARKING_TIME]),
    durations,
    st.sampled_from([0, 0, 1, 1_000_000_007]),
    st.sampled_from([None, 11_000_000]),
)


@given(
    st.lists(segments, min_size=1, max_size=5),
    st.integers(-2, 6),
    st.integers(0, 8),
    st.sampled_from([0, 1, 10**9 + 1]),
)
def test_a_corrected_course_adds_up_to_the_corrected_values(
    course: list[Segment], start: int, lasts: int, energy: int
) -> None:
    facts = Facts(PLUG_IN + start * MINUTE, PLUG_IN + (start + lasts) * MINUTE, energy)
    usage = corrected_usage(Usage(PLUG_IN, AMSTERDAM, tuple(course)), facts)
    assert usage.started_us == facts.started_us
    assert sum(each.duration_us for each in usage.segments) == lasts * MINUTE
    assert sum(each.energy_uwh for each in usage.segments) == energy
    assert all(each.duration_us >= 0 and each.energy_uwh >= 0 for each in usage.segments)


@given(st.lists(segments, min_size=1, max_size=5))
def test_a_correction_to_the_same_values_keeps_the_course(course: list[Segment]) -> None:
    usage = Usage(PLUG_IN, AMSTERDAM, tuple(course))
    energy = sum(int(each.energy_uwh) for each in course)
    ended = PLUG_IN + sum(int(each.duration_us) for each in course)
    if energy:
        assert corrected_usage(usage, Facts(PLUG_IN, ended, energy)) == usage
