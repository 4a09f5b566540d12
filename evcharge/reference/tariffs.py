"""The tariffs: every version of each, for sessions keep the version that was valid at their start."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from evcharge.events.rejection import Reason, Rejected
from evcharge.events.tariffs import parse_tariff
from evcharge.reference.feed import Position, ReferenceRecord
from evcharge.reference.refusals import Refusals


class TariffVersion(NamedTuple):
    """One version of a tariff."""

    tariff_id: str
    version: int
    """Offset in ``tariffs``: larger is newer."""
    published_us: int
    """The broker's append time, in microseconds since the epoch."""
    value: bytes
    """The OCPI 2.2.1 Tariff object as published, JSON in UTF-8."""


class Tariffs:
    """Versions by tariff id, in memory: there are few, and they are small.

    Billing chooses a session's terms from them (the version at its start) and finds them again.
    """

    topic = "tariffs"

    def __init__(self) -> None:
        self.refusals = Refusals(self.topic)
        self._versions: dict[str, list[TariffVersion]] = {}
        self._position: Position | None = None

    def version(self, tariff_id: str, version: int) -> TariffVersion | None:
        """Return the version that a session's terms name."""
        return next((v for v in self.versions(tariff_id) if v.version == version), None)

    def version_at(self, tariff_id: str, instant_us: int) -> TariffVersion | None:
        """Return the newest version that was published by ``instant_us``.

        Before the first publication that is the first one: sessions of any year can be replayed.
        """
        versions = self.versions(tariff_id)
        by_then = bisect_right(versions, instant_us, key=lambda v: v.published_us)
        return versions[max(by_then - 1, 0)] if versions else None

    def versions(self, tariff_id: str) -> Sequence[TariffVersion]:
        """Return all versions of a tariff, oldest first."""
        return self._versions.get(tariff_id, ())

    def __len__(self) -> int:
        """Return how many tariffs are known."""
        return len(self._versions)

    @property
    def position(self) -> Position | None:
        """The last record applied."""
        return self._position

    def apply(self, records: Sequence[ReferenceRecord]) -> None:
        """Add versions in offset order."""
        for record in records:
            version = _version(record)
            if isinstance(version, Rejected):
                self.refusals.add(record.offset, version)
            else:
                self._versions.setdefault(version.tariff_id, []).append(version)
        self._position = Position(records[-1].offset, records[-1].append_ms)

    def clear(self) -> None:
        """Forget everything."""
        self._versions.clear()
        self._position = None


def _version(record: ReferenceRecord) -> TariffVersion | Rejected:
    if record.value is None:
        return Rejected(Reason.NO_VALUE, "a tariff is never removed: sessions refer to it")
    tariff = parse_tariff(record.value)
    if isinstance(tariff, Rejected):
        return tariff
    if record.key is not None and record.key != tariff.tariff.tariff_id.encode():
        return Rejected(Reason.BAD_VALUE, "the key names another tariff than the value")
    return TariffVersion(
        tariff.tariff.tariff_id, record.offset, record.append_ms * 1_000, record.value
    )
