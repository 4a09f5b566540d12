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


_new = tuple.__new__


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
        _, connector_id, status, said_us, ingest_us, _, _, error_code, _ = report
        if said_us > ingest_us:
            said_us = effective_time(report)
        word = words.get(connector_id)
        if word is None:
            since_us, heard_us = said_us, ingest_us
        else:
            _, before, event_us, since_us, heard_us, _ = word
            if ingest_us > heard_us:  # noqa: PLR1730  (twice as fast as max())
                heard_us = ingest_us
            if said_us < event_us:
                words[connector_id] = word._replace(heard_us=heard_us)
                continue
            if status != before:
                since_us = said_us
        words[connector_id] = _new(
            ConnectorWord, (connector_id, status, said_us, since_us, heard_us, error_code)
        )
    if state is None or len(words) > len(state.words):
        return StationState(tuple(words[connector_id] for connector_id in sorted(words)))
    return StationState(tuple(words.values()))
