"""Asking other workers, and not waiting for one that is slow if another can answer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable, Mapping
from http import HTTPStatus
from typing import Any, TypeVar

import msgspec
from aiohttp import web

from evcharge.web.context import WebContext
from evcharge.web.parts import P
from evcharge.web.peers import PeerAnswer, PeerError

logger = logging.getLogger(__name__)

T = TypeVar("T")


async def ask(
    context: WebContext, url: str, path: str, query: Mapping[str, str]
) -> PeerAnswer | None:
    """Ask one worker; None if it gives no answer, or none at this moment."""
    try:
        answer = await context.peers.get(url, path, query)
    except PeerError as problem:
        logger.warning("Asking on failed: %s", problem)
        return None
    return None if answer.status == HTTPStatus.SERVICE_UNAVAILABLE else answer


async def ask_for_part(
    context: WebContext,
    url: str,
    path: str,
    query: Mapping[str, str],
    partitions: Iterable[int],
    kind: type[P],
) -> P | None:
    """Ask one worker for its part of some partitions; None if it gives none."""
    numbers = ",".join(map(str, sorted(partitions)))
    answer = await ask(context, url, path, {**query, "partitions": numbers})
    if answer is None:
        return None
    try:
        if answer.status == HTTPStatus.OK:
            return msgspec.json.decode(answer.body, type=kind)
        logger.warning("%s answered %s to %s.", url, answer.status, path)
    except (RecursionError, ValueError) as problem:
        logger.warning("%s answered nonsense to %s: %s", url, path, problem)
    return None


def pass_on(answer: PeerAnswer) -> web.Response:
    """Answer what another worker answered."""
    return web.Response(status=answer.status, body=answer.body, content_type=answer.content_type)


async def owner_or_copy(
    owner: Coroutine[Any, Any, T | None],
    copy: Callable[[], Coroutine[Any, Any, T | None]],
    patience_s: float | None,
) -> T | None:
    """Return what the owner says, or a copy once the owner has failed or is slow, or None.

    Until a copy has answered, the owner still may.
    """
    asked = asyncio.create_task(owner)
    try:
        await asyncio.wait({asked}, timeout=patience_s)
        if asked.done() and (said := asked.result()) is not None:
            return said
        return await first_of([asked, asyncio.create_task(copy())])
    finally:
        asked.cancel()


async def first_of(asked: Iterable[asyncio.Task[T | None]]) -> T | None:
    """Return the first answer that is one; the others are not waited for."""
    tasks = list(asked)
    try:
        for each in asyncio.as_completed(tasks):
            if (said := await each) is not None:
                return said
        return None
    finally:
        for task in tasks:
            task.cancel()
