"""Stock Faust: one event at a time, RocksDB tables with changelogs, at least once."""

from __future__ import annotations

import sys

import faust
from faust.types import StreamT

from bench.peers.job import (
    advance_session,
    advance_station,
    arguments,
    read_session_event,
    read_status,
    record_key,
    session_key,
)
from bench.preload import PARTITIONS


def application(told: list[str]) -> faust.App:
    """Build the application."""
    job = arguments(told)
    app = faust.App(
        job.group,
        broker=f"kafka://{job.bootstrap}",
        store="rocksdb://",
        datadir=job.directory,
        autodiscover=False,
        consumer_auto_offset_reset="earliest",
        topic_partitions=PARTITIONS,
        topic_disable_leader=True,
        table_standby_replicas=0,
        web_enabled=False,
        # Better than the defaults of 0 s and 16 KiB where many small records are written.
        producer_linger=0.02,
        producer_max_batch_size=256 << 10,
    )
    status_topic = app.topic(
        f"{job.prefix}station-status", value_type=bytes, value_serializer="raw"
    )
    session_topic = app.topic(
        f"{job.prefix}charging-sessions", value_type=bytes, value_serializer="raw"
    )
    output = app.topic(job.output, value_type=bytes, value_serializer="raw")
    stations = app.Table("stations", partitions=PARTITIONS)
    sessions = app.Table("sessions", partitions=PARTITIONS)
    records = app.Table("records", partitions=PARTITIONS, value_type=bytes)

    @app.agent(status_topic)
    async def follow_status(values: StreamT[bytes]) -> None:
        async for value in values:
            event = read_status(value)
            after = advance_station(stations.get(event["station_id"]), event)
            if after is not None:
                stations[event["station_id"]] = after

    @app.agent(session_topic)
    async def assemble_sessions(values: StreamT[bytes]) -> None:
        async for value in values:
            event = read_session_event(value)
            key = session_key(event)
            sessions[key], ended = advance_session(sessions.get(key), event)
            records[record_key(event, sessions[key])] = value
            if ended is not None:
                await output.send(key=event["station_id"].encode(), value=ended)

    return app


if __name__ == "__main__":
    app = application(sys.argv[1:])
    # With "warn" Faust has every library make its debug records, which takes a third of its time.
    sys.argv[1:] = ["worker", "--without-web", "-l", "info"]
    app.main()
