"""What a connector's last word has to be, from all that was reported of it.

The last event time wins, a tie goes to the later record (contract, *station-status*). The order of the
reports of one topic partition is known. Which of a rerouted report and one that came directly was
processed first is not: it is left to chance, so every order that keeps the two partitions' own orders
is allowed. It matters for ties, and for when a status began.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import TypeAlias

from evcharge.domain.station_state import ConnectorWord, effective_time
from evcharge.domain.status_report import Status, StatusReport
from evcharge.verification.progress import Compared, silent, telling
from evcharge.verification.report import Report, changed_fields
from evcharge.verification.rows import Rows, read_row
from tables.station_status import decode_station, station_key

Said: TypeAlias = tuple[Status, int, int, str | None]
"""Status, its event time, when it began, error code."""

MOST_PAIRS = 1_000_000
"""Pairs of a direct and a rerouted report of one connector up to which all of their orders are followed,
in a second or two."""

ANY_TIME = -1
"""When a status began that nobody can tell the beginning of."""


def possible_words(
    direct: Sequence[StatusReport], rerouted: Sequence[StatusReport]
) -> set[ConnectorWord]:
    """Return what the reports of one connector, at least one, can have come to.

    Where there are too many orders to follow, when the status began is :data:`ANY_TIME`.
    """
    heard_us = max(report.ingest_us for report in (*direct, *rerouted))
    connector_id = (*direct, *rerouted)[0].connector_id
    direct, rerouted = sorted((_counting(direct), _counting(rerouted)), key=len, reverse=True)
    if len(direct) * len(rerouted) > MOST_PAIRS:
        lasts = direct[-1], rerouted[-1]
        last_us = max(map(effective_time, lasts))
        return {
            ConnectorWord(connector_id, each.status, last_us, ANY_TIME, heard_us, each.error_code)
            for each in lasts
            if effective_time(each) == last_us
        }
    # reached[n]: what can be said after the reports of `direct` so far and n of `rerouted`.
    reached: list[set[Said]] = [set() for _ in range(len(rerouted) + 1)]
    for number, report in enumerate(rerouted):
        reached[number + 1] = _after(reached[number], report)
    for report in direct:
        reached[0] = _after(reached[0], report)
        for number, other in enumerate(rerouted):
            reached[number + 1] = _after(reached[number + 1], report) | _after(
                reached[number], other
            )
    return {
        ConnectorWord(connector_id, status, event_us, since_us, heard_us, error_code)
        for status, event_us, since_us, error_code in reached[-1]
    }


def _counting(reports: Sequence[StatusReport]) -> Sequence[StatusReport]:
    """Leave out reports that are older than one before them in their topic: they change no status."""
    latest_us = list(accumulate(map(effective_time, reports), max))
    return [
        report
        for report, at_us in zip(reports, latest_us, strict=True)
        if effective_time(report) == at_us
    ]


def _after(before: set[Said], report: StatusReport) -> set[Said]:
    """Return what is said after one more report; nothing before it means that it is the first."""
    at_us = effective_time(report)
    if not before:
        return {(report.status, at_us, at_us, report.error_code)}
    after = set()
    for said in before:
        status, event_us, since_us, _ = said
        if at_us < event_us:
            after.add(said)
        else:
            began_us = since_us if status == report.status else at_us
            after.add((report.status, at_us, began_us, report.error_code))
    return after


def check_stations(
    where: str,
    rows: Rows,
    direct: Iterable[StatusReport],
    rerouted: Iterable[StatusReport],
    report: Report,
    compared: Compared = silent,
) -> dict[str, tuple[ConnectorWord, ...]]:
    """Compare a partition's rows with the reports; return each station's words as they have to be.

    Where several are possible, these are the words of the row if it has one of them.
    """
    ours, theirs = _by_connector(direct), _by_connector(rerouted)
    stations: dict[str, tuple[ConnectorWord, ...]] = {}
    possible: dict[str, dict[int, set[ConnectorWord]]] = {}
    for station_id, connector_id in telling(sorted({*ours, *theirs}), compared):
        one = (station_id, connector_id)
        possible.setdefault(station_id, {})[connector_id] = possible_words(
            ours.get(one, ()), theirs.get(one, ())
        )
    for station_id, wanted in possible.items():
        report.compared["stations"] += 1
        row = rows.take(station_key(station_id))
        if row is None:
            report.differs(where, "missing", f"station {station_id}")
        state = read_row(where, f"station {station_id}", row, decode_station, report)
        found = {} if state is None else {each.connector_id: each for each in state.words}
        words = []
        for connector_id, allowed in wanted.items():
            word = found.pop(connector_id, None)
            is_allowed = word in allowed
            if word is not None and word._replace(since_us=ANY_TIME) in allowed:
                report.unchecked["times at which a status began, of too many reports"] += 1
                is_allowed = True
            words.append(word if word is not None and is_allowed else min(allowed, key=_began))
            name = f"connector {connector_id} of {station_id}"
            if word is None and state is not None:
                report.differs(where, "missing", name)
            elif word is not None and not is_allowed:
                report.differs(where, "changed", f"{name}: {changed_fields(words[-1], word)}")
        for connector_id in found:
            report.differs(where, "surplus", f"connector {connector_id} of {station_id}")
        stations[station_id] = tuple(words)
    return stations


def words_in(rows: Rows) -> dict[str, tuple[ConnectorWord, ...]]:
    """Return each station's words as the rows have them, where nothing tells what they have to be."""
    keys = [key for key in rows.left() if key.startswith(station_key(""))]
    return {key[1:].decode(): decode_station(rows.take(key) or b"").words for key in keys}


def _began(word: ConnectorWord) -> int:
    return word.since_us


def _by_connector(reports: Iterable[StatusReport]) -> Mapping[tuple[str, int], list[StatusReport]]:
    grouped: dict[tuple[str, int], list[StatusReport]] = {}
    for report in reports:
        grouped.setdefault((report.station_id, report.connector_id), []).append(report)
    return grouped
