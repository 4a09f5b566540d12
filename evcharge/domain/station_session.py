"""A session that has not ended, as far as it matters to the connector it occupies."""

from __future__ import annotations

from typing import NamedTuple


class OpenSession(NamedTuple):
    """One running session of a station."""

    session_id: str
    connector_id: int
    started_us: int | None
    """Its start in event time; ``None`` while no record has told it."""
    heard_us: int
    """Ingest time of its latest record."""
