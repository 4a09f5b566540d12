"""Where billing gets a session's terms from: the register, the tariffs, the settings."""

from __future__ import annotations

from typing import Protocol

from evcharge.domain.billing.terms import RatedTariff, Terms, choose_terms
from evcharge.reference.plans import Plans, default_document
from evcharge.reference.register import Register
from evcharge.reference.tariffs import Tariffs
from evcharge.settings import Settings


class _Known(Protocol):
    """The reference data; what its members are can change when a worker starts."""

    @property
    def register(self) -> Register: ...

    @property
    def tariffs(self) -> Tariffs: ...


class ReferenceDesk:
    """The desk of a worker (``evcharge.domain.billing.terms.Desk``)."""

    def __init__(self, reference: _Known, settings: Settings) -> None:
        """Read the default tariff.

        Raises:
            SettingError: the default tariff cannot be used.
        """
        self._reference = reference
        self._time_zone = settings.default_time_zone
        self.plans = Plans(lambda: reference.tariffs, default_document(settings))

    def terms(self, station_id: str, connector_id: int, started_us: int) -> Terms | None:
        return choose_terms(
            self._reference.register.valid_at(station_id, started_us),
            connector_id,
            started_us,
            self.plans.versions,
            default_tariff=self.plans.default,
            default_time_zone=self._time_zone,
        )

    def tariff(self, terms: Terms) -> RatedTariff:
        return self.plans.tariff(terms)

    def published(self, document: bytes) -> RatedTariff:
        return self.plans.published(document)
