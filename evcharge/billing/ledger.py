"""What billing writes: records of bills and credit notes, their numbers, where they are found."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import msgspec

from evcharge.domain.billing.bill import Bill
from evcharge.domain.billing.invoice import Kind, invoice_id
from evcharge.domain.billing.rebill import Credit, Output
from evcharge.domain.billing.series import LANES, Issuer, Series, next_number, series_of
from evcharge.domain.quantities import DAY_US
from evcharge.domain.session import Completion
from evcharge.engine.step import Step
from evcharge.events.cost import cost_bytes
from evcharge.events.invoice import encode_credit_note, encode_invoice, issuer_bytes
from evcharge.events.sealed_session import encode_bill
from evcharge.events.unpriced_session import encode_unpriced
from evcharge.settings import Settings
from tables.charging_sessions import PRESENT
from tables.invoices import decode_counter, invoice_key, number_key, user_key


class _Issuer(msgspec.Struct):
    name: str
    vat_id: str


class _Invoice(msgspec.Struct):
    user_id: str
    issuer: _Issuer


_read_invoice = msgspec.json.Decoder(_Invoice).decode


class Entry(NamedTuple):
    """What a session's new bills add to the books. Made before anything is written."""

    records: list[tuple[str, bytes]]
    """Topic and value of each, in order."""
    rows: dict[bytes, bytes]
    numbers: dict[bytes, int]
    """How many numbers each series has then, by the key of its row."""
    counts: list[str]
    """The counter of each document, as it is shown to the outside."""

    def post(self, step: Step, station_id: str) -> None:
        """Write it with the step."""
        key = station_id.encode()
        for topic, value in self.records:
            step.emit(topic, key, value)
        for row, content in self.rows.items():
            step.put(row, content)


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
        self,
        step: Step,
        station_id: str,
        session_id: str,
        outputs: Sequence[Output],
        numbers: Mapping[bytes, int],
    ) -> Entry:
        """Return what outputs of a session's billing become, in their order.

        ``numbers`` tells how many numbers series have now, of which the step gave some, by their key.

        Raises:
            LookupError: the invoice that is to be credited is not among the rows.
        """
        entry = Entry([], {}, {}, [])
        for output in outputs:
            if isinstance(output, Credit):
                self._credit(step, entry, station_id, session_id, output, numbers)
            else:
                self._bill(step, entry, output, numbers)
        return entry

    def seal_unpriced(
        self, step: Step, station_id: str, session_id: str, completion: Completion
    ) -> None:
        """Write what a session used that is not billed."""
        record = encode_unpriced(station_id, session_id, completion)
        step.emit(self._sealed_sessions, station_id.encode(), record)

    def _bill(self, step: Step, entry: Entry, bill: Bill, numbers: Mapping[bytes, int]) -> None:
        cost = cost_bytes(bill.cost)
        entry.records.append((self._sealed_sessions, encode_bill(bill, cost)))
        entry.counts.append("bills_sealed")
        user_id = bill.facts.user_id
        if bill.is_invoiced and user_id is not None:
            name = invoice_id(Kind.INVOICE, bill.station_id, bill.session_id, bill.number)
            number = self._number(
                step, entry, self._issuer, bill.station_id, bill.billed_us, numbers
            )
            record = encode_invoice(bill, number, self._issuer_bytes, cost=cost, name=name)
            self._document(entry, user_id, name, record)
            entry.counts.append("invoices_issued")

    def _credit(
        self,
        step: Step,
        entry: Entry,
        station_id: str,
        session_id: str,
        credit: Credit,
        numbers: Mapping[bytes, int],
    ) -> None:
        key = invoice_key(invoice_id(Kind.INVOICE, station_id, session_id, credit.bill))
        invoice = entry.rows.get(key) or step.get(key)
        if invoice is None:
            raise LookupError(f"the invoice of bill {credit.bill} is not among the rows")
        name = invoice_id(Kind.CREDIT_NOTE, station_id, session_id, credit.bill)
        credited = _read_invoice(invoice)
        # It names the invoice's issuer, whatever the settings say by now: so it is numbered as theirs.
        issuer = Issuer(credited.issuer.name, vat_id=credited.issuer.vat_id).key
        number = self._number(step, entry, issuer, station_id, credit.credited_us, numbers)
        record = encode_credit_note(
            invoice, station_id, session_id, credit.bill, number, credit.credited_us
        )
        self._document(entry, credited.user_id, name, record)
        entry.counts.append("credit_notes_issued")

    def _number(
        self,
        step: Step,
        entry: Entry,
        issuer: str,
        station_id: str,
        issued_us: int,
        numbers: Mapping[bytes, int],
    ) -> str:
        """Return the next number of the series that an issuer, an instant and a station belong to."""
        series, key = _series(issuer, self._lane_of(station_id), issued_us // DAY_US)
        counter = entry.numbers.get(key)
        if counter is None:
            counter = numbers.get(key)
        if counter is None:
            counter = step.state(key, decode_counter) or 0
        number, entry.numbers[key] = next_number(series, counter)
        return number

    def _document(self, entry: Entry, user_id: str, name: str, record: bytes) -> None:
        entry.records.append((self._invoices, record))
        entry.rows[invoice_key(name)] = record
        entry.rows[user_key(user_id, name)] = PRESENT


@lru_cache(maxsize=4 * LANES)  # what is issued together is nearly always of one day
def _series(issuer: str, lane: int, day: int) -> tuple[Series, bytes]:
    """Return a series and the key of its row."""
    series = series_of(issuer, lane, day * DAY_US)
    return series, number_key(series)
