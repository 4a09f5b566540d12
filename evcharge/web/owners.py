"""Finding the worker that can answer: the owner of a station, or all owners for a list."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Generic, NoReturn

from aiohttp import web

from evcharge.web.asking import ask, ask_for_part, owner_or_copy, pass_on
from evcharge.web.context import WebContext
from evcharge.web.parts import P, covered
from evcharge.web.problems import unavailable
from evcharge.web.standby import copies_of, copy_of_one
from evcharge.web.state import PartitionLostError


async def at_owner(
    context: WebContext,
    station_id: str,
    path: str,
    query: Mapping[str, str],
    here: Callable[[WebContext], Awaitable[web.Response]],
) -> web.Response:
    """Answer from this worker's tables, or let the station's owner do it, or else from a copy.

    During a rebalance the owner is looked up anew a few times if there is no copy.

    Raises:
        ProblemError: 503, no worker could answer.
    """
    reader, peers = context.reader, context.peers
    partition = reader.partition_of(station_id)
    asked: set[str] = set()

    async def owner() -> web.Response | None:
        return await _owner_says(context, partition, path, query, here, asked)

    async def copy() -> web.Response | None:
        return await copy_of_one(context, station_id, path, query, here, asked)

    # What is ours may take its time.
    patience_s = None if partition in reader.owned() else peers.hedge_s
    answer = await owner_or_copy(owner(), copy, patience_s)
    for _ in range(1, peers.attempts):
        if answer is not None:
            break
        await asyncio.sleep(peers.pause_s)
        answer = await owner()
    return answer or _nobody_answers(station_id)


async def at_owner_only(
    context: WebContext,
    station_id: str,
    path: str,
    query: Mapping[str, str],
    here: Callable[[WebContext], Awaitable[web.Response]],
) -> web.Response:
    """Do as :func:`at_owner` does, but never answer from a copy: what follows has to be of now.

    Raises:
        ProblemError: 503, the owner cannot answer.
    """
    partition, peers = context.reader.partition_of(station_id), context.peers
    for attempt in range(peers.attempts):
        if attempt:
            await asyncio.sleep(peers.pause_s)
        answer = await _owner_says(context, partition, path, query, here, set())
        if answer is not None:
            return answer
    return _nobody_answers(station_id)


async def _owner_says(
    context: WebContext,
    partition: int,
    path: str,
    query: Mapping[str, str],
    here: Callable[[WebContext], Awaitable[web.Response]],
    asked: set[str],
) -> web.Response | None:
    """Ask the owner of a partition, which may be this worker; note in ``asked`` who was."""
    reader = context.reader
    if partition in reader.owned():
        try:
            return await here(context)
        except PartitionLostError:
            return None
    url = reader.owners().get(partition)
    if url is None or not context.peers.elsewhere(url):
        return None
    asked.add(url)
    answer = await ask(context, url, path, query)
    return None if answer is None else pass_on(answer)


def _nobody_answers(station_id: str) -> NoReturn:
    raise unavailable(f"No worker can answer for station {station_id} at this moment; ask again.")


def require_readable(context: WebContext, station_id: str) -> None:
    """Refuse a question of another worker about a station that cannot be read here.

    Raises:
        ProblemError: 503.
    """
    if context.reader.partition_of(station_id) not in context.reader.readable():
        raise unavailable(f"This worker does not have station {station_id}.")


@dataclass(frozen=True, slots=True)
class Collected(Generic[P]):
    """What the workers said of all partitions."""

    parts: list[P]
    """What was read from copies comes first, so that what was not can replace it."""
    complete: bool
    """Whether every partition is covered."""
    stale: bool
    """Whether a partition is covered by a copy only."""


async def at_all_owners(
    context: WebContext,
    path: str,
    query: Mapping[str, str],
    kind: type[P],
    here: Callable[[WebContext, frozenset[int]], Awaitable[P]],
    patience_s: float,
) -> Collected[P]:
    """Ask every owner for its partitions at once, and copies for those of owners that do not answer.

    Owners are given ``patience_s`` before copies are asked for too.

    Raises:
        ProblemError: 503, no partition is covered at all.
    """
    reader, peers = context.reader, context.peers
    own, owners = reader.owned(), reader.owners()
    elsewhere: dict[str, set[int]] = defaultdict(set)
    for partition in range(reader.partitions):
        url = owners.get(partition)
        if partition not in own and url is not None and peers.elsewhere(url):
            elsewhere[url].add(partition)
    silent: set[str] = set()

    async def copies(partitions: frozenset[int]) -> list[P]:
        return await copies_of(context, partitions, path, query, kind, here, silent)

    async def there(url: str, partitions: frozenset[int]) -> list[P]:
        async def owner() -> list[P] | None:
            part = await ask_for_part(context, url, path, query, partitions, kind)
            return None if part is None else [part]

        async def instead() -> list[P] | None:
            silent.add(url)
            parts = await copies(partitions)
            return parts if covered(parts) == partitions else None

        return await owner_or_copy(owner(), instead, patience_s) or []

    first, *others = await asyncio.gather(
        _alone(here(context, own)), *(there(url, frozenset(of)) for url, of in elsewhere.items())
    )
    parts = [*first, *(part for answer in others for part in answer)]
    left = frozenset(range(reader.partitions)) - covered(parts)
    if left:
        parts += await copies(left)
    everywhere = covered(parts)
    if not everywhere:
        raise unavailable("No worker has recovered its tables yet; ask again in a moment.")
    fresh = {each for part in parts for each in part.partitions if each not in part.stale}
    return Collected(
        sorted(parts, key=lambda part: not part.stale),
        complete=len(everywhere) == reader.partitions,
        stale=not everywhere <= fresh,
    )


async def _alone(part: Awaitable[P]) -> list[P]:
    return [await part]


def asked_partitions(request: web.Request, context: WebContext) -> frozenset[int]:
    """Read which partitions another worker asks this one for, as far as they can be read here."""
    asked = request.query.get("partitions", "").split(",")
    return frozenset(int(each) for each in asked if each.isdecimal()) & context.reader.readable()
