"""All that the register and the tariffs ever said, and which terms a session can have been given.

A worker chooses a session's terms from what it has read of ``stations`` and ``tariffs`` by then. How far
that is, is left to chance; the choice itself is a rule (docs/billing.md, *Terms*). So every choice is
allowed that the rule makes of something that could be known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any, TypeVar

import msgspec

from evcharge.domain.billing.terms import (
    RatedTariff,
    TariffVersion,
    Terms,
    choose_terms,
    digest_of,
)
from evcharge.domain.pricing import Plan
from evcharge.domain.quantities import SECOND_US
from evcharge.domain.station_register import RegisteredStation, RegisterEntry, valid_entry
from evcharge.events.rejection import Rejected
from evcharge.events.stations import parse_station
from evcharge.events.tariffs import parse_tariff

BEHIND_US = 300 * SECOND_US
"""A worker reads both topics to their ends when it starts and follows them from then on. What was
replaced so long before a record came was not chosen for it any more."""


P = TypeVar("P", RegisterEntry, TariffVersion)


class KnownTariffs:
    """Tariffs by what terms name; each is checked and compiled once."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int | None], RatedTariff] = {}

    def add(self, document: bytes, version: int | None) -> RatedTariff | None:
        """Take up a tariff and return it made ready, None if it is none."""
        try:
            compact = msgspec.json.format(document, indent=-1)
        except (RecursionError, ValueError):
            return None
        digest = digest_of(compact)
        known = self._known.get((digest, version))
        # Nearly every bill names one of a few.
        if known is None:
            parsed = parse_tariff(document)
            if isinstance(parsed, Rejected):
                return None
            known = RatedTariff(Plan(parsed.tariff, version), digest, compact)
            self._known[digest, version] = known
        return known

    def get(self, digest: str, version: int | None) -> RatedTariff | None:
        """Return a tariff that was taken up."""
        return self._known.get((digest, version))


class Reference:
    """Takes up both topics from their beginnings, in order."""

    def __init__(
        self,
        default_tariff: bytes,
        default_time_zone: str,
        former_tariffs: Sequence[bytes] = (),
        former_time_zones: Sequence[str] = (),
    ) -> None:
        """Take what the settings say, and what they said once; when that was, nobody knows.

        All tariffs were validated.
        """
        self.register: dict[str, RegisteredStation] = {}
        """The last entry of each station."""
        self.tariffs = KnownTariffs()
        self._entries: dict[str, list[RegisterEntry]] = {}
        self._versions: dict[str, list[TariffVersion]] = {}
        self._defaults = list(
            product(
                map(self._default, (default_tariff, *former_tariffs)),
                (default_time_zone, *former_time_zones),
            )
        )

    def _default(self, document: bytes) -> TariffVersion:
        rated = self.tariffs.add(document, None)
        assert rated is not None, "validated"
        return _version(rated, 0)

    def take_up_stations(self, records: Iterable[Any]) -> None:
        """Apply the next records of ``stations``; one that cannot be used changes nothing."""
        for record in records:
            at_us = record.timestamp * 1_000
            if record.value is None:
                gone = (record.key or b"").decode(errors="replace")
                self.register.pop(gone, None)
                if gone in self._entries:
                    self._entries[gone].append(RegisterEntry(at_us, None))
                continue
            station = parse_station(record.value)
            if isinstance(station, Rejected) or (
                record.key is not None and record.key != station.station_id.encode()
            ):
                continue
            entry = self.register[station.station_id] = station.registered()
            self._entries.setdefault(station.station_id, []).append(RegisterEntry(at_us, entry))

    def take_up_tariffs(self, records: Iterable[Any]) -> None:
        """Apply the next records of ``tariffs``; one that cannot be used changes nothing."""
        for record in records:
            rated = None if record.value is None else self.tariffs.add(record.value, record.offset)
            if rated is None:
                continue
            version = _version(rated, record.timestamp * 1_000)
            if record.key is None or record.key == version.tariff_id.encode():
                self._versions.setdefault(version.tariff_id, []).append(version)

    def choices(
        self, station_id: str, connector_id: int, started_us: int, at_us: int
    ) -> Sequence[Terms | None]:
        """Return all terms that a session can have been given when a record of ``at_us`` was taken up.

        ``at_us`` is an ingest time. None among them: it can have been left without a tariff.
        """
        found: dict[Terms | None, None] = {}
        for entries in self._known_entries(station_id, at_us - BEHIND_US):
            station = valid_entry(entries, started_us)
            known = self._known_versions(station, at_us - BEHIND_US)
            for versions, (tariff, time_zone) in product(known, self._defaults):
                terms = choose_terms(
                    station,
                    connector_id,
                    started_us,
                    lambda tariff_id, versions=versions: versions.get(tariff_id, ()),  # type: ignore[misc]
                    default_tariff=tariff,
                    default_time_zone=time_zone,
                )
                found[terms] = None
        return list(found)

    def _known_entries(self, station_id: str, at_us: int) -> Iterator[Sequence[RegisterEntry]]:
        """Yield what can have been known of a station: some first entries of it."""
        yield from _first_ones(self._entries.get(station_id, []), at_us)

    def _known_versions(
        self, station: RegisteredStation | None, at_us: int
    ) -> Iterator[Mapping[str, Sequence[TariffVersion]]]:
        """Yield what can have been known of a station's tariff: some first versions of it."""
        tariff_id = None if station is None else station.tariff_id
        if tariff_id is None:
            yield {}
            return
        for versions in _first_ones(self._versions.get(tariff_id, []), at_us):
            yield {tariff_id: versions}


def _first_ones(published: Sequence[P], at_us: int) -> Iterator[Sequence[P]]:
    """Yield what of a topic can have been read at an instant: what was in it by then, and more."""
    least = sum(each.published_us <= at_us for each in published)
    for known in range(least, len(published) + 1):
        yield published[:known]


def _version(rated: RatedTariff, published_us: int) -> TariffVersion:
    tariff = rated.plan.tariff
    return TariffVersion(
        tariff.tariff_id,
        rated.plan.version,
        rated.digest,
        published_us,
        tariff.valid_from_us,
        tariff.valid_until_us,
    )
