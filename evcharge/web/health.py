"""Whether the worker lives, whether it can work, and what it counts."""

from __future__ import annotations

import time

from aiohttp import web
from aiohttp.typedefs import Handler

from evcharge.web.answers import json_response
from evcharge.web.context import context_of
from evcharge.web.metrics import CONTENT_TYPE
from evcharge.web.problems import unavailable

UNROUTED = "unknown path"
"""The route of requests that match none: paths from outside must not become labels."""


async def show_alive(_request: web.Request) -> web.Response:
    """The process answers."""
    return json_response({"status": "alive"})


async def show_ready(request: web.Request) -> web.Response:
    """The worker is a member of the group with its tables recovered."""
    reader = context_of(request).reader
    if not reader.ready():
        raise unavailable("This worker has not recovered its tables yet, or is not in the group.")
    return json_response({"status": "ready", "partitions": sorted(reader.owned())})


async def show_metrics(request: web.Request) -> web.Response:
    """Everything that is counted, for Prometheus."""
    return web.Response(
        body=context_of(request).metrics.text(), headers={"Content-Type": CONTENT_TYPE}
    )


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


@web.middleware
async def count_requests(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Count an answer and its time by route; it stands outside the one that writes problems."""
    metrics, began = context_of(request).metrics, time.perf_counter()
    response = await handler(request)
    resource = request.match_info.route.resource
    route = resource.canonical if resource else UNROUTED
    metrics.http_seconds.labels(route).observe(time.perf_counter() - began)
    method = request.method if request.method in _METHODS else "other"
    metrics.http_requests.labels(route, method, response.status).inc()
    return response
