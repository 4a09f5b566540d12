"""Recomputes every invoice of a period from what was sealed, and counts the numbers of all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from evcharge.domain.billing.audit import (
    Mismatch,
    Numbers,
    audit,
    audit_credit_note,
    audit_successor,
)
from evcharge.domain.billing.invoice import Kind, invoice_id
from evcharge.domain.billing.sealed import Sealed
from evcharge.domain.billing.series import Issuer
from evcharge.domain.billing.terms import digest_of
from evcharge.domain.quantities import parse_timestamp
from evcharge.events.sealed_reading import SealedError, read_sealed_session
from evcharge.kafka.scan import Scan
from evcharge.past_bills.documents import Documents
from evcharge.past_bills.period import Period
from evcharge.past_bills.sealed_log import LastBills, SealedLog, Skimmed, records_behind, skim
from evcharge.past_bills.tariff_file import stored_plan
from evcharge.settings import Settings
from evcharge.topics.catalogue import INVOICES, SEALED_SESSIONS
from evcharge.verification.documents import DocumentError, invoice_members, series_in
from evcharge.verification.report import Report


class Audit:
    """One run over `sealed-sessions` and `invoices`, partition by partition.

    What is sealed while it runs is left for the next one. Memory: that of :class:`LastBills` and of
    :class:`Documents` for one partition.
    """

    def __init__(
        self,
        settings: Settings,
        period: Period,
        report: Report,
        former_issuers: Sequence[Issuer] = (),
    ) -> None:
        """``former_issuers`` are those whom the settings named once."""
        self._settings = settings
        issuer = Issuer(settings.issuer_name, settings.issuer_address, settings.issuer_vat_id)
        self._issuers = (issuer, *former_issuers)
        self._period = period
        self._report = report
        self._numbers = Numbers()

    async def run(self, show: Callable[[int, int], None]) -> None:
        """Compare everything, and note what differs.

        Raises:
            CommandError: Kafka does not answer.
        """
        async with SealedLog(self._settings, show) as log:
            for partition in log.partitions:
                last = await log.last_bills(partition)
                with Documents() as documents:
                    await self._keep(documents, partition)
                    late = await self._late(log, documents, partition)
                    async for record in log.records(partition):
                        where = f"{SEALED_SESSIONS.name}/{partition}"
                        if record.skimmed is None:
                            self._report.differs(
                                where, "unreadable", f"the record at {record.offset}"
                            )
                            continue
                        if record.key != record.skimmed.station_id.encode():
                            self._report.differs(
                                where, "changed", f"the key of the record at {record.offset}"
                            )
                        self._compare(where, record.skimmed, record.value, last, late, documents)
                    self._surplus(documents, partition)

    async def _keep(self, documents: Documents, partition: int) -> None:
        """Take up the invoices of a partition, and check their numbers and that each is there once."""
        where = f"{INVOICES.name}/{partition}"
        async with Scan(self._settings.bootstrap, self._settings.topic(INVOICES.name)) as scan:
            async for _, records in scan.batches({partition: scan.begins.get(partition, 0)}):
                for record in records:
                    try:
                        document = invoice_members(record.value or b"")
                    except DocumentError as problem:
                        detail = f"the record at {record.offset}: {problem}"
                        self._report.differs(where, "unreadable", detail)
                        continue
                    self._report.compared["numbers"] += 1
                    told = f"{document['kind']} {document['invoice_id']}"
                    if record.key != document["station_id"].encode():
                        self._report.differs(where, "changed", f"the key of {told}")
                    wrong = self._numbers.add(series_in(document), document["number"])
                    self._note(where, told, wrong)
                    if not documents.add(document["invoice_id"], record.value):
                        self._report.differs(where, "repeated", f"{told} at {record.offset}")

    async def _late(self, log: SealedLog, documents: Documents, partition: int) -> LastBills:
        """Set aside what belongs to bills that were sealed since the audit began; return these."""
        late = LastBills()
        async for _, value in records_behind(
            self._settings, SEALED_SESSIONS.name, log.ends, partition
        ):
            skimmed = skim(value)
            if skimmed is not None:
                late.add(skimmed)
                for kind in Kind:
                    documents.forget(_id(kind, skimmed, skimmed.bill))
        return late

    def _compare(
        self,
        where: str,
        skimmed: Skimmed,
        value: bytes | None,
        last: LastBills,
        late: LastBills,
        documents: Documents,
    ) -> None:
        """Compare a sealed session with what follows from it."""
        invoice = note = before = None
        # What is not billed has no documents: one that names it is surplus.
        if skimmed.terms is not None:
            invoice = documents.take(_id(Kind.INVOICE, skimmed, skimmed.bill))
            note = documents.take(_id(Kind.CREDIT_NOTE, skimmed, skimmed.bill))
            before = documents.look(_id(Kind.CREDIT_NOTE, skimmed, skimmed.bill - 1))
        told = f"session {skimmed.session_id} of {skimmed.station_id}, bill {skimmed.bill}"
        try:
            if not self._period.has(parse_timestamp(skimmed.started_at)):
                return
            if skimmed.terms is None:
                self._report.compared["sessions not billed"] += 1
                return
            sealed = read_sealed_session(value or b"")
            self._report.compared["sealed sessions"] += 1
            plan = stored_plan(sealed.document, sealed.terms.tariff_version)
            if plan is None:
                raise SealedError("its tariff is none")
        except ValueError as problem:
            self._report.differs(where, "unreadable", f"{told}: {problem}")
            return
        self._note(where, told, _audit_terms(sealed, plan.tariff.tariff_id))
        is_last = last.has_last(skimmed)
        # Credited since the audit began, with a bill that it has not seen.
        is_overtaken = is_last and not late.has_last(skimmed)
        self._note(
            where,
            told,
            audit(
                sealed,
                plan,
                invoice,
                issuers=self._issuers,
                is_credited=note is not None and not is_overtaken,
                is_last=is_last,
            ),
        )
        if before is not None:
            told_before = f"the credit note of bill {sealed.bill - 1} before {told}"
            self._note(where, told_before, audit_successor(before, sealed))
        if invoice is not None:
            self._report.compared["invoices"] += 1
        if note is not None:
            self._report.compared["credit notes"] += 1
            if invoice is not None:
                self._note(where, f"the credit note of {told}", audit_credit_note(note, invoice))
            else:
                self._report.differs(where, "surplus", f"the credit note of {told}")

    def _surplus(self, documents: Documents, partition: int) -> None:
        """Note the documents of the period that belong to nothing that was sealed."""
        for rest in documents.rest():
            if self._may_be_of_period(rest):
                session = rest["subject"]["session_id"]
                told = f"{rest['kind']} {rest['invoice_id']} of session {session}"
                self._report.differs(f"{INVOICES.name}/{partition}", "surplus", told)

    def _may_be_of_period(self, document: Mapping[str, Any]) -> bool:
        """Whether a document is of the period, or does not say of which."""
        try:
            return self._period.has(parse_timestamp(str(document.get("started_at"))))
        except (ArithmeticError, ValueError):
            return True

    def _note(self, where: str, told: str, found: list[Mismatch]) -> None:
        for each in found:
            detail = f"{told}: {each.found} instead of {each.expected}"
            self._report.differs(where, f"wrong {each.what}", detail)


def _id(kind: Kind, skimmed: Skimmed, bill: int) -> str:
    return invoice_id(kind, skimmed.station_id, skimmed.session_id, bill)


def _audit_terms(sealed: Sealed, tariff_id: str) -> list[Mismatch]:
    """Return where the terms do not name the tariff that is sealed with them."""
    terms = sealed.terms
    pairs = {
        "tariff_id": (terms.tariff_id, tariff_id),
        "tariff_digest": (terms.tariff_digest, digest_of(sealed.document)),
    }
    return [Mismatch(what, *each) for what, each in pairs.items() if each[0] != each[1]]
