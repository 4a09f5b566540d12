"""Finding the worker that can answer: the owner of a station, or all owners for a list."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import TypeVar

import msgspec
from aiohttp import web

from evcharge.web.context import WebContext
from evcharge.web.peers import PeerAnswer, PeerError
from evcharge.web.problems import unavailable
from evcharge.web.state import PartitionLostError

logger = logging.getLogger(__name__)


class Part(msgspec.Struct, kw_only=True):
    """One worker's part of an answer that needs all partitions."""

    partitions: list[int]
    """The partitions that this part covers wholly."""


P = TypeVar("P", bound=Part)


async def at_owner(
    context: WebContext,
    station_id: str,
    path: str,
    query: Mapping[str, str],
    here: Callable[[], Awaitable[web.Response]],
) -> web.Response:
    """Answer from this worker's tables, or let the station's owner do it.

    During a rebalance the owner is looked up anew a few times.

    Raises:
        ProblemError: 503, no worker could answer.
    """
    reader, peers = context.reader, context.peers
    partition = reader.partition_of(station_id)
    for attempt in range(peers.attempts):
        if attempt:
            await asyncio.sleep(peers.pause_s)
        if partition in reader.owned():
            try:
                return await here()
            except PartitionLostError:
                continue
        url = reader.owners().get(partition)
        if url is None or not peers.elsewhere(url):
            continue
        try:
            answer = await peers.get(url, path, query)
        except PeerError as problem:
            logger.warning("Asking on failed: %s", problem)
            continue
        if answer.status != HTTPStatus.SERVICE_UNAVAILABLE:
            return _pass_on(answer)
    raise unavailable(f"No worker can answer for station {station_id} at this moment; ask again.")


def require_owner(context: WebContext, station_id: str) -> None:
    """Refuse a question of another worker about a station that this one does not own.

    Raises:
        ProblemError: 503.
    """
    if context.reader.partition_of(station_id) not in context.reader.owned():
        raise unavailable(f"This worker does not own station {station_id}.")


def _pass_on(answer: PeerAnswer) -> web.Response:
    return web.Response(status=answer.status, body=answer.body, content_type=answer.content_type)


async def at_all_owners(
    context: WebContext,
    path: str,
    query: Mapping[str, str],
    kind: type[P],
    here: Callable[[frozenset[int]], Awaitable[P]],
) -> tuple[list[P], bool]:
    """Ask every owner for its partitions at once, each partition of one worker only.

    Returns:
        The parts, and whether they cover every partition.

    Raises:
        ProblemError: 503, no partition is covered at all.
    """
    reader, peers = context.reader, context.peers
    own, owners = reader.owned(), reader.owners()
    elsewhere: dict[str, list[int]] = defaultdict(list)
    for partition in range(reader.partitions):
        url = owners.get(partition)
        if partition not in own and url is not None and peers.elsewhere(url):
            elsewhere[url].append(partition)

    async def there(url: str, partitions: list[int]) -> P | None:
        try:
            answer = await peers.get(
                url, path, {**query, "partitions": ",".join(map(str, partitions))}
            )
            if answer.status == HTTPStatus.OK:
                return msgspec.json.decode(answer.body, type=kind)
            logger.warning("%s answered %s to %s.", url, answer.status, path)
        except (PeerError, msgspec.DecodeError) as problem:
            logger.warning("A list misses partitions %s: %s", partitions, problem)
        return None

    answers = await asyncio.gather(
        here(own), *(there(url, partitions) for url, partitions in elsewhere.items())
    )
    parts = [part for part in answers if part is not None]
    covered = {partition for part in parts for partition in part.partitions}
    if not covered:
        raise unavailable("No worker has recovered its tables yet; ask again in a moment.")
    return parts, len(covered) == reader.partitions


def asked_partitions(request: web.Request, context: WebContext) -> frozenset[int]:
    """Read which partitions another worker asks this one for, as far as this one owns them."""
    asked = request.query.get("partitions", "").split(",")
    return frozenset(int(each) for each in asked if each.isdecimal()) & context.reader.owned()
