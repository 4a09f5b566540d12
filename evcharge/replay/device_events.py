"""The device events that a closed session stood for, and the order in which devices sent them."""

from __future__ import annotations

import heapq
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from evcharge.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from evcharge.replay.closed_sessions import ClosedSession


class DeviceEvent(NamedTuple):
    """One record to be published under the key `station_id`."""

    at_us: int
    topic: str
    """`charging-sessions` or `station-status`, without a prefix."""
    station_id: str
    value: bytes


@dataclass(frozen=True, slots=True)
class Contents:
    """What a file holds, found by reading it once."""

    sessions: int
    first_us: int
    last_us: int
    in_order: bool
    """Each row begins no earlier than the one before it, so it can be replayed as it is read."""
    backwards: int
    """Sessions that end before they start."""


def survey(sessions: Iterable[ClosedSession]) -> Contents:
    """Read everything once, which also checks every row.

    Raises:
        CommandError: there is no session.
    """
    count = backwards = 0
    first = last = previous = None
    in_order = True
    for session in sessions:
        count += 1
        begins, ends = sorted((session.start_us, session.end_us))
        backwards += session.end_us < session.start_us
        in_order = in_order and (previous is None or begins >= previous)
        previous = begins
        first = begins if first is None else min(first, begins)
        last = ends if last is None else max(last, ends)
    if first is None or last is None:
        raise CommandError("the file holds no session")
    return Contents(count, first, last, in_order, backwards)


def in_time_order(
    read: Callable[[], Iterable[ClosedSession]], contents: Contents
) -> Iterator[DeviceEvent]:
    """Yield the events of all sessions in time order.

    Within one instant a session's end comes before another's start, so that a station where the
    next car plugs in at once is left occupied; a session of no length keeps its start before its
    end, between the two. What is still equal keeps the order of the file.

    Memory: the sessions that are open at one time if the file is `in_order`, otherwise all of them
    (about 0.7 GB for a million).
    """
    sessions = read()
    if not contents.in_order:
        sessions = sorted(sessions, key=lambda session: session.first_us)
    # (instant, rank within it, line, end after start, session)
    waiting: list[tuple[int, int, int, bool, ClosedSession]] = []
    for session in sessions:
        # A later row can still bring an event of its own first instant that belongs before others.
        while waiting and waiting[0][0] < session.first_us:
            yield from _events(heapq.heappop(waiting))
        no_length = session.start_us == session.end_us
        start_rank, end_rank = (1, 1) if no_length else (2, 0)
        heapq.heappush(waiting, (session.start_us, start_rank, session.line, False, session))
        heapq.heappush(waiting, (session.end_us, end_rank, session.line, True, session))
    while waiting:
        yield from _events(heapq.heappop(waiting))


def _events(moment: tuple[int, int, int, bool, ClosedSession]) -> tuple[DeviceEvent, DeviceEvent]:
    at_us, _, _, is_end, session = moment
    station = session.station_id
    told, status = (_end(session), "free") if is_end else (_start(session), "occupied")
    at = session.end_time if is_end else session.start_time
    # The contract's order: first the session, then the status.
    return (
        DeviceEvent(at_us, "charging-sessions", station, told),
        DeviceEvent(at_us, "station-status", station, _status(session, at, status)),
    )


def _start(session: ClosedSession) -> bytes:
    return _json(
        ("event", _text("session_start")),
        ("session_id", _text(session.session_id)),
        ("station_id", _text(session.station_id)),
        ("timestamp", _text(session.start_time)),
        *_optional(session),
    )


def _end(session: ClosedSession) -> bytes:
    return _json(
        ("event", _text("session_end")),
        ("session_id", _text(session.session_id)),
        ("station_id", _text(session.station_id)),
        ("timestamp", _text(session.end_time)),
        ("start_time", _text(session.start_time)),
        ("energy_kwh", session.energy_kwh),
        *_optional(session),
    )


def _status(session: ClosedSession, at: str, status: str) -> bytes:
    return _json(
        ("station_id", _text(session.station_id)),
        ("timestamp", _text(at)),
        ("status", _text(status)),
        *_connector(session),
    )


def _optional(session: ClosedSession) -> list[tuple[str, str]]:
    user = [] if session.user_id is None else [("user_id", _text(session.user_id))]
    return [*_connector(session), *user]


def _connector(session: ClosedSession) -> list[tuple[str, str]]:
    number = session.connector_id
    return [] if number is None else [("connector_id", str(number))]


def _json(*members: tuple[str, str]) -> bytes:
    # Written by hand: a float between the file and the record would change the energy's digits.
    return ("{" + ",".join(f'"{name}":{value}' for name, value in members) + "}").encode()


def _text(value: str) -> str:
    return json.dumps(value)
