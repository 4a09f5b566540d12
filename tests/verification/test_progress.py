"""Whoever waits for a check is told how far it has come."""

from __future__ import annotations

from evcharge.reference.plans import default_document
from evcharge.verification.bills import Bills
from evcharge.verification.reference import Reference
from evcharge.verification.report import Report
from evcharge.verification.rows import Rows
from evcharge.verification.session_sources import Sources
from evcharge.verification.sessions import check_sessions
from evcharge.verification.statuses import check_stations
from tests.agents.memory_step import SETTINGS
from tests.domain.session_records import LIMITS, end, start
from tests.verification.billed import Billed
from tests.verification.test_statuses import REPORTS


def test_the_check_of_stations_tells_each_connector() -> None:
    told: list[int] = []
    check_stations("here", Rows({}), REPORTS, (), Report(), told.append)

    assert told == [1, 2]


def test_the_check_of_sessions_tells_each_one() -> None:
    told: list[int] = []
    reference = Reference(default_document(SETTINGS), SETTINGS.default_time_zone)
    sources = Sources.of([start(), start()._replace(session_id="S2")])
    args = "here", Rows({}), sources, reference, LIMITS, Report()
    check_sessions(*args, now_us=0, compared=told.append)

    assert told == [1, 2]


def test_the_audit_of_bills_tells_each_session() -> None:
    told: list[int] = []
    billed = Billed()
    for name in ("S1", "S2", "S3"):
        billed.send(*(each._replace(session_id=name) for each in (start(), end(60, 1.0))))
    bills = Bills(0, billed.reference.tariffs, [], Report())
    bills.take_up_sealed(billed.found_of("sealed-sessions"))
    bills.check(told.append)

    assert told == [1, 2, 3]
