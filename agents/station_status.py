"""Follows the topic ``station-status`` and keeps the last word of every connector."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from operator import attrgetter

from faust.types import StreamT

from evcharge.application import Application
from evcharge.domain.station_state import advance_station, count_ahead
from evcharge.domain.status_report import StatusReport
from evcharge.engine.chunk import Chunk
from evcharge.engine.step import Step
from evcharge.engine.table import StateTable
from evcharge.events.decode import decode_station_status
from tables.station_status import decode_station, encode_station, station_key


def follow_station_status(app: Application, table: StateTable) -> None:
    """Register the agent that writes ``table``."""
    decode = partial(decode_station_status, max_bytes=app.settings.max_record_bytes)

    @app.chunk_agent("station-status", table)
    async def station_status(chunks: StreamT[Chunk]) -> None:
        async for step in app.lane.steps(chunks, table):
            step.apply_all(_advance, step.decode(decode, _station))


_station = attrgetter("station_id")


def _advance(step: Step, station_id: str, reports: Sequence[StatusReport]) -> None:
    key = station_key(station_id)
    before = step.state(key, decode_station)
    after = advance_station(before, reports)
    if ahead := count_ahead(reports):
        step.count("records_ahead", ahead)
    if after != before:
        step.put_state(key, after, encode_station)
