"""Sessions so long that local time changes their tariff too often to be priced in a step."""

from __future__ import annotations

from typing import Any

import pytest

from evcharge.domain.billing.standing import standing_of
from evcharge.domain.billing.terms import RatedTariff, Terms
from evcharge.domain.pricing import MAX_CHANGES, NEVER_MORE_US, changes_in
from evcharge.domain.quantities import DAY_US
from evcharge.domain.session import HeldReason, Lifecycle, Limits
from evcharge.domain.session_record import SessionRecord
from tables.charging_sessions import decode_session, session_key
from tests.agents.memory_step import MemoryStep
from tests.domain.billing_desk import FakeDesk, approve, correct, rated, rerate, void
from tests.domain.session_records import correction, end, minute, start, update
from tests.domain.tariff_builders import element, energy, tariff

DAY = 24 * 60
YEARS = 3 * 365 * DAY
HOURS = rated(
    tariff(
        *(
            element(energy("0.50"), start=f"{hour:02}:00", end=f"{hour + 1:02}:00")
            for hour in range(23)
        ),
        element(energy("0.50")),
    ),
    7,
)
"""Another element each hour: 24 changes a day."""


class Clock(FakeDesk):
    """All stations have a tariff that changes with the hour."""

    def terms(self, station_id: str, connector_id: int, started_us: int) -> Terms | None:
        return Terms(HOURS.plan.tariff.tariff_id, 7, HOURS.digest, "Europe/Paris")

    def tariff(self, terms: Terms) -> RatedTariff:
        return HOURS if terms.tariff_digest == HOURS.digest else super().tariff(terms)


class Rerated(FakeDesk):
    """Stations have one price at any time, and every re-rating brings the other tariff."""

    def published(self, document: bytes) -> RatedTariff:
        return HOURS


def years() -> list[SessionRecord]:
    return [start(user_id="U1"), end(YEARS, 10.0)]


ANY_LENGTH = Limits(max_session_us=10_000 * DAY_US, memory_us=10_000 * DAY_US)


def step_of(*records: SessionRecord, limits: Limits | None = None) -> MemoryStep:
    step = MemoryStep(limits or Limits(), Clock())
    for record in records:
        step.take(record)
    return step


def stands(step: MemoryStep) -> tuple[Lifecycle, tuple[HeldReason, ...]]:
    row = decode_session(step.rows[session_key("EV-001", "S1")])
    return standing_of(row.state, row.account)[:2]


TOO_LONG = (Lifecycle.HELD, (HeldReason.TOO_LONG,))


def test_no_session_within_the_default_limit_changes_too_often_under_any_tariff() -> None:
    minutes = [f"{at // 60:02}:{at % 60:02}" for at in range(24 * 60)]
    plan = rated(tariff(*(element(energy("1"), start=each) for each in minutes))).plan
    assert Limits().max_session_us <= NEVER_MORE_US
    assert changes_in(plan, 0, NEVER_MORE_US) <= MAX_CHANGES < changes_in(plan, 0, 14 * DAY_US)


@pytest.mark.parametrize(
    "made",
    [approve(2), correct(2, energy=5.0), correct(2, started_us=minute(-YEARS))],
    ids=["approve", "correct the energy", "make it longer"],
)
def test_a_decision_that_would_price_years_of_hours_is_refused(made: Any) -> None:
    step = step_of(*years())
    assert stands(step) == TOO_LONG

    step.decide(made)

    ((_, refused),) = step.refused
    assert refused.reason == "decision-refused"
    assert refused.detail == (
        "session S1: it is so long that local time changes its tariff more than 20,000 times"
    )
    assert (stands(step), step.emitted) == (TOO_LONG, [])


def test_it_can_be_made_shorter_or_void() -> None:
    shorter, void_ = step_of(*years()), step_of(*years())
    shorter.decide(correct(2, ended_us=minute(60)))
    assert stands(shorter) == (Lifecycle.COMPLETED, ())
    assert [each["ended_at"] for each in shorter.invoices] == ["2023-05-01T11:15:30Z"]
    void_.decide(void(2))
    assert stands(void_) == (Lifecycle.VOID, ())


def test_where_sessions_may_last_for_years_one_that_cannot_be_priced_is_held() -> None:
    step = step_of(*years(), limits=ANY_LENGTH)
    assert (stands(step), step.emitted) == (TOO_LONG, [])
    step.decide(approve(2))
    assert (len(step.refused), step.emitted) == (1, [])
    step.take(end(60, 10.0, correction=True))
    assert stands(step) == (Lifecycle.COMPLETED, ())
    assert len(step.invoices) == 1


def test_a_sealed_session_without_a_user_is_held_while_it_is_too_long() -> None:
    step = step_of(start(0), end(60, 10.0), limits=ANY_LENGTH)
    assert (len(step.sealed), stands(step)) == (1, (Lifecycle.COMPLETED, ()))
    step.take(end(YEARS, 10.0, correction=True))
    assert (len(step.sealed), stands(step)) == (1, TOO_LONG)
    step.take(update(61, user_id="U1"))
    assert (step.invoices, stands(step)) == ([], TOO_LONG)
    step.take(end(YEARS + 1, 10.0, correction=True, seq=1), correction(YEARS + 2, 10.0))
    assert stands(step) == TOO_LONG
    step.decide(correct(6, ended_us=minute(60)))
    assert ([each["bill"] for each in step.sealed], stands(step)[0]) == ([1, 2], "completed")
    assert len(step.invoices) == 1


def test_a_re_rating_to_a_tariff_that_changes_too_often_is_refused() -> None:
    step = MemoryStep(ANY_LENGTH, Rerated())
    step.take(*years())
    assert len(step.invoices) == 1
    step.decide(rerate(2, "1.00"))
    assert (len(step.refused), len(step.invoices)) == (1, 1)
