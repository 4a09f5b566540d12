"""What billing writes: records of bills and credit notes, their numbers, where they are found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

from evcharge.domain.billing.bill import Bill
from evcharge.domain.billing.invoice import Kind, invoice_id
from evcharge.domain.billing.rebill import Credit, Output
from evcharge.domain.billing.series import Issuer, next_number, series_of
from evcharge.engine.step import Step
from evcharge.events.cost import cost_bytes
from evcharge.events.invoice import encode_credit_note, encode_invoice, issuer_bytes
from evcharge.events.sealed_session import encode_bill
from evcharge.settings import Settings
from tables.charging_sessions import PRESENT
from tables.invoices import decode_counter, encode_counter, invoice_key, number_key, user_key


class _Invoice(msgspec.Struct):
    user_id: str


_user_of = msgspec.json.Decoder(_Invoice).decode


class Entry(NamedTuple):
    """What a session's new bills add to the books. Made before anything is written."""

    records: list[tuple[str, bytes]]
    """Topic and value of each, in order."""
    rows: list[tuple[bytes, bytes]]
    counters: dict[bytes, int]
    counts: dict[str, int]
    """By the name of the counter that is shown to the outside."""

    def post(self, step: Step, station_id: str) -> None:
        """Write it with the step."""
        key = station_id.encode()
        for topic, value in self.records:
            step.emit(topic, key, value)
        for row, content in self.rows:
            step.put(row, content)
        for row, counter in self.counters.items():
            step.put_state(row, counter, encode_counter)
        for name, amount in self.counts.items():
            step.count(name, amount)


class Ledger:
    """The books of a worker: who writes its invoices, and where to."""

    def __init__(self, settings: Settings, lane_of: Callable[[str], int]) -> None:
        """``lane_of`` gives a station's lane, from 0 to 63."""
        issuer = Issuer(settings.issuer_name, settings.issuer_address, settings.issuer_vat_id)
        self._issuer = issuer.key
        self._issuer_bytes = issuer_bytes(issuer)
        self._sealed_sessions = settings.topic("sealed-sessions")
        self._invoices = settings.topic("invoices")
        self._lane_of = lane_of

    def entry(
        self, step: Step, station_id: str, session_id: str, outputs: Sequence[Output]
    ) -> Entry:
        """Return what outputs of a session's billing become, in their order.

        Raises:
            LookupError: the invoice that is to be credited is not among the rows.
        """
        entry = Entry([], [], {}, {})
        for output in outputs:
            if isinstance(output, Credit):
                self._credit(step, entry, station_id, session_id, output)
            else:
                self._bill(step, entry, output)
        return entry

    def _bill(self, step: Step, entry: Entry, bill: Bill) -> None:
        cost = cost_bytes(bill.cost)
        entry.records.append((self._sealed_sessions, encode_bill(bill, cost)))
        _count(entry, "bills_sealed")
        if bill.is_invoiced:
            number = self._number(step, entry, bill.station_id, bill.billed_us)
            record = encode_invoice(bill, number, self._issuer_bytes, cost)
            name = invoice_id(Kind.INVOICE, bill.station_id, bill.session_id, bill.number)
            assert bill.facts.user_id is not None, "invoiced"
            self._document(entry, bill.facts.user_id, name, record)
            _count(entry, "invoices_issued")

    def _credit(
        self, step: Step, entry: Entry, station_id: str, session_id: str, credit: Credit
    ) -> None:
        key = invoice_key(invoice_id(Kind.INVOICE, station_id, session_id, credit.bill))
        invoice = dict(entry.rows).get(key) or step.get(key)
        if invoice is None:
            raise LookupError(f"the invoice of bill {credit.bill} is not among the rows")
        number = self._number(step, entry, station_id, credit.credited_us)
        record = encode_credit_note(
            invoice, station_id, session_id, credit.bill, number, credit.credited_us
        )
        name = invoice_id(Kind.CREDIT_NOTE, station_id, session_id, credit.bill)
        self._document(entry, _user_of(invoice).user_id, name, record)
        _count(entry, "credit_notes_issued")

    def _number(self, step: Step, entry: Entry, station_id: str, issued_us: int) -> str:
        """Return the next number of the series that an instant and a station belong to."""
        series = series_of(self._issuer, self._lane_of(station_id), issued_us)
        key = number_key(series)
        counter = entry.counters.get(key)
        if counter is None:
            counter = step.state(key, decode_counter) or 0
        number, entry.counters[key] = next_number(series, counter)
        return number

    def _document(self, entry: Entry, user_id: str, name: str, record: bytes) -> None:
        entry.records.append((self._invoices, record))
        entry.rows.append((invoice_key(name), record))
        entry.rows.append((user_key(user_id, name), PRESENT))


def _count(entry: Entry, name: str) -> None:
    entry.counts[name] = entry.counts.get(name, 0) + 1
