"""How the topics of a deployment are sorted that its tables are computed from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from evcharge.domain.session_record import SessionRecord
from evcharge.domain.status_report import StatusReport
from evcharge.events.decode import decode_charging_sessions, decode_station_status
from evcharge.events.rejection import Rejected
from evcharge.events.session_decisions import Decided, decode_session_decisions
from evcharge.kafka.partitioning import Partitioner
from evcharge.settings import Settings
from evcharge.topics.catalogue import SESSION_DECISIONS, TABLES
from evcharge.verification.outputs import ExpectedOutputs
from evcharge.verification.report import Report
from evcharge.verification.sources import R, Sorting

STATUS, SESSIONS = TABLES
"""The device topics; the table computed from each has its name."""


def sortings(
    settings: Settings, report: Report
) -> tuple[Sorting[StatusReport], Sorting[SessionRecord], Sorting[Decided]]:
    """Return how statuses, records of sessions and decisions are sorted; dead letters have one place."""
    partitioner = Partitioner(settings.partitions)
    dead_letters = ExpectedOutputs("dead-letters", report)

    def of_devices(topic: str, decode: Callable[..., Sequence[R | Rejected]]) -> Sorting[R]:
        limited = partial(decode, max_bytes=settings.max_record_bytes)
        rerouted = ExpectedOutputs(f"{topic}-rerouted", report)
        return Sorting(settings.topic(topic), limited, partitioner, dead_letters, rerouted)

    return (
        of_devices(STATUS, decode_station_status),
        of_devices(SESSIONS, decode_charging_sessions),
        Sorting(
            settings.topic(SESSION_DECISIONS.name),
            decode_session_decisions,
            partitioner,
            dead_letters,
        ),
    )
