"""A session's terms: which tariff, time zone and rated power hold for it, chosen at its start."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import NamedTuple, Protocol

from evcharge.domain.pricing import Plan
from evcharge.domain.station_register import RegisteredStation

_new = tuple.__new__


class Terms(NamedTuple):
    """What is frozen with a sealed session: by these alone it is priced again, whenever that is."""

    tariff_id: str
    tariff_version: int | None
    """Offset in ``tariffs``; None: it was never published there (the default tariff, one of a
    re-rating), and the digest alone says which it is."""
    tariff_digest: str
    """:func:`digest_of` its document."""
    time_zone: str
    """IANA name."""
    max_power_mw: int | None = None
    """Rated power of the connector in milliwatts; None: the register states none."""


class TariffVersion(NamedTuple):
    """What the choice has to know of one version of a tariff."""

    tariff_id: str
    version: int | None
    digest: str
    published_us: int
    valid_from_us: int | None
    """OCPI ``start_date_time``: the first instant."""
    valid_until_us: int | None
    """OCPI ``end_date_time``: the instant behind the last."""


class RatedTariff(NamedTuple):
    """A version of a tariff made ready."""

    plan: Plan
    digest: str
    document: bytes
    """The whole object as JSON, without white space between its parts."""


class Desk(Protocol):
    """What billing asks of its surroundings. Its answers may change over time, but for ``tariff``."""

    def terms(self, station_id: str, connector_id: int, started_us: int) -> Terms | None:
        """Return the terms that hold for a session that starts then; None: ``no-tariff``."""

    def tariff(self, terms: Terms) -> RatedTariff:
        """Return the tariff that terms name: the same for ever."""

    def published(self, document: bytes) -> RatedTariff:
        """Return the tariff that a decision brings with it, which has no version."""


def digest_of(document: bytes) -> str:
    """Return the name that a tariff's document has wherever it is kept: 16 hexadecimal digits."""
    return blake2b(document, digest_size=8).hexdigest()


def choose_terms(
    station: RegisteredStation | None,
    connector_id: int,
    started_us: int,
    versions: Callable[[str], Sequence[TariffVersion]],
    *,
    default_tariff: TariffVersion,
    default_time_zone: str,
) -> Terms | None:
    """Return the terms of a session that starts at ``started_us``, or None if it has no tariff.

    ``station`` is its entry in the register (None: not registered), ``versions`` gives all versions of
    a tariff in the order of their publication. A station that names no tariff has the default one; one
    that names a tariff of which no version is valid at the start has none: nobody knows what was
    agreed, so nothing is charged until somebody says it.
    """
    named = None if station is None else station.tariff_id
    version = valid_version((default_tariff,) if named is None else versions(named), started_us)
    if version is None:
        return None
    time_zone, max_power_mw = None, None
    if station is not None:
        time_zone = station.time_zone
        for connector in station.connectors:
            if connector.connector_id == connector_id:
                max_power_mw = connector.max_power_mw
    return _new(
        Terms,
        (
            version.tariff_id,
            version.version,
            version.digest,
            time_zone or default_time_zone,
            max_power_mw,
        ),
    )


def valid_version(versions: Sequence[TariffVersion], instant_us: int) -> TariffVersion | None:
    """Return the version that a session is priced with that starts at an instant.

    Of the versions whose own dates (``start_date_time``, ``end_date_time``) include it: the newest that
    was published by then; if none was, the oldest, so that sessions of any year can be replayed.
    """
    oldest = newest = None
    for version in versions:
        valid_from, valid_until = version.valid_from_us, version.valid_until_us
        if (valid_from is not None and instant_us < valid_from) or (
            valid_until is not None and valid_until <= instant_us
        ):
            continue
        if oldest is None:
            oldest = version
        if version.published_us <= instant_us:
            newest = version
    return newest or oldest
