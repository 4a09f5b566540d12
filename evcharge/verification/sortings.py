"""How the topics of a deployment are sorted that its tables are computed from."""

from __future__ import annotations

from functools import partial

from evcharge.domain.session_record import SessionRecord
from evcharge.domain.status_report import StatusReport
from evcharge.events.decode import decode_charging_sessions, decode_station_status
from evcharge.events.session_decisions import Decided, decode_session_decisions
from evcharge.kafka.partitioning import Partitioner
from evcharge.settings import Settings
from evcharge.topics.catalogue import SESSION_DECISIONS, TABLES
from evcharge.verification.outputs import ExpectedOutputs
from evcharge.verification.report import Report
from evcharge.verification.sources import Sorting

STATUS, SESSIONS = TABLES
"""The device topics; the table computed from each has its name."""


def sortings(
    settings: Settings, report: Report
) -> tuple[Sorting[StatusReport], Sorting[SessionRecord], Sorting[Decided]]:
    """Return how statuses, records of sessions and decisions are sorted; dead letters have one place."""
    partitioner = Partitioner(settings.partitions)
    dead_letters = ExpectedOutputs("dead-letters", report)
    most = settings.max_record_bytes
    return (
        Sorting(
            settings.topic(STATUS),
            partial(decode_station_status, max_bytes=most),
            partitioner,
            dead_letters,
            ExpectedOutputs(f"{STATUS}-rerouted", report),
        ),
        Sorting(
            settings.topic(SESSIONS),
            partial(decode_charging_sessions, max_bytes=most),
            partitioner,
            dead_letters,
            ExpectedOutputs(f"{SESSIONS}-rerouted", report),
        ),
        Sorting(
            settings.topic(SESSION_DECISIONS.name),
            decode_session_decisions,
            partitioner,
            dead_letters,
        ),
    )
