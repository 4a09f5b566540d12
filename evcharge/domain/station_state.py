"""What the table keeps of a station: the last word of each connector."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from evcharge.domain.ahead import AHEAD_US
from evcharge.domain.status_report import Status, StatusReport

WHOLE_STATION = 0
"""The connector id under which a station speaks for all of its connectors."""


class ConnectorWord(NamedTuple):
    """The last thing that one connector (or, as connector 0, the whole station) said of itself."""

    connector_id: int
    status: Status
    event_us: int
    """Effective event time of the last report that counted (see :func:`effective_time`)."""
    since_us: int
    """Effective event time at which this status began; repeats do not move it."""
    heard_us: int
    """Ingest time of the last sign of life, also of a report that was too old to count."""
    error_code: str | None = None


class StationState(NamedTuple):
    """One row of the ``station-status`` table.

    Its size is bounded by the connector ids that ``evcharge.events`` lets pass.
    """

    words: tuple[ConnectorWord, ...]
    """At most one a connector, in the order of their ids."""


def is_ahead(report: StatusReport) -> bool:
    """Whether a report's timestamp is so far ahead of its ingest that it is not believed."""
    return report.timestamp_us - report.ingest_us > AHEAD_US


def effective_time(report: StatusReport) -> int:
    """When a report counts as said: at its timestamp, or at its ingest if it is too far ahead.

    A clock that runs hours ahead would otherwise keep a connector in its status for hours.
    """
    return report.ingest_us if is_ahead(report) else report.timestamp_us


def advance_station(state: StationState | None, reports: Sequence[StatusReport]) -> StationState:
    """Fold reports of one station, in the order of their processing, into its state.

    The last event time wins, a tie goes to the report processed later. An older report changes no
    status, but it is a sign of life. Reports that change nothing give an equal state, and so do
    reports that are processed again, in the same order, after a crash.
    """
    words = {word.connector_id: word for word in state.words} if state else {}
    for report in reports:
        words[report.connector_id] = _advance_connector(words.get(report.connector_id), report)
    return StationState(tuple(words[connector_id] for connector_id in sorted(words)))


def _advance_connector(word: ConnectorWord | None, report: StatusReport) -> ConnectorWord:
    said_us = effective_time(report)
    if word is None:
        return ConnectorWord(
            report.connector_id,
            report.status,
            said_us,
            said_us,
            report.ingest_us,
            report.error_code,
        )
    heard_us = max(word.heard_us, report.ingest_us)
    if said_us < word.event_us:
        return word if heard_us == word.heard_us else word._replace(heard_us=heard_us)
    since_us = word.since_us if report.status == word.status else said_us
    return ConnectorWord(
        word.connector_id, report.status, said_us, since_us, heard_us, report.error_code
    )
