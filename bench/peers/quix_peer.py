"""Quix Streams: streaming dataframes with state per station, at least or exactly once.

Run by the interpreter of `.venv-bench/quix`, where Quix Streams is, and evcharge's own packages are not.
"""

from __future__ import annotations

from typing import Any

from quixstreams import Application

from bench.peers.job import (
    advance_session,
    advance_station,
    arguments,
    read_session_event,
    read_status,
    record_key,
    session_key,
)


def follow_status(value: bytes, state: Any) -> None:
    """Keep the station's last word."""
    after = advance_station(state.get("words"), read_status(value))
    if after is not None:
        state.set("words", after)


def assemble_session(value: bytes, state: Any) -> bytes | None:
    """Keep the session and its record; return the output if it ended."""
    event = read_session_event(value)
    key = session_key(event)
    after, ended = advance_session(state.get(key), event)
    state.set(key, after)
    state.set_bytes(record_key(event, after), value)
    return ended


def main() -> None:
    """Run until told to end."""
    job = arguments()
    app = Application(
        broker_address=job.bootstrap,
        consumer_group=job.group,
        auto_offset_reset="earliest",
        processing_guarantee=job.guarantee,
        state_dir=job.directory,
        loglevel="WARNING",
    )
    status = app.topic(f"{job.prefix}station-status", value_deserializer="bytes")
    sessions = app.topic(f"{job.prefix}charging-sessions", value_deserializer="bytes")
    output = app.topic(job.output, value_serializer="bytes")
    app.dataframe(status).update(follow_status, stateful=True)
    assembled = app.dataframe(sessions).apply(assemble_session, stateful=True)
    assembled.filter(lambda ended: ended is not None).to_topic(output)
    app.run()


if __name__ == "__main__":
    main()
