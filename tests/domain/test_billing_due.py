"""How many records of a chunk are taken up together where a decision waits."""

from __future__ import annotations

from evcharge.domain.billing.account import NO_ACCOUNT, Account
from evcharge.domain.billing.decision import Decision
from evcharge.domain.billing.due import until_due
from evcharge.domain.session import fold
from tests.domain.billing_desk import LIMITS, approve, rerate, void
from tests.domain.session_records import end, start, update

STARTED = fold([start(), update(10)], LIMITS)
ENDED = fold([start(), end(60)], LIMITS)
READINGS = [update(minute) for minute in range(61, 71)]


def waiting(*decisions: Decision) -> Account:
    return NO_ACCOUNT._replace(waiting=decisions)


def test_where_nothing_waits_all_records_are_taken_together() -> None:
    assert until_due(None, None, READINGS) == 10
    assert until_due(NO_ACCOUNT, STARTED, READINGS) == 10


def test_a_decision_is_carried_out_behind_the_record_that_makes_its_revision() -> None:
    assert until_due(waiting(approve(5)), STARTED, READINGS) == 3
    assert until_due(waiting(approve(5)), None, READINGS) == 5
    assert until_due(waiting(approve(9), void(4)), STARTED, READINGS) == 2
    assert until_due(waiting(approve(12)), STARTED, READINGS) == 10
    assert until_due(waiting(approve(99)), STARTED, READINGS) == 10


def test_a_re_rating_that_waits_for_a_bill_may_come_due_behind_an_end() -> None:
    account = waiting(rerate(2, "0.20"))
    assert until_due(account, STARTED, READINGS) == 10
    assert until_due(account, STARTED, [*READINGS[:4], end(80), *READINGS]) == 5
    assert until_due(account, ENDED, READINGS) == 1
    assert until_due(account._replace(bill=1), ENDED, READINGS) == 10


def test_very_many_records_that_each_may_make_a_bill_are_taken_together_all_the_same() -> None:
    account = waiting(rerate(2, "0.20"))
    assert until_due(account, ENDED, READINGS * 31) == 1
    assert until_due(account, ENDED, READINGS * 32) == 320
