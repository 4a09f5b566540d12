"""Billing's desk for the checker: it has to answer as some worker could, with each answer in turn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from evcharge.domain.billing.terms import RatedTariff, Terms
from evcharge.domain.session import Limits
from evcharge.verification.reference import Reference


class ChosenTerms:
    """A desk (``evcharge.domain.billing.terms.Desk``) whose terms are one of those that are possible."""

    def __init__(self, reference: Reference, limits: Limits, at_us: int) -> None:
        """``at_us``: the ingest of what is taken up."""
        self._reference = reference
        self._limits = limits
        self._at_us = at_us
        self._possible: Sequence[Terms | None] = ()
        self._chosen = 0

    def choices(self) -> Iterator[None]:
        """Come by once for each answer; once, if nobody asked for terms the first time."""
        yield
        while self._chosen + 1 < len(self._possible):
            self._chosen += 1
            yield

    def terms(self, station_id: str, connector_id: int, started_us: int) -> Terms | None:
        if not self._possible:
            self._possible = self._reference.choices(
                station_id, connector_id, started_us, self._at_us
            )
        return self._possible[self._chosen]

    def tariff(self, terms: Terms) -> RatedTariff:
        known = self._reference.tariffs.get(terms.tariff_digest, terms.tariff_version)
        assert known is not None, "chosen from what is known, or brought by a decision"
        return known

    def published(self, document: bytes) -> RatedTariff:
        rated = self._reference.tariffs.add(document, None)
        assert rated is not None, "validated when the decision was read"
        return rated
