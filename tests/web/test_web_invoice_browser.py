"""The page of an invoice in a real browser: on paper, on a screen, on a phone."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.web.chromium import Page, browser_page
from tests.web.memory_web import END, START, UPDATE, MemoryWeb, event, memory_web

pytestmark = pytest.mark.browser

ISSUER = {
    "issuer_name": "Watt & Söhne <GmbH>",
    "issuer_address": "Main Street 1; 1234 Town",
    "issuer_vat_id": "DE123456789",
}
WIDTHS = {"A4": (794, 1123), "phone": (390, 844)}


@pytest_asyncio.fixture
async def page(tmp_path: Path) -> AsyncIterator[Page]:
    async with browser_page(tmp_path / "profile") as page:
        yield page


@pytest_asyncio.fixture
async def web() -> AsyncIterator[MemoryWeb]:
    """A session that was billed, and billed again with other values."""
    async with memory_web(**ISSUER) as made:
        await made.send(START, UPDATE, END, event("end", 30, energy_kwh=12, correction=True))
        assert (await made.decide("approve", 4)).status == 200
        yield made


async def documents(web: MemoryWeb) -> dict[str, str]:
    """Return the ids of the documents by the last digit of their numbers."""
    found = (await web.get("/v1/users/U1/invoices"))["invoices"]
    return {each["number"][-1]: each["invoice_id"] for each in found}


async def opened(page: Page, url: str, size: tuple[int, int]) -> str:
    """Open a page in a window of a size and return its text."""
    width, height = size
    await page.call(
        "Emulation.setDeviceMetricsOverride",
        width=width,
        height=height,
        deviceScaleFactor=1,
        mobile=width < 500,
    )
    await page.open(url)
    await page.until(f"location.href === '{url}' && document.readyState === 'complete'")
    text: str = await page.evaluate("document.body.innerText")
    return text


@pytest.mark.parametrize("size", WIDTHS)
async def test_an_invoice_fits_its_paper_and_obeys_its_policy(
    page: Page, web: MemoryWeb, size: str
) -> None:
    names = await documents(web)
    shown = await opened(page, f"{web.url}/invoices/{names['1']}", WIDTHS[size])

    for told in ("Watt & Söhne <GmbH>", "DE123456789", "U1", "10 kWh", "EUR 6.00"):
        assert told in shown
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    # The style that its policy lets in is in force.
    assert (
        await page.evaluate("getComputedStyle(document.querySelector('.n')).textAlign") == "right"
    )
    fetched = "performance.getEntriesByType('resource').length"
    assert await page.evaluate(fetched) == 0
    assert page.complaints == []


async def test_an_invoice_is_printed_on_one_sheet(page: Page, web: MemoryWeb) -> None:
    names = await documents(web)
    await opened(page, f"{web.url}/invoices/{names['1']}", WIDTHS["A4"])
    printed = await page.call("Page.printToPDF", preferCSSPageSize=True)
    pdf = base64.b64decode(printed["data"])
    assert pdf.count(b"/Type /Page\n") + pdf.count(b"/Type /Page/") == 1


async def test_from_a_credit_note_one_click_leads_to_its_invoice(
    page: Page, web: MemoryWeb
) -> None:
    names = await documents(web)
    shown = await opened(page, f"{web.url}/invoices/{names['2']}", WIDTHS["A4"])
    assert "Credit note" in shown
    assert "EUR -6.00" in shown

    await page.evaluate("document.querySelector('.credits a').click()")
    await page.until("document.querySelector('h1')?.textContent === 'Invoice'")
    assert names["1"] in await page.evaluate("location.pathname")


async def test_an_id_without_an_invoice_is_told_so_on_a_page(page: Page, web: MemoryWeb) -> None:
    shown = await opened(page, f"{web.url}/invoices/{'0' * 32}", WIDTHS["phone"])
    assert "No such invoice" in shown
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
