"""The desk of one step: what the worker knows, and the tariffs that only the partition's rows know."""

from __future__ import annotations

from collections.abc import Sequence

from evcharge.domain.billing.terms import Desk, RatedTariff, Terms
from evcharge.domain.session import SessionState
from evcharge.domain.session_record import SessionRecord
from evcharge.engine.step import Step
from tables.invoices import decode_tariff, encode_tariff, tariff_key


class StepDesk:
    """A desk (``evcharge.domain.billing.terms.Desk``) that finds again every tariff of its partition.

    A tariff without a version was never published: it came from a file that may be another one now, or
    with a re-rating. The row that it gets with the first terms that name it has its document.
    """

    def __init__(self, desk: Desk, step: Step) -> None:
        self._desk = desk
        self._step = step
        self._kept: set[str] = set()

    def terms(self, station_id: str, connector_id: int, started_us: int) -> Terms | None:
        return self._desk.terms(station_id, connector_id, started_us)

    def tariff(self, terms: Terms) -> RatedTariff:
        try:
            return self._desk.tariff(terms)
        except LookupError:
            row = self._step.get(tariff_key(terms.tariff_digest))
            if row is None or terms.tariff_version is not None:
                raise
            return self._desk.published(decode_tariff(row))

    def published(self, document: bytes) -> RatedTariff:
        return self._desk.published(document)

    def doubts(self, state: SessionState, ordered: Sequence[SessionRecord], terms: Terms) -> int:
        return self._desk.doubts(state, ordered, terms)

    def row_for(self, terms: Terms | None) -> tuple[bytes, bytes] | None:
        """Return the row that has to be written so that the tariff of terms is found again, if any.

        It is asked for once in a step.
        """
        if terms is None or terms.tariff_version is not None or terms.tariff_digest in self._kept:
            return None
        key = tariff_key(terms.tariff_digest)
        row = None
        if self._step.get(key) is None:
            row = key, encode_tariff(self.tariff(terms).document)
        self._kept.add(terms.tariff_digest)
        return row
