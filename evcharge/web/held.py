"""The sessions that wait for a person, of all stations."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Iterator

import msgspec
from aiohttp import web

from evcharge.web import parameters
from evcharge.web.answers import STALE, encode, json_response
from evcharge.web.context import WebContext, context_of
from evcharge.web.copies import asked_context, mark
from evcharge.web.costs import affordable
from evcharge.web.cursors import decode_cursor, encode_cursor
from evcharge.web.owners import asked_partitions, at_all_owners
from evcharge.web.parts import Part, part_of
from evcharge.web.problems import bad_parameter
from evcharge.web.session_view import session_json
from evcharge.web.state import KeptSession, PartitionLostError

HELD = "held"
"""The only state that sessions are listed by."""


class HeldPosition(msgspec.Struct, tag="held", tag_field="list", order=True, frozen=True):
    """A session's place in the list, behind which a page begins."""

    station_id: str
    session_id: str


class HeldPart(Part, kw_only=True):
    """The first held sessions of some partitions, sorted by station and session."""

    rows: list[tuple[HeldPosition, msgspec.Raw]]
    more: bool


async def list_held_sessions(request: web.Request) -> web.Response:
    """A page of the sessions to review, from all workers."""
    context = context_of(request)
    limit, after = _page(request)

    async def here(context: WebContext, partitions: frozenset[int]) -> HeldPart:
        return await _own_part(context, partitions, limit, after)

    query = {
        name: value for name in ("state", "limit", "cursor") if (value := request.query.get(name))
    }
    patience_s = context.peers.list_hedge_s
    found = await at_all_owners(context, "/held-sessions", query, HeldPart, here, patience_s)
    # Behind the end of a part that has more, that part's next sessions are missing.
    ends = [part.rows[-1][0] for part in found.parts if part.more]
    rows = sorted(dict(row for part in found.parts for row in part.rows).items())
    known = [row for row in rows if not ends or row[0] <= min(ends)]
    shown = known[:limit]
    more = len(shown) < len(rows) or bool(ends)
    return json_response(
        {
            "sessions": [session for _, session in shown],
            "next": encode_cursor(shown[-1][0]) if more else None,
            "partial": not found.complete,
            **(STALE if found.stale else {}),
        }
    )


async def list_own_held_sessions(request: web.Request) -> web.Response:
    """This worker's part of such a page, for another worker."""
    context = asked_context(request)
    limit, after = _page(request)
    partitions = asked_partitions(request, context)
    return json_response(await _own_part(context, partitions, limit, after))


def _page(request: web.Request) -> tuple[int, HeldPosition | None]:
    if request.query.get("state") != HELD:
        raise bad_parameter("state", HELD)
    cursor = request.query.get("cursor")
    after = decode_cursor(cursor, HeldPosition) if cursor else None
    return parameters.limit(request), after


async def _own_part(
    context: WebContext, partitions: frozenset[int], limit: int, after: HeldPosition | None
) -> HeldPart:
    """Collect this worker's part."""
    return await part_of(partitions, lambda some: _scan(context, some, limit, after))


async def _scan(
    context: WebContext, partitions: frozenset[int], limit: int, after: HeldPosition | None
) -> HeldPart:
    reader = context.reader
    copies = partitions & reader.held()
    lost: set[int] = set()
    place = None if after is None else (after.station_id, after.session_id)

    def held(partition: int) -> Iterator[tuple[HeldPosition, KeptSession]]:
        try:
            for kept in reader.held_sessions(partition, place):
                session = kept.session
                yield HeldPosition(session.station_id, session.session_id), kept
        except PartitionLostError:
            lost.add(partition)

    found: list[tuple[HeldPosition, KeptSession]] = []
    merged = heapq.merge(*map(held, sorted(partitions)), key=lambda row: row[0])
    for row in merged:
        await asyncio.sleep(0)
        found.append(row)
        if len(found) > limit:
            break
    page = found[: affordable(kept for _, kept in found[:limit])]
    rows = []
    for position, kept in page:
        try:
            session = await session_json(context, kept)
        except PartitionLostError:
            lost.add(reader.partition_of(position.station_id))
            continue
        if copies:
            session |= mark(context, position.station_id)
        rows.append((position, msgspec.Raw(encode(session))))
    covered = (partitions & reader.readable()) - lost
    stale = covered & (copies | reader.held())
    return HeldPart(
        partitions=sorted(covered), stale=sorted(stale), rows=rows, more=len(found) > len(page)
    )
