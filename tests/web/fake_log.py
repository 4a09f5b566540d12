"""A decision log whose records take effect at once in what all workers of a group share."""

from __future__ import annotations

from types import SimpleNamespace

from evcharge.domain.billing.bill import Session
from evcharge.domain.billing.settle import decide
from evcharge.domain.session import Limits
from evcharge.events.rejection import Rejected
from evcharge.events.session_decisions import decode_session_decisions
from tests.domain.billing_desk import FakeDesk
from tests.web.fake_worker import NOW, Data


class FakeLog:
    """Applies decisions as the agent does, without its rows."""

    def __init__(self, data: Data) -> None:
        self._data = data
        self.records: list[tuple[int, str, bytes]] = []
        self.is_read = True

    async def append(self, partition: int, station_id: str, record: bytes) -> None:
        self.records.append((partition, station_id, record))
        if self.is_read:
            self.take(record)

    def take(self, record: bytes) -> None:
        """Let a record take effect."""
        received = SimpleNamespace(
            key=None,
            value=record,
            headers=(),
            timestamp=NOW // 1000,
            partition=0,
            offset=len(self.records),
        )
        (decided,) = decode_session_decisions([received])
        assert not isinstance(decided, Rejected), decided
        key = decided.station_id, decided.session_id
        records = self._data.records[key]
        session = Session(*key, self._data.sessions[key], lambda: records, Limits())
        account = self._data.accounts.get(key)
        settled = decide(FakeDesk(), session, account, decided.decision)
        self._data.accounts[key] = settled.account
