"""What may be answered from a copy: it is marked as stale, and never says that something does not exist.

Copies are the tables of other workers that this one follows (``StateReader.held``). They are read while
the owner of a partition is dead, slow or not ready yet.
"""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from evcharge.web.answers import STALE
from evcharge.web.context import WebContext, context_of
from evcharge.web.problems import ProblemError, not_found, unavailable

WITH_COPIES = "stale"
"""With this query parameter a worker asks another for what it owns or only holds."""


def asked_context(request: web.Request) -> WebContext:
    """Return what a question of another worker may be answered from."""
    context = context_of(request)
    return context.with_copies() if WITH_COPIES in request.query else context


def mark(context: WebContext, station_id: str) -> Mapping[str, bool]:
    """Return the member that an answer about a station needs if it is read from a copy now."""
    reader = context.reader
    return STALE if reader.partition_of(station_id) in reader.held() else {}


def missing(context: WebContext, station_id: str, what: str) -> ProblemError:
    """Build the answer to an id that the partition of a station does not have here."""
    reader = context.reader
    if reader.partition_of(station_id) in reader.held():
        return unavailable(f"The copy that can be asked at this moment knows no {what}; ask again.")
    return not_found(what)
