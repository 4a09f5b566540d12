"""The sessions: one, wherever it is, and those of a station."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from itertools import islice

import msgspec
from aiohttp import web

from evcharge.domain.session import Lifecycle
from evcharge.web import parameters
from evcharge.web.answers import json_response, marked_stale
from evcharge.web.context import WebContext, context_of
from evcharge.web.copies import asked_context, mark, missing
from evcharge.web.costs import affordable
from evcharge.web.cursors import decode_cursor, encode_cursor
from evcharge.web.owners import asked_partitions, at_all_owners, at_owner, require_readable
from evcharge.web.parts import Part
from evcharge.web.problems import ProblemError, not_found, unavailable
from evcharge.web.session_view import session_json
from evcharge.web.state import KeptSession, PartitionLostError
from evcharge.web.stations import ROWS_AT_A_TIME, station_is_known

MOST_STATIONS_NAMED = 100
"""A short counter as session id may be in use at every station of a network."""


class SessionsPosition(msgspec.Struct, tag="sessions", tag_field="list", order=True, frozen=True):
    """Where a session stands in its station's list: active first, then those that started last."""

    ended: bool
    earliness_us: int
    """The start, negated: the list runs backwards in time."""
    session_id: str


class StationsHaving(Part, kw_only=True):
    """The stations of some partitions that have a session of the id asked for.

    Of each partition at most the first ``MOST_STATIONS_NAMED`` and one more.
    """

    stations: list[str]


async def list_sessions(request: web.Request) -> web.Response:
    """A page of a station's sessions, from whichever worker owns it."""
    context, station_id = context_of(request), parameters.path_id(request, "station_id")
    limit, after = parameters.limit(request), _after(request)
    query = {name: value for name in ("limit", "cursor") if (value := request.query.get(name))}

    async def here(context: WebContext) -> web.Response:
        return await _sessions_of(context, station_id, limit, after)

    return await at_owner(context, station_id, f"/stations/{station_id}/sessions", query, here)


async def list_own_sessions(request: web.Request) -> web.Response:
    """A page of a station's sessions, for another worker."""
    context, station_id = asked_context(request), parameters.path_id(request, "station_id")
    limit, after = parameters.limit(request), _after(request)
    require_readable(context, station_id)
    return await _sessions_of(context, station_id, limit, after)


def _after(request: web.Request) -> SessionsPosition | None:
    cursor = request.query.get("cursor")
    return decode_cursor(cursor, SessionsPosition) if cursor else None


async def _sessions_of(
    context: WebContext, station_id: str, limit: int, after: SessionsPosition | None
) -> web.Response:
    reader, marked = context.reader, mark(context, station_id)
    if not station_is_known(context, station_id):
        raise missing(context, station_id, f"station {station_id}")
    found: list[tuple[SessionsPosition, KeptSession]] = []
    for scanned, (session_id, kept) in enumerate(reader.sessions_of(station_id), start=1):
        if scanned % ROWS_AT_A_TIME == 0:
            await asyncio.sleep(0)
        position = _position(session_id, kept)
        if after is None or position > after:
            found.append((position, kept))
    if reader.partition_of(station_id) not in reader.readable():
        raise PartitionLostError
    found.sort(key=lambda each: each[0])
    page = found[: affordable(kept for _, kept in found[:limit])]
    return json_response(
        {
            "sessions": [await session_json(context, kept) for _, kept in page],
            "next": encode_cursor(page[-1][0]) if len(found) > len(page) else None,
            **marked,
        }
    )


def _position(session_id: str, kept: KeptSession) -> SessionsPosition:
    state, is_active = kept.state, kept.stands.standing is Lifecycle.ACTIVE
    started_us = state.last_us if state.started_us is None else state.started_us
    return SessionsPosition(not is_active, -started_us, session_id)


async def show_session(request: web.Request) -> web.Response:
    """One session, from whichever worker owns its station."""
    context, session_id = context_of(request), parameters.path_id(request, "session_id")

    async def here(context: WebContext, station_id: str) -> web.Response:
        return await _one_session(context, station_id, session_id)

    return await about_session(request, context, session_id, "", {}, here)


async def about_session(
    request: web.Request,
    context: WebContext,
    session_id: str,
    kind: str,
    query: Mapping[str, str],
    here: Callable[[WebContext, str], Awaitable[web.Response]],
) -> web.Response:
    """Answer about a session from whichever worker owns its station, which ``here`` is given.

    ``kind`` is what follows the session in the path between workers. Raises as :func:`station_named` and
    :func:`~evcharge.web.owners.at_owner` do.
    """
    station_id, stale = await station_named(request, context, session_id)
    path = f"/stations/{station_id}/sessions/{session_id}{kind}"
    answer = await at_owner(context, station_id, path, query, lambda view: here(view, station_id))
    if stale and answer.status == HTTPStatus.OK and isinstance(answer.body, bytes):
        answer.body = marked_stale(answer.body)
    return answer


async def show_own_session(request: web.Request) -> web.Response:
    """One session, for another worker."""
    context, station_id = asked_context(request), parameters.path_id(request, "station_id")
    session_id = parameters.path_id(request, "session_id")
    require_readable(context, station_id)
    return await _one_session(context, station_id, session_id)


async def _one_session(context: WebContext, station_id: str, session_id: str) -> web.Response:
    kept = kept_session(context, station_id, session_id)
    marked = mark(context, station_id)
    return json_response({**await session_json(context, kept), **marked})


def kept_session(context: WebContext, station_id: str, session_id: str) -> KeptSession:
    """Return a session of a partition that can be read here.

    Raises:
        ProblemError: 404, or 503 if a copy does not have it.
    """
    kept = context.reader.kept(station_id, session_id)
    if kept is None:
        raise missing(context, station_id, f"session {session_id} of station {station_id}")
    return kept


async def station_named(
    request: web.Request, context: WebContext, session_id: str
) -> tuple[str, bool]:
    """Return the station that a request names, or the only one that has a session of this id.

    And whether copies were asked which that is. Raises as :func:`_station_having` does.
    """
    station_id = parameters.query_id(request, "station_id")
    if station_id is not None:
        return station_id, False
    return await _station_having(context, session_id)


async def _station_having(context: WebContext, session_id: str) -> tuple[str, bool]:
    """Find the only station that has a session of this id, and whether copies were asked.

    Raises:
        ProblemError: 404, 409, or 503 as long as a partition that could hold one has not answered.
    """

    async def here(context: WebContext, partitions: frozenset[int]) -> StationsHaving:
        return await _own_stations_having(context, partitions, session_id)

    path, patience_s = f"/sessions/{session_id}/stations", context.peers.hedge_s
    found = await at_all_owners(context, path, {}, StationsHaving, here, patience_s)
    stations = sorted({station for part in found.parts for station in part.stations})
    if len(stations) > 1:
        many = len(stations) > MOST_STATIONS_NAMED
        raise ProblemError(
            HTTPStatus.CONFLICT,
            f"{f'More than {MOST_STATIONS_NAMED}' if many else len(stations)} stations have a"
            f" session {session_id}: name one as station_id.",
            stations=stations[:MOST_STATIONS_NAMED],
        )
    # A copy may not have a session yet that its owner has.
    if not found.complete or (found.stale and not stations):
        raise unavailable(
            f"Not every worker can tell at this moment whether it has session {session_id}:"
            " ask again, or name its station as station_id."
        )
    if not stations:
        raise not_found(f"session {session_id}")
    return stations[0], found.stale


async def find_own_stations(request: web.Request) -> web.Response:
    """Which stations of this worker have a session of an id, for another worker."""
    context, session_id = asked_context(request), parameters.path_id(request, "session_id")
    partitions = asked_partitions(request, context)
    return json_response(await _own_stations_having(context, partitions, session_id))


async def _own_stations_having(
    context: WebContext, partitions: frozenset[int], session_id: str
) -> StationsHaving:
    covered: list[int] = []
    stale: list[int] = []
    stations: list[str] = []
    for partition in sorted(partitions):
        try:
            having = context.reader.stations_having(partition, session_id)
            stations += islice(having, MOST_STATIONS_NAMED + 1)
        except PartitionLostError:
            continue
        covered.append(partition)
        if partition in context.reader.held():
            stale.append(partition)
        await asyncio.sleep(0)
    return StationsHaving(partitions=covered, stale=stale, stations=stations)
