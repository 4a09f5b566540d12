"""Invoices and credit notes: one by its id, those of a user, and the page to print."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Iterator
from http import HTTPStatus

import msgspec
from aiohttp import web

from evcharge.web import parameters
from evcharge.web.answers import STALE, json_response, marked_stale
from evcharge.web.context import WebContext, context_of
from evcharge.web.copies import asked_context
from evcharge.web.cursors import decode_cursor, encode_cursor
from evcharge.web.invoice_page import POLICY, invoice_page, later_page, missing_invoice_page
from evcharge.web.owners import asked_partitions, at_all_owners
from evcharge.web.parts import Part, part_of
from evcharge.web.problems import RETRY_AFTER_S, ProblemError, not_found, unavailable
from evcharge.web.state import PartitionLostError


class InvoicePart(Part, kw_only=True):
    """An invoice, if some partitions have it."""

    found: list[msgspec.Raw] = msgspec.field(default_factory=list)
    """One at most."""


class InvoicesPosition(msgspec.Struct, tag="invoices", tag_field="list"):
    """A page of a user's invoices begins after this one."""

    after: str


class InvoicesPart(Part, kw_only=True):
    """The first of a user's invoices in some partitions, in the order of their ids."""

    rows: list[tuple[str, msgspec.Raw]]
    more: bool


# -- one


async def show_invoice(request: web.Request) -> web.Response:
    """An invoice or a credit note, wherever it is."""
    invoice_id = parameters.path_id(request, "invoice_id")
    document = await _invoice(context_of(request), invoice_id)
    return web.Response(body=document, content_type="application/json")


async def show_invoice_page(request: web.Request) -> web.Response:
    """The same as a page to print; what cannot be shown is said on a page, too."""
    invoice_id, headers = request.match_info["invoice_id"], {"Content-Security-Policy": POLICY}
    status = HTTPStatus.OK
    try:
        parameters.path_id(request, "invoice_id")
        document = await _invoice(context_of(request), invoice_id)
        page = invoice_page(msgspec.json.decode(document))
    except ProblemError as problem:
        status = problem.status
        if status is HTTPStatus.NOT_FOUND:
            page = missing_invoice_page(invoice_id)
        else:
            page = later_page(problem.detail)
            headers["Retry-After"] = str(RETRY_AFTER_S)
    return web.Response(
        status=status, text=page, content_type="text/html", charset="utf-8", headers=headers
    )


async def _invoice(context: WebContext, invoice_id: str) -> bytes:
    """Return the document of an invoice.

    Raises:
        ProblemError: 404, or 503 as long as a partition that could have it has not answered.
    """

    async def here(context: WebContext, partitions: frozenset[int]) -> InvoicePart:
        return await _own_invoice(context, partitions, invoice_id)

    path, patience_s = f"/invoices/{invoice_id}", context.peers.hedge_s
    found = await at_all_owners(context, path, {}, InvoicePart, here, patience_s)
    for part in reversed(found.parts):  # what is not from a copy first
        for raw in part.found:
            document = bytes(raw)
            return marked_stale(document) if part.stale else document
    # A copy may not have an invoice yet that its owner has.
    if not found.complete or found.stale:
        raise unavailable(
            f"Not every worker can tell at this moment whether it has invoice {invoice_id}: ask again."
        )
    raise not_found(f"invoice {invoice_id}")


async def show_own_invoice(request: web.Request) -> web.Response:
    """The same of this worker's partitions, for another worker."""
    context, invoice_id = asked_context(request), parameters.path_id(request, "invoice_id")
    partitions = asked_partitions(request, context)
    return json_response(await _own_invoice(context, partitions, invoice_id))


async def _own_invoice(
    context: WebContext, partitions: frozenset[int], invoice_id: str
) -> InvoicePart:
    covered: list[int] = []
    stale: list[int] = []
    for partition in sorted(partitions):
        try:
            document = context.reader.invoice(partition, invoice_id)
        except PartitionLostError:
            continue
        is_copy = partition in context.reader.held()
        if document is not None:
            # One partition has it, so nothing else has to be said of the others.
            copies = [partition] if is_copy else []
            found = [msgspec.Raw(document)]
            return InvoicePart(partitions=sorted(partitions), stale=copies, found=found)
        covered.append(partition)
        if is_copy:
            stale.append(partition)
        await asyncio.sleep(0)
    return InvoicePart(partitions=covered, stale=stale)


# -- a user's


async def list_invoices(request: web.Request) -> web.Response:
    """A page of a user's invoices and credit notes, from all workers."""
    context, user_id = context_of(request), parameters.path_id(request, "user_id")
    limit, after = parameters.limit(request), _after(request)

    async def here(context: WebContext, partitions: frozenset[int]) -> InvoicesPart:
        return await _own_part(context, partitions, user_id, limit, after)

    query = {name: value for name in ("limit", "cursor") if (value := request.query.get(name))}
    path, patience_s = f"/users/{user_id}/invoices", context.peers.list_hedge_s
    found = await at_all_owners(context, path, query, InvoicesPart, here, patience_s)
    rows = sorted(dict(row for part in found.parts for row in part.rows).items())
    shown = rows[:limit]
    more = len(rows) > limit or any(part.more for part in found.parts)
    return json_response(
        {
            "invoices": [invoice for _, invoice in shown],
            "next": encode_cursor(InvoicesPosition(shown[-1][0])) if more else None,
            "partial": not found.complete,
            **(STALE if found.stale else {}),
        }
    )


async def list_own_invoices(request: web.Request) -> web.Response:
    """This worker's part of such a page, for another worker."""
    context, user_id = asked_context(request), parameters.path_id(request, "user_id")
    limit, after = parameters.limit(request), _after(request)
    partitions = asked_partitions(request, context)
    return json_response(await _own_part(context, partitions, user_id, limit, after))


def _after(request: web.Request) -> str | None:
    cursor = request.query.get("cursor")
    return decode_cursor(cursor, InvoicesPosition).after if cursor else None


async def _own_part(
    context: WebContext, partitions: frozenset[int], user_id: str, limit: int, after: str | None
) -> InvoicesPart:
    """Collect this worker's part."""
    return await part_of(partitions, lambda some: _scan(context, some, user_id, limit, after))


async def _scan(
    context: WebContext, partitions: frozenset[int], user_id: str, limit: int, after: str | None
) -> InvoicesPart:
    reader = context.reader
    copies = partitions & reader.held()
    lost: set[int] = set()

    def invoices(partition: int) -> Iterator[tuple[str, bytes, int]]:
        try:
            for invoice_id, document in reader.invoices_of(partition, user_id, after):
                yield invoice_id, document, partition
        except PartitionLostError:
            lost.add(partition)

    rows: list[tuple[str, msgspec.Raw]] = []
    more = False
    for invoice_id, document, partition in heapq.merge(*map(invoices, sorted(partitions))):
        await asyncio.sleep(0)
        if len(rows) == limit:
            more = True
            break
        is_copy = partition in copies or partition in reader.held()
        rows.append((invoice_id, msgspec.Raw(marked_stale(document) if is_copy else document)))
    covered = (partitions & reader.readable()) - lost
    stale = covered & (copies | reader.held())
    return InvoicesPart(partitions=sorted(covered), stale=sorted(stale), rows=rows, more=more)
