"""The desk of one question: what the worker knows, and the tariffs that only the tables know."""

from __future__ import annotations

from evcharge.domain.billing.terms import RatedTariff, Terms
from evcharge.web.context import WebContext
from evcharge.web.state import KeptSession


class UnknownTariffError(LookupError):
    """Terms name a tariff that neither the reference nor the tables have: a fault of ours."""


class ReadDesk:
    """A desk (``evcharge.domain.billing.terms.Desk``) for one session, which a thread may use.

    The register is asked when it is made, and by the event loop: the register belongs to that.
    """

    def __init__(self, context: WebContext, kept: KeptSession, started_us: int | None) -> None:
        """Choose the terms of a session that starts at ``started_us``, unless it has any."""
        self._context = context
        self._partition = context.reader.partition_of(kept.session.station_id)
        self._terms: Terms | None = None
        if started_us is not None and (kept.account is None or kept.account.terms is None):
            station_id, connector_id = kept.session.station_id, kept.state.connector_id
            self._terms = context.desk.terms(station_id, connector_id, started_us)

    def terms(self, station_id: str, connector_id: int, started_us: int) -> Terms | None:
        return self._terms

    def tariff(self, terms: Terms) -> RatedTariff:
        """Return the tariff that terms name.

        Raises:
            UnknownTariffError: nobody has it.
        """
        try:
            return self._context.desk.tariff(terms)
        except LookupError as problem:
            document = None
            if terms.tariff_version is None:
                reader = self._context.reader
                document = reader.unpublished_tariff(self._partition, terms.tariff_digest)
            if document is None:
                raise UnknownTariffError(*problem.args) from problem
            return self._context.desk.published(document)

    def published(self, document: bytes) -> RatedTariff:
        return self._context.desk.published(document)
