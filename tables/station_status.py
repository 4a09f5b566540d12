"""Table ``station-status``: what each station last said of its connectors.

* key: ``S`` station_id
* value: ``[1, [word, …]]``, a word is :class:`~evcharge.domain.station_state.ConnectorWord` as an array
* only writer: ``agents/station_status.py``
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from evcharge.domain.station_state import ConnectorWord, StationState
from evcharge.storage.partition_store import PartitionStore

NAME = "station-status"

VERSION = 1

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[int, tuple[ConnectorWord, ...]]).decode
_new = tuple.__new__


def station_key(station_id: str) -> bytes:
    """Return the key of a station's row."""
    return b"S" + station_id.encode()


def encode_station(state: StationState) -> bytes:
    """Return the row of a state."""
    return _encode((VERSION, state.words))


def decode_station(row: bytes) -> StationState:
    """Return the state of a row."""
    return _new(StationState, _decode(row)[1:])


class StationStatusReader:
    """Reads what is durable of one partition."""

    def __init__(self, store: PartitionStore) -> None:
        self._store = store

    def station(self, station_id: str) -> StationState | None:
        """Return a station's state, ``None`` if it never said anything."""
        row = self._store.get(station_key(station_id))
        return None if row is None else decode_station(row)

    def station_ids(self, after: str | None = None) -> Iterator[str]:
        """Yield the ids of the stations heard of, sorted, from behind ``after`` on."""
        start = None if after is None else station_key(after)
        for key, _ in self._store.scan(b"S", start):
            yield key[1:].decode()
