"""The tariffs made ready for billing: each version is compiled once, and found again for ever."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from evcharge.domain.billing.terms import RatedTariff, TariffVersion, Terms, digest_of
from evcharge.domain.pricing import Plan
from evcharge.errors import SettingError
from evcharge.events.rejection import Rejected
from evcharge.events.tariffs import parse_tariff
from evcharge.reference.tariffs import Tariffs
from evcharge.settings import Settings


class UnknownTariffError(LookupError):
    """Terms name a tariff that is neither published nor was given by :meth:`Plans.published`."""


class Plans:
    """Versions of tariffs by tariff id, and their plans by digest and version.

    ``tariffs`` gives what is known now; a version that came once never changes.
    """

    def __init__(self, tariffs: Callable[[], Tariffs], default: bytes) -> None:
        """``default`` is the document of the default tariff (:func:`default_document`)."""
        self._tariffs = tariffs
        self._known: dict[tuple[str, int | None], RatedTariff] = {}
        self._versions: dict[str, list[TariffVersion]] = {}
        self.default = _version(self.published(default), 0)

    def versions(self, tariff_id: str) -> Sequence[TariffVersion]:
        """Return all versions of a tariff, oldest first; none of a tariff that is not known."""
        published = self._tariffs().versions(tariff_id)
        versions = self._versions.get(tariff_id, [])
        if len(versions) != len(published):
            versions = [
                _version(self._compiled(each.value, each.version), each.published_us)
                for each in published
            ]
            self._versions[tariff_id] = versions
        return versions

    def tariff(self, terms: Terms) -> RatedTariff:
        """Return the tariff that terms name.

        Raises:
            UnknownTariffError: it was not published, nor compiled here before.
        """
        key = (terms.tariff_digest, terms.tariff_version)
        if key not in self._known:
            self.versions(terms.tariff_id)
        try:
            return self._known[key]
        except KeyError:
            raise UnknownTariffError(
                f"the tariff {terms.tariff_id} ({terms.tariff_digest}) is not known"
            ) from None

    def published(self, document: bytes) -> RatedTariff:
        """Return a tariff without a version, from a document that was validated before."""
        return self._compiled(document, None)

    def _compiled(self, document: bytes, version: int | None) -> RatedTariff:
        compact = msgspec.json.format(document, indent=-1)
        key = (digest_of(compact), version)
        if key not in self._known:
            parsed = parse_tariff(compact)
            if isinstance(parsed, Rejected):
                raise ValueError(parsed.detail)
            self._known[key] = RatedTariff(Plan(parsed.tariff, version), key[0], compact)
        return self._known[key]


def default_document(settings: Settings) -> bytes:
    """Return the document of the tariff for stations that name none.

    That is the file ``EVCHARGE_DEFAULT_TARIFF``, otherwise a built-in tariff named ``free``, which
    charges nothing in ``EVCHARGE_CURRENCY``.

    Raises:
        SettingError: the file cannot be read or is no valid tariff, or the currency does not exist.
    """
    file = settings.default_tariff
    document = _free(settings.currency) if file is None else _read(file)
    parsed = parse_tariff(document)
    if isinstance(parsed, Rejected):
        setting = "EVCHARGE_CURRENCY" if file is None else "EVCHARGE_DEFAULT_TARIFF"
        value = settings.currency if file is None else str(file)
        raise SettingError(f"{setting}={value!r} cannot be used: {parsed.detail}")
    return document


def _free(currency: str) -> bytes:
    return json.dumps(
        {
            "id": "free",
            "currency": currency,
            "last_updated": "1970-01-01T00:00:00Z",
            "elements": [{"price_components": [{"type": "FLAT", "price": 0, "step_size": 1}]}],
        }
    ).encode()


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as problem:
        raise SettingError(
            f"EVCHARGE_DEFAULT_TARIFF={str(file)!r} cannot be used: {problem.strerror}"
        ) from None


def _version(tariff: RatedTariff, published_us: int) -> TariffVersion:
    known = tariff.plan.tariff
    return TariffVersion(
        known.tariff_id,
        tariff.plan.version,
        tariff.digest,
        published_us,
        known.valid_from_us,
        known.valid_until_us,
    )
