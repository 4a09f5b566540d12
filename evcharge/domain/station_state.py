"""What the table keeps of a station: the last word of each connector."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
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


_NOBODY: tuple[int | None, Status, int, int, int, str | None] = (None, Status.FREE, 0, 0, 0, None)
_facts = itemgetter(slice(1, 8))
"""What a report says of its connector, in one piece."""


def is_ahead(report: StatusReport) -> bool:
    """Whether a report's timestamp is so far ahead of its ingest that it is not believed."""
    return report.timestamp_us - report.ingest_us > AHEAD_US


def effective_time(report: StatusReport) -> int:
    """When a report counts as said: at its timestamp, or at its ingest if it is too far ahead.

    A clock that runs hours ahead would otherwise keep a connector in its status for hours.
    """
    return report.ingest_us if is_ahead(report) else report.timestamp_us


def count_ahead(reports: Sequence[StatusReport]) -> int:
    """Return how many reports are too far ahead to be believed."""
    count = 0
    for report in reports:
        if report.timestamp_us > report.ingest_us and is_ahead(report):
            count += 1
    return count


def advance_station(state: StationState | None, reports: Sequence[StatusReport]) -> StationState:
    """Fold reports of one station, in the order of their processing, into its state.

    The last event time wins, a tie goes to the report processed later. An older report changes no
    status, but it is a sign of life. Reports that change nothing give an equal state, and so do
    reports that are processed again, in the same order, after a crash.
    """
    words = {word.connector_id: word for word in state.words} if state else {}
    # While one connector speaks, its word is in these names; it is put down when another one does.
    speaker, before, event_us, since_us, heard_us, last_error = _NOBODY
    for connector_id, status, said_us, ingest_us, _, _, error_code in map(_facts, reports):
        if said_us > ingest_us and said_us - ingest_us > AHEAD_US:
            said_us = ingest_us  # noqa: PLW2901
        if connector_id != speaker:
            if speaker is not None:
                words[speaker] = _new(
                    ConnectorWord, (speaker, before, event_us, since_us, heard_us, last_error)
                )
            speaker = connector_id
            word = words.get(connector_id)
            if word is None:
                before, event_us, since_us, heard_us = status, said_us, said_us, ingest_us
            else:
                _, before, event_us, since_us, heard_us, last_error = word
        if ingest_us > heard_us:  # noqa: PLR1730  (twice as fast as max())
            heard_us = ingest_us
        if said_us >= event_us:
            if status is not before and status != before:
                before, since_us = status, said_us
            event_us, last_error = said_us, error_code
    if speaker is not None:
        words[speaker] = _new(
            ConnectorWord, (speaker, before, event_us, since_us, heard_us, last_error)
        )
    if state is None or len(words) > len(state.words):
        return StationState(tuple(words[connector_id] for connector_id in sorted(words)))
    return _new(StationState, (tuple(words.values()),))
