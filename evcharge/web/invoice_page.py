"""The printable page of an invoice or credit note: one HTML text with everything in it."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from evcharge.domain.billing.invoice import Kind
from evcharge.domain.billing.printed import Printed, printed
from evcharge.domain.pricing.cost_json import money_text

_STYLE = (Path(__file__).parent / "static" / "invoice.css").read_text(encoding="utf-8")
_DIGEST = base64.b64encode(sha256(_STYLE.encode()).digest()).decode()

POLICY = (
    f"default-src 'none'; style-src 'sha256-{_DIGEST}'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'"
)
"""The page's `Content-Security-Policy`: it runs nothing, asks nobody, and has this one style."""

_WORDS = {
    "FLAT": "Session fee",
    "ENERGY": "Energy",
    "TIME": "Charging time",
    "PARKING_TIME": "Parking time (plugged in, not charging)",
    "RESERVATION": "Reservation",
    "MIN_PRICE": "Adjustment to the minimum price",
    "MAX_PRICE": "Adjustment to the maximum price",
}
_ADJUSTMENTS = {"MIN_PRICE", "MAX_PRICE"}

_SHOWN_DECIMALS = Decimal("0.000001")
"""Of quantities: a third of an hour has more than anybody reads."""

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
{body}
</body>
</html>
"""


class _Html(str):
    """Text that is HTML already; every other text is escaped where it is put into a template."""

    __slots__ = ()


def invoice_page(invoice: Mapping[str, Any]) -> str:
    """Return the page of an invoice in the contract's JSON form.

    Times are in the session's time zone, by which it was priced. Amounts are whole minor units that
    add up (``printed``), with all their digits.
    """
    is_credit = invoice["kind"] == Kind.CREDIT_NOTE
    cost = invoice["cost"]
    amounts = printed(cost)
    body = "".join(
        (
            _header(invoice, is_credit=is_credit),
            _facts(invoice),
            _lines(cost, amounts),
            _totals(cost, amounts, is_credit=is_credit),
            _vat_table(cost, amounts),
            _footer(invoice),
        )
    )
    title = f"{'Credit note' if is_credit else 'Invoice'} {invoice['number']}"
    return _filled(_PAGE, title=title, style=_Html(_STYLE), body=_Html(body))


def missing_invoice_page(invoice_id: str) -> str:
    """Return the page of an id that no invoice has, to be sent with status 404."""
    text = "<h1>No such invoice</h1>\n<p>There is no invoice {id}. Check the address.</p>"
    body = _filled(text, id=invoice_id)
    return _filled(_PAGE, title="No such invoice", style=_Html(_STYLE), body=body)


def later_page(detail: str) -> str:
    """Return the page that is sent while nobody can tell whether there is an invoice."""
    text = "<h1>Not at this moment</h1>\n<p>{detail}</p>"
    body = _filled(text, detail=detail)
    return _filled(_PAGE, title="Not at this moment", style=_Html(_STYLE), body=body)


def _filled(template: str, **values: object) -> _Html:
    """Return a template with values in it, each escaped unless it is HTML."""
    safe = {
        name: value if isinstance(value, _Html) else escape(str(value))
        for name, value in values.items()
    }
    return _Html(template.format_map(safe))


def _header(invoice: Mapping[str, Any], *, is_credit: bool) -> _Html:
    issuer = invoice["issuer"]
    address = [part.strip() for part in issuer["address"].split(";") if part.strip()]
    vat = [f"VAT ID {issuer['vat_id']}"] if issuer["vat_id"] else []
    rest = _Html("".join(_filled("<br>{line}", line=line) for line in (*address, *vat)))
    credited_invoice = invoice["credits"]
    credited = (
        _filled(
            '<p class="credits">Credits invoice <a href="/invoices/{id}">{number}</a> in full.</p>',
            id=credited_invoice["invoice_id"],
            number=credited_invoice["number"],
        )
        if credited_invoice
        else _Html()
    )
    return _filled(
        '<header>\n<div>\n<h1>{kind}</h1>\n<p class="number">{number}</p>\n{credited}</div>\n'
        '<p class="issuer"><strong>{name}</strong>{rest}</p>\n</header>\n',
        kind="Credit note" if is_credit else "Invoice",
        number=invoice["number"],
        credited=credited,
        name=issuer["name"],
        rest=rest,
    )


def _facts(invoice: Mapping[str, Any]) -> _Html:
    subject = invoice["subject"]
    session_id = subject.get("session_id")
    zone = ZoneInfo(invoice["time_zone"])
    facts = [
        ("Issued", _local(invoice["issued_at"], zone)[:10]),
        ("Date of supply", _local(invoice["ended_at"], zone)[:10]),
        ("Customer", invoice["user_id"]),
        ("Charging station", invoice["station_id"]),
        ("Session", session_id)
        if session_id is not None
        else ("Reservation", subject.get("reservation_id")),
        ("Energy", _with_unit(invoice["energy_kwh"], "kWh")),
        ("Start", _local(invoice["started_at"], zone)),
        ("End", _local(invoice["ended_at"], zone)),
        ("Meter at start", _with_unit(invoice["meter_start_kwh"], "kWh")),
        ("Meter at end", _with_unit(invoice["meter_end_kwh"], "kWh")),
    ]
    rows = (
        _filled("<div><dt>{name}</dt><dd>{value}</dd></div>\n", name=name, value=value)
        for name, value in facts
        if value is not None
    )
    return _filled("<dl>\n{rows}</dl>\n", rows=_Html("".join(rows)))


def _lines(cost: Mapping[str, Any], amounts: Printed) -> _Html:
    rows = []
    for line, amount in zip(cost["lines"], amounts.lines, strict=True):
        is_adjustment = line["dimension"] in _ADJUSTMENTS
        price = f"{_price(line['price'], amounts.minor)} / {line['unit']}"
        rows.append(
            _row(
                _WORDS.get(line["dimension"], line["dimension"]),
                "" if is_adjustment else f"{_quantity(line['quantity'])} {line['unit']}",
                "" if is_adjustment else price,
                _percent(line["vat_percent"]),
                _money(amount, amounts),
            )
        )
    heads = ("Description", "Quantity", "Unit price", "VAT", f"Amount {cost['currency']}")
    return _filled(
        '<h2>Charges, without VAT</h2>\n<table class="lines">\n{head}<tbody>\n{rows}</tbody>\n'
        "</table>\n",
        head=_head(*heads),
        rows=_Html("".join(rows)),
    )


def _totals(cost: Mapping[str, Any], amounts: Printed, *, is_credit: bool) -> _Html:
    return _filled(
        '<div class="totals"><table>\n<tbody>\n'
        '<tr><td>Total without VAT</td><td class="n">{excl}</td></tr>\n'
        '<tr><td>VAT</td><td class="n">{vat}</td></tr>\n'
        '<tr class="due"><td>{due}</td><td class="n">{currency} {incl}</td></tr>\n'
        "</tbody>\n</table></div>\n",
        excl=_money(amounts.excl, amounts),
        vat=_money(amounts.vat_total, amounts),
        due="Total credited" if is_credit else "Total",
        currency=cost["currency"],
        incl=_money(amounts.incl, amounts),
    )


def _vat_table(cost: Mapping[str, Any], amounts: Printed) -> _Html:
    rates = {line["vat_percent"] for line in cost["lines"] if line["dimension"] not in _ADJUSTMENTS}
    rows = [
        _row(
            # A rate that no price has is none of the law's: what a bound of the total amounts to.
            _percent(each.percent)
            if each.percent in rates
            else f"Adjustment, {_percent(each.percent)}",
            _money(each.base, amounts),
            _money(each.vat, amounts),
            _money(each.incl, amounts),
        )
        for each in amounts.vat
    ]
    foot = _row(
        "Total",
        *(_money(each, amounts) for each in (amounts.excl, amounts.vat_total, amounts.incl)),
    )
    return _filled(
        '<h2>VAT by rate, in {currency}</h2>\n<table class="vat">\n{head}<tbody>\n{rows}</tbody>\n'
        "<tfoot>\n{foot}</tfoot>\n</table>\n",
        currency=cost["currency"],
        head=_head("Rate", "Without VAT", "VAT", "With VAT"),
        rows=_Html("".join(rows)),
        foot=foot,
    )


def _footer(invoice: Mapping[str, Any]) -> _Html:
    cost = invoice["cost"]
    version = "" if cost["tariff_version"] is None else f", version {cost['tariff_version']}"
    return _filled(
        "<footer><p>All times are in the time zone {zone}. Exact amounts are rounded so that every"
        " column adds up. Tariff {tariff}{version}. Document {id}.</p></footer>",
        tariff=cost["tariff_id"],
        version=version,
        zone=invoice["time_zone"],
        id=invoice["invoice_id"],
    )


def _head(*names: str) -> _Html:
    return _filled("<thead>\n{row}</thead>\n", row=_cells("th", names))


def _row(*values: str) -> _Html:
    return _cells("td", values)


def _cells(kind: str, values: Iterable[str]) -> _Html:
    """Return a row; all cells but the first are numbers, to the right."""
    numeric = _Html(' class="n"')
    cells = (
        _filled("<{kind}{n}>{value}</{kind}>", kind=kind, n=numeric if at else "", value=value)
        for at, value in enumerate(values)
    )
    return _Html(f"<tr>{''.join(cells)}</tr>\n")


def _money(amount: int, amounts: Printed) -> str:
    return money_text(amount, amounts.minor)


def _price(price: str, minor: int) -> str:
    """Return a unit price with at least the minor digits of its currency."""
    whole, _, decimals = price.partition(".")
    decimals = decimals.ljust(minor, "0")
    return f"{whole}.{decimals}" if decimals else whole


def _quantity(quantity: str) -> str:
    exact = Decimal(quantity)
    rounded = exact.quantize(_SHOWN_DECIMALS, ROUND_HALF_UP).normalize()
    return f"{rounded:f}"


def _percent(percent: str | None) -> str:
    return "VAT alone" if percent is None else f"{percent} %"


def _with_unit(number: str | None, unit: str) -> str | None:
    return None if number is None else f"{number} {unit}"


def _local(timestamp: str, zone: ZoneInfo) -> str:
    """Return a timestamp in UTC as local date, time and offset: one hour of autumn is there twice."""
    local = datetime.fromisoformat(timestamp).astimezone(zone)
    offset = local.isoformat()[-6:]
    _, point, fraction = timestamp.removesuffix("Z").partition(".")
    return f"{local:%Y-%m-%d %H:%M:%S}{point}{fraction} {offset}"
