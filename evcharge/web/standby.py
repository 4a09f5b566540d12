"""Finding a copy that can answer in place of an owner."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from http import HTTPStatus

from aiohttp import web

from evcharge.web.asking import ask, ask_for_part, first_of, pass_on
from evcharge.web.context import WebContext
from evcharge.web.copies import WITH_COPIES
from evcharge.web.parts import P, covered
from evcharge.web.problems import ProblemError
from evcharge.web.state import PartitionLostError


async def copy_of_one(
    context: WebContext,
    station_id: str,
    path: str,
    query: Mapping[str, str],
    here: Callable[[WebContext], Awaitable[web.Response]],
    silent: Iterable[str],
) -> web.Response | None:
    """Answer from this worker's copy, or that of any but the silent ones; None if nobody has one."""
    view, peers = context.with_copies(), context.peers
    partition = view.reader.partition_of(station_id)
    if partition in view.reader.readable():
        try:
            return await here(view)
        except PartitionLostError:
            pass
        except ProblemError as problem:
            if problem.status is not HTTPStatus.SERVICE_UNAVAILABLE:
                raise

    async def there(url: str) -> web.Response | None:
        answer = await ask(context, url, path, {**query, WITH_COPIES: "1"})
        return None if answer is None else pass_on(answer)

    try:
        async with asyncio.timeout(peers.copy_timeout_s):
            return await first_of(
                [asyncio.create_task(there(url)) for url in _others(context, silent)]
            )
    except TimeoutError:
        return None


async def copies_of(
    context: WebContext,
    partitions: frozenset[int],
    path: str,
    query: Mapping[str, str],
    kind: type[P],
    here: Callable[[WebContext, frozenset[int]], Awaitable[P]],
    silent: Iterable[str],
) -> list[P]:
    """Collect what this worker's copies, then all others' but the silent ones', have of partitions."""
    view = context.with_copies()
    near = partitions & view.reader.readable()
    parts = [await here(view, near)] if near else []
    rest = partitions - covered(parts)
    asked = [
        asyncio.create_task(
            ask_for_part(context, url, path, {**query, WITH_COPIES: "1"}, rest, kind)
        )
        for url in (_others(context, silent) if rest else ())
    ]
    try:
        for answer in asyncio.as_completed(asked, timeout=context.peers.copy_timeout_s):
            if (part := await answer) is not None:
                parts.append(part)
            if partitions <= covered(parts):
                break
    except TimeoutError:
        pass
    finally:
        for task in asked:
            task.cancel()
    return parts


def _others(context: WebContext, silent: Iterable[str]) -> list[str]:
    """Return the workers that may have a copy: all but this one and those that do not answer."""
    peers = context.peers
    return sorted(url for url in {*context.reader.workers()} - {*silent} if peers.elsewhere(url))
