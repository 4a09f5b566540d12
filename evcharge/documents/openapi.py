"""The OpenAPI 3.1 document of the HTTP interface: the one that every worker serves."""

from __future__ import annotations

from evcharge.web import openapi, routes


def text() -> str:
    """Return ``openapi.json``."""
    return openapi.text(routes.ENDPOINTS)
