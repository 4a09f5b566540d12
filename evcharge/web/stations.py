"""The stations: one, and the list of all."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec
from aiohttp import web

from evcharge.domain.station import describe_station
from evcharge.domain.station_filter import StationFilter
from evcharge.domain.station_view import StationView
from evcharge.web import parameters
from evcharge.web.answers import STALE, encode, json_response
from evcharge.web.context import WebContext, context_of
from evcharge.web.copies import asked_context, mark, missing
from evcharge.web.cursors import decode_cursor, encode_cursor
from evcharge.web.owners import asked_partitions, at_all_owners, at_owner, require_readable
from evcharge.web.parts import Part, part_of
from evcharge.web.state import PartitionLostError
from evcharge.web.station_view import station_json

ROWS_AT_A_TIME = 100
"""Rows after which a long list lets the event loop, and so the agents, go on."""


class StationsPosition(msgspec.Struct, tag="stations", tag_field="list"):
    """A page of stations begins after this one."""

    after: str


class StationsPart(Part, kw_only=True):
    """The first stations of some partitions, in the order of their ids."""

    rows: list[tuple[str, msgspec.Raw]]
    more: bool


@dataclass(frozen=True, slots=True)
class _Page:
    """Which stations are asked for."""

    wanted: StationFilter
    after: str | None
    """The station before the first one."""
    limit: int


async def show_station(request: web.Request) -> web.Response:
    """One station, from whichever worker owns it."""
    context, station_id = context_of(request), parameters.path_id(request, "station_id")

    async def here(context: WebContext) -> web.Response:
        return _one_station(context, station_id)

    return await at_owner(context, station_id, f"/stations/{station_id}", {}, here)


async def show_own_station(request: web.Request) -> web.Response:
    """One station, for another worker."""
    context, station_id = asked_context(request), parameters.path_id(request, "station_id")
    require_readable(context, station_id)
    return _one_station(context, station_id)


def _one_station(context: WebContext, station_id: str) -> web.Response:
    if not station_is_known(context, station_id):
        raise missing(context, station_id, f"station {station_id}")
    view = _describe(context, station_id)
    return json_response({**station_json(view), **mark(context, station_id)})


def station_is_known(context: WebContext, station_id: str) -> bool:
    """Whether the register, a status or a session has named the station, as the list has it."""
    reader = context.reader
    return reader.registered(station_id) is not None or reader.is_heard_of(station_id)


def _describe(context: WebContext, station_id: str) -> StationView:
    reader = context.reader
    return describe_station(
        station_id,
        reader.station(station_id),
        reader.open_sessions(station_id),
        reader.registered(station_id),
        context.now_us(),
        context.silence_us,
    )


async def list_stations(request: web.Request) -> web.Response:
    """A page of the stations that match, from all workers."""
    context, page = context_of(request), _page(request)

    async def here(context: WebContext, partitions: frozenset[int]) -> StationsPart:
        return await _own_part(context, partitions, page)

    query = {
        name: value
        for name in ("bbox", "status", "min_power_kw", "limit", "cursor")
        if (value := request.query.get(name))
    }
    patience_s = context.peers.list_hedge_s
    found = await at_all_owners(context, "/stations", query, StationsPart, here, patience_s)
    rows = sorted(dict(row for part in found.parts for row in part.rows).items())
    shown = rows[: page.limit]
    more = len(rows) > page.limit or any(part.more for part in found.parts)
    return json_response(
        {
            "stations": [station for _, station in shown],
            "next": encode_cursor(StationsPosition(shown[-1][0])) if more else None,
            "partial": not found.complete,
            **(STALE if found.stale else {}),
        }
    )


async def list_own_stations(request: web.Request) -> web.Response:
    """This worker's part of such a page, for another worker."""
    context, page = asked_context(request), _page(request)
    return json_response(await _own_part(context, asked_partitions(request, context), page))


def _page(request: web.Request) -> _Page:
    wanted, limit = parameters.station_filter(request), parameters.limit(request)
    cursor = request.query.get("cursor")
    return _Page(wanted, decode_cursor(cursor, StationsPosition).after if cursor else None, limit)


async def _own_part(context: WebContext, partitions: frozenset[int], page: _Page) -> StationsPart:
    """Collect this worker's part."""
    return await part_of(partitions, lambda some: _scan(context, some, page))


async def _scan(context: WebContext, partitions: frozenset[int], page: _Page) -> StationsPart:
    reader = context.reader
    copies = partitions & reader.held()
    lost: set[int] = set()
    rows: list[tuple[str, msgspec.Raw]] = []
    more = False
    for scanned, station_id in enumerate(_ids(context, partitions, page.after, lost), start=1):
        if scanned % ROWS_AT_A_TIME == 0:
            await asyncio.sleep(0)
        if not page.wanted.may_match(reader.registered(station_id)):
            continue
        try:
            view = _describe(context, station_id)
        except PartitionLostError:
            lost.add(reader.partition_of(station_id))
            continue
        if not page.wanted.matches(view):
            continue
        if len(rows) == page.limit:
            more = True
            break
        station = station_json(view)
        if copies:
            station |= mark(context, station_id)
        rows.append((station_id, msgspec.Raw(encode(station))))
    covered = (partitions & reader.readable()) - lost
    # A partition that came or went meanwhile was a copy for a part of the time.
    stale = covered & (copies | reader.held())
    return StationsPart(partitions=sorted(covered), stale=sorted(stale), rows=rows, more=more)


def _ids(
    context: WebContext, partitions: frozenset[int], after: str | None, lost: set[int]
) -> Iterator[str]:
    """Every station of the partitions once, sorted: those heard of and those in the register."""
    reader = context.reader

    def heard_of(partition: int) -> Iterator[str]:
        try:
            yield from reader.station_ids(partition, after)
        except PartitionLostError:
            lost.add(partition)

    registered = (
        each for each in reader.registered_ids(after) if reader.partition_of(each) in partitions
    )
    last = None
    for station_id in heapq.merge(registered, *map(heard_of, sorted(partitions))):
        if station_id != last:
            yield station_id
        last = station_id
