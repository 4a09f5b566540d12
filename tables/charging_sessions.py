r"""Table ``charging-sessions``: every session, its records, and where to find it.

=========  ==============================  ====================================================
row        key                             value
=========  ==============================  ====================================================
session    ``S`` station \0 session        ``[1, blocks, [state…], sealed]``: the folded state, how
                                           many blocks of records there are, and the revision
                                           that was sealed (absent: none yet)
records    ``R`` station \0 session \0 n    ``[1, [[record…], …]]``: block n of the session's records,
                                           in the order in which they arrived
open       ``O`` station \0 session        ``[1]``: the session has not ended
index      ``I`` session \0 station        ``[1]``: a station that has a session of this id
=========  ==============================  ====================================================

A session is a function of the set of its records, so all of them are kept; but a record that arrives
in order only adds a small block and rewrites the state, whose size is bounded, whatever came before.
Only writer: ``agents/charging_sessions.py``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol

import msgspec

from evcharge.domain.session import SessionState
from evcharge.domain.session_record import SessionRecord, restored, stored
from evcharge.domain.station_session import OpenSession
from evcharge.storage.partition_store import PartitionStore

NAME = "charging-sessions"

VERSION = 1

RECORDS_A_BLOCK = 500
"""Records; keeps a row far below the size of a record batch."""

PRESENT = b"\x91\x01"
"""The row ``[1]``: its key says everything."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder().decode


class SessionRow(NamedTuple):
    """A session's row."""

    blocks: int
    """How many blocks of records it has."""
    state: SessionState
    sealed: int | None = None
    """The revision that went to ``sealed-sessions``. Set once: a session is never sealed again, and
    what is learnt afterwards shows in a larger revision."""


class _StoredRow(NamedTuple):
    version: int
    blocks: int
    state: SessionState
    sealed: int | None = None


_decode_row = msgspec.msgpack.Decoder(_StoredRow).decode


class RowReader(Protocol):
    """Where rows are read: a step, or what is durable."""

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]: ...


def session_key(station_id: str, session_id: str) -> bytes:
    """Return the key of a session's row."""
    return f"S{station_id}\0{session_id}".encode()


def open_key(station_id: str, session_id: str) -> bytes:
    """Return the key of the row that a session has while it is open."""
    return f"O{station_id}\0{session_id}".encode()


def index_key(session_id: str, station_id: str) -> bytes:
    """Return the key of the row that tells that a station has a session of this id."""
    return f"I{session_id}\0{station_id}".encode()


def block_key(station_id: str, session_id: str, number: int) -> bytes:
    """Return the key of a block of records."""
    return f"R{station_id}\0{session_id}\0".encode() + number.to_bytes(4, "big")


def encode_session(row: SessionRow) -> bytes:
    """Return the row's bytes."""
    blocks, state, sealed = row
    return _encode(_trimmed((VERSION, blocks, _trimmed(state), sealed)))


def decode_session(value: bytes) -> SessionRow:
    """Return the row of its bytes."""
    return SessionRow(*_decode_row(value)[1:])


def encode_records(records: Sequence[SessionRecord]) -> bytes:
    """Return a block's bytes; the session's identity is in the key."""
    return _encode((VERSION, list(map(stored, records))))


def decode_records(station_id: str, session_id: str, value: bytes) -> list[SessionRecord]:
    """Return the records of a block."""
    _, records = _decode(value)
    return [restored(station_id, session_id, kept) for kept in records]


def _trimmed(values: Sequence[Any]) -> Sequence[Any]:
    """Leave out the empty fields at the end: most records use few of them."""
    end = len(values)
    while end and values[end - 1] is None:
        end -= 1
    return values[:end]


def stored_records(
    rows: RowReader, station_id: str, session_id: str, blocks: int
) -> Iterator[SessionRecord]:
    """Yield all records kept of a session, in the order in which they arrived."""
    keys = [block_key(station_id, session_id, number) for number in range(blocks)]
    for value in rows.get_many(keys):
        if value is not None:
            yield from decode_records(station_id, session_id, value)


def record_blocks(
    station_id: str, session_id: str, first: int, records: Sequence[SessionRecord]
) -> Iterator[tuple[bytes, bytes]]:
    """Yield the rows that append records to a session that has ``first`` blocks."""
    for number, start in enumerate(range(0, len(records), RECORDS_A_BLOCK), first):
        block = records[start : start + RECORDS_A_BLOCK]
        yield block_key(station_id, session_id, number), encode_records(block)


class ChargingSessionsReader:
    """Reads what is durable of one partition."""

    def __init__(self, store: PartitionStore) -> None:
        self._store = store

    def session(self, station_id: str, session_id: str) -> SessionState | None:
        """Return a session's state."""
        value = self._store.get(session_key(station_id, session_id))
        return None if value is None else decode_session(value).state

    def sessions_of(self, station_id: str) -> Iterator[tuple[str, SessionState]]:
        """Yield a station's sessions, sorted by id."""
        prefix = session_key(station_id, "")
        for key, value in self._store.scan(prefix):
            yield key[len(prefix) :].decode(), decode_session(value).state

    def station_ids(self, after: str | None = None) -> Iterator[str]:
        """Yield the ids of the stations that have sessions, sorted, from behind ``after`` on."""
        while True:
            # Behind the last session of a station: the separator's successor ends its rows.
            start = None if after is None else f"S{after}\1".encode()
            key = next((key for key, _ in self._store.scan(b"S", start)), None)
            if key is None:
                return
            after = key[1:].partition(b"\0")[0].decode()
            yield after

    def open_sessions(self, station_id: str) -> list[OpenSession]:
        """Return a station's sessions that have not ended, sorted by id."""
        prefix = open_key(station_id, "")
        ids = [key[len(prefix) :].decode() for key, _ in self._store.scan(prefix)]
        states = self._store.get_many([session_key(station_id, each) for each in ids])
        return [
            OpenSession(each, state.connector_id, state.started_us, state.updated_us)
            for each, state in zip(ids, map(_state, states), strict=True)
            # A row of an open session can outlive its deletion: compaction forgets what was deleted.
            if state is not None and state.is_open
        ]

    def stations_having(self, session_id: str) -> Iterator[str]:
        """Yield the stations that have a session of this id, sorted."""
        prefix = index_key(session_id, "")
        for key, _ in self._store.scan(prefix):
            yield key[len(prefix) :].decode()

    def records(self, station_id: str, session_id: str) -> list[SessionRecord]:
        """Return all records kept of a session, in the order in which they arrived."""
        value = self._store.get(session_key(station_id, session_id))
        if value is None:
            return []
        return list(
            stored_records(self._store, station_id, session_id, decode_session(value).blocks)
        )


def _state(value: bytes | None) -> SessionState | None:
    return None if value is None else decode_session(value).state
