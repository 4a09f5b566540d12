"""The records of ``sealed-sessions`` and ``invoices`` of a partition: each once, and true in itself.

What they have to say of their session is compared in ``course.py``. Here is what holds among them: no
record twice, numbers without a gap, one invoice at most that is not credited, every amount what it is
when it is computed anew from the record alone (the audit).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from evcharge.domain.billing.audit import Mismatch, Numbers, audit, audit_credit_note
from evcharge.domain.billing.invoice import Kind, invoice_id
from evcharge.domain.billing.sealed import Sealed
from evcharge.domain.billing.series import Issuer
from evcharge.events.sealed_reading import SealedError, read_sealed_session
from evcharge.verification.documents import (
    DocumentError,
    invoice_members,
    sealed_members,
    series_in,
)
from evcharge.verification.papers import Papers, is_unpriced
from evcharge.verification.progress import Compared, silent, telling
from evcharge.verification.reference import KnownTariffs
from evcharge.verification.report import Report
from evcharge.verification.rows import Rows, read_row
from evcharge.verification.session_sources import SessionId, named
from tables.charging_sessions import PRESENT
from tables.invoices import (
    decode_counter,
    encode_counter,
    encode_tariff,
    invoice_key,
    number_key,
    tariff_key,
    user_key,
)

SEALED, INVOICES = "sealed-sessions", "invoices"
"""The topics, and how they are named in the report, with the partition's number."""

OF_BILLS = b"VUNT"
"""The first bytes of the keys of billing's own rows (``tables/invoices.py``)."""


class Found(NamedTuple):
    """A record of one of the two topics."""

    offset: int
    key: bytes | None
    value: bytes | None


class Bills:
    """Takes up both topics' records of one partition, then compares."""

    def __init__(
        self, number: int, tariffs: KnownTariffs, issuers: Sequence[Issuer], report: Report
    ) -> None:
        """``issuers``: those that the settings ever named, the present one first."""
        self._number = number
        self._tariffs = tariffs
        self._issuers = issuers
        self._report = report
        self._sealed: dict[SessionId, dict[int, bytes]] = {}
        """Of each session, its records by the number of the bill."""
        self._invoices: dict[SessionId, dict[str, bytes]] = {}
        """Of each session, its invoices and credit notes by their ids."""
        self._by_id: dict[str, dict[str, Any]] = {}
        self._credits: dict[str, str] = {}
        """The id of each credited invoice, and its credit note's."""
        self._numbers = Numbers()

    def take_up_sealed(self, records: Sequence[Found]) -> None:
        """Take up the next records of ``sealed-sessions``."""
        for record, value, members in self._documents(SEALED, records, sealed_members):
            self._report.compared["sealed sessions"] += 1
            session, bill = (members["station_id"], members["session_id"]), members["bill"]
            if record.key != session[0].encode():
                self._differs(SEALED, "changed", f"the key of {named(session)}: {record.key!r}")
            bills = self._sealed.setdefault(session, {})
            if bill in bills:
                what = f"bill {bill} of {named(session)} at {record.offset}"
                self._differs(SEALED, "repeated", what)
            else:
                bills[bill] = value

    def take_up_invoices(self, records: Sequence[Found]) -> None:
        """Take up the next records of ``invoices``."""
        for record, value, members in self._documents(INVOICES, records, invoice_members):
            self._report.compared["invoices"] += 1
            session, name = _session_of(members), members["invoice_id"]
            if record.key != session[0].encode():
                self._differs(INVOICES, "changed", f"the key of {name}: {record.key!r}")
            if name in self._by_id:
                self._differs(INVOICES, "repeated", f"{name} at {record.offset}")
                continue
            self._by_id[name] = members
            self._invoices.setdefault(session, {})[name] = value
            self._count(members)
            if members["kind"] == Kind.CREDIT_NOTE:
                self._credit(name, members)

    def _documents(
        self, topic: str, records: Sequence[Found], read: Callable[[bytes], dict[str, Any]]
    ) -> Iterator[tuple[Found, bytes, dict[str, Any]]]:
        """Yield the records that are documents, with their values and members; note the others."""
        for record in records:
            value = record.value or b""
            try:
                members = read(value)
            except DocumentError as problem:
                what = f"the record at {record.offset}: {problem}: {value[:200]!r}"
                self._differs(topic, "surplus", what)
            else:
                yield record, value, members

    def _count(self, members: Mapping[str, Any]) -> None:
        """Note the number of an invoice in its series."""
        for wrong in self._numbers.add(series_in(members), members["number"]):
            self._differs(INVOICES, "not consecutive", f"{members['invoice_id']}: {_told(wrong)}")

    def _credit(self, name: str, members: Mapping[str, Any]) -> None:
        credited = members["credits"]
        invoice = credited and self._by_id.get(credited["invoice_id"])
        if invoice is None:
            self._differs(INVOICES, "surplus", f"{name} credits what was not invoiced before")
            return
        for wrong in audit_credit_note(members, invoice):
            self._differs(INVOICES, "changed", f"credit note {name}: {_told(wrong)}")
        if invoice["invoice_id"] in self._credits:
            self._differs(INVOICES, "repeated", f"{name} credits what was credited before")
        self._credits[invoice["invoice_id"]] = name

    def papers(self) -> Mapping[SessionId, Papers]:
        """Return what was found of each session, each record once."""
        return {
            session: Papers(
                list(self._sealed.get(session, {}).values()),
                list(self._invoices.get(session, {}).values()),
            )
            for session in {**self._sealed, **self._invoices}
        }

    def by_station(self) -> Mapping[str, Mapping[str, bytes]]:
        """Return the invoices and credit notes of each station, by id."""
        found: dict[str, dict[str, bytes]] = {}
        for (station_id, _), invoices in self._invoices.items():
            found.setdefault(station_id, {}).update(invoices)
        return found

    def check(self, compared: Compared = silent) -> None:
        """Compare the records with one another."""
        self._report.compared["series"] += len(self._numbers.counters)
        for session, bills in telling(self._sealed.items(), compared):
            if list(bills) != list(range(1, len(bills) + 1)):
                self._differs(SEALED, "not consecutive", f"{named(session)}: {list(bills)}")
            for bill, value in bills.items():
                self._audit(session, bill, value, is_last=bill == max(bills))
        for session, invoices in self._invoices.items():
            standing = [
                name
                for name in invoices
                if self._by_id[name]["kind"] == Kind.INVOICE and name not in self._credits
            ]
            if len(standing) > 1:
                self._differs(INVOICES, "not credited", f"{named(session)}: {standing}")

    def _audit(self, session: SessionId, number: int, value: bytes, *, is_last: bool) -> None:
        """Compute a bill anew from its own record."""
        name = f"bill {number} of {named(session)}"
        if is_unpriced(value):
            self._report.compared["sessions not billed"] += 1
            return
        try:
            sealed = read_sealed_session(value)
        except SealedError as problem:
            self._differs(SEALED, "changed", f"{name}: {problem}")
            return
        version, digest = sealed.terms.tariff_version, sealed.terms.tariff_digest
        tariff = self._tariffs.add(sealed.document, version)
        if tariff is None or tariff.digest != digest or tariff.document != sealed.document:
            self._differs(SEALED, "changed", f"{name}: its tariff is not that of its digest")
            return
        found = audit(
            sealed,
            tariff.plan,
            self._invoice_of(sealed),
            issuers=self._issuers,
            is_credited=self._is_credited(sealed),
            is_last=is_last,
        )
        for wrong in found:
            self._differs(SEALED, "not what it is computed anew", f"{name}: {_told(wrong)}")

    def _invoice_of(self, sealed: Sealed) -> Mapping[str, Any] | None:
        return self._by_id.get(_invoice_id(sealed))

    def _is_credited(self, sealed: Sealed) -> bool:
        return _invoice_id(sealed) in self._credits

    def check_rows(self, where: str, rows: Rows, needed: Iterable[str]) -> None:
        """Compare the rows that billing has for these documents; all of a partition's are taken up.

        ``needed``: the digests of the tariffs without a version that accounts name.
        """
        for session, invoices in self._invoices.items():
            for name, value in invoices.items():
                self._report.compared["rows of invoices"] += 1
                if rows.take(invoice_key(name)) != value:
                    self._report.differs(where, "changed", f"invoice {name} of {named(session)}")
                if rows.take(user_key(self._by_id[name]["user_id"], name)) != PRESENT:
                    self._report.differs(where, "missing", f"invoice {name} among its user's")
        for series, counter in self._numbers.counters.items():
            row = rows.take(number_key(series))
            if row != encode_counter(counter):
                told = read_row(where, f"series {series}", row, decode_counter, self._report)
                what = f"series {series}: {told} instead of {counter}"
                self._report.differs(where, "changed", what)
        for digest in needed:
            known, row = self._tariffs.get(digest, None), rows.take(tariff_key(digest))
            if known is None or row != encode_tariff(known.document):
                self._report.differs(where, "missing", f"the tariff {digest}")
        for key in list(rows.left()):
            if key[:1] == b"T":
                self._check_unused_tariff(where, key, rows.take(key) or b"")

    def _check_unused_tariff(self, where: str, key: bytes, row: bytes) -> None:
        """Check a tariff that no account names now: one did before, or its session is forgotten."""
        digest = key[1:].decode(errors="replace")
        known = self._tariffs.get(digest, None)
        if known is None or row != encode_tariff(known.document):
            self._report.differs(where, "surplus", f"the tariff {digest}")

    def _differs(self, topic: str, sort: str, detail: str) -> None:
        self._report.differs(f"{topic}/{self._number}", sort, detail)


def _session_of(invoice: Mapping[str, Any]) -> SessionId:
    return invoice["station_id"], invoice["subject"]["session_id"]


def _invoice_id(sealed: Sealed) -> str:
    return invoice_id(Kind.INVOICE, sealed.station_id, sealed.session_id, sealed.bill)


def _told(wrong: Mismatch) -> str:
    return f"{wrong.what} is {wrong.found} instead of {wrong.expected}"
