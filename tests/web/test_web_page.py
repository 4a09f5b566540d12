"""The first page in a real browser."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from evcharge.domain.station_register import RegisteredConnector, RegisteredStation
from evcharge.domain.station_state import StationState
from evcharge.domain.status_report import Status
from tests.web.chromium import Page, browser_page
from tests.web.fake_worker import Data, group

pytestmark = pytest.mark.browser

HOSTILE = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>'
SHOWN = "[...document.querySelectorAll('.station:not([hidden]) h2')].map(each => each.textContent)"


@pytest_asyncio.fixture
async def page(tmp_path: Path) -> AsyncIterator[Page]:
    async with browser_page(tmp_path / "profile") as page:
        yield page


def shows(*names: str) -> str:
    return f"JSON.stringify({SHOWN}) === {json.dumps(json.dumps(names, separators=(',', ':')))}"


def street() -> Data:
    data = Data()
    data.register["A"] = RegisteredStation(
        "A", "North", connectors=(RegisteredConnector(1, "1", "IEC_62196_T2_COMBO", 150_000_000),)
    )
    data.say("A", Status.FREE)
    data.say("B", Status.OCCUPIED)
    data.say("C", Status.FAULTED)
    return data


async def test_a_station_changes_on_the_page_while_one_looks_at_it(page: Page) -> None:
    data = street()
    async with group(data) as workers:
        await page.open((await workers.worker()).url)
        await page.until(shows("North", "B", "C"))
        await page.until("document.querySelector('.headline').innerText.startsWith('1 of 3')")
        # Not innerText: Chromium leaves out what it has yet to draw (content-visibility).
        assert "CCS · 150\u00a0kW" in await page.evaluate(
            "document.querySelector('.plug').textContent"
        )
        await page.evaluate("window.sameDocument = document.querySelector('.station')")

        data.stations["A"] = StationState(())
        data.say("A", Status.RESERVED)

        await page.until("document.querySelector('.badge').textContent === 'reserved'")
        assert await page.evaluate("window.sameDocument === document.querySelector('.station')")
        assert await page.evaluate("document.querySelector('#freshness').innerText") == "Live"
    assert page.complaints == []


async def test_stations_come_and_go_in_the_order_of_their_ids(page: Page) -> None:
    data = street()
    async with group(data) as workers:
        await page.open((await workers.worker()).url)
        await page.until(shows("North", "B", "C"))

        data.say("AA", Status.FREE)
        del data.stations["C"]

        await page.until(shows("North", "AA", "B"))


async def test_what_a_stranger_names_a_station_is_only_text(page: Page) -> None:
    data = Data()
    plug = RegisteredConnector(1, standard=HOSTILE)
    data.register["A"] = RegisteredStation("A", HOSTILE, connectors=(plug,))
    data.say("A", Status.FAULTED)
    (word,) = data.stations["A"].words
    data.stations["A"] = StationState((word._replace(error_code=HOSTILE),))

    async with group(data) as workers:
        await page.open((await workers.worker()).url)
        await page.until(shows(HOSTILE))

        assert await page.evaluate("document.querySelector('.plug').textContent") == (
            f"{HOSTILE} · {HOSTILE}"
        )
        assert await page.evaluate("document.querySelectorAll('main img, main script').length") == 0
        assert await page.evaluate("window.hacked") is None
    assert page.complaints == []


async def test_nothing_is_fetched_from_elsewhere(page: Page) -> None:
    async with group(street()) as workers:
        url = (await workers.worker()).url
        await page.open(url)
        await page.until(shows("North", "B", "C"))
        fetched = await page.evaluate(
            "performance.getEntriesByType('resource').map(each => each.name)"
        )

    assert fetched
    assert all(each.startswith(url) for each in fetched)


async def test_search_and_status_narrow_the_list(page: Page) -> None:
    async with group(street()) as workers:
        await page.open((await workers.worker()).url)
        await page.until(shows("North", "B", "C"))

        await page.evaluate("document.querySelector('button.s-faulted').click()")
        await page.until(shows("C"))
        pressed = "document.querySelector('button.s-faulted').ariaPressed"
        assert await page.evaluate(pressed) == "true"
        await page.evaluate("document.querySelector('button.s-faulted').click()")
        await page.evaluate(
            "document.querySelector('#search').value = 'nor';"
            "document.querySelector('#search').dispatchEvent(new Event('input'))"
        )
        await page.until(shows("North"))
        assert (
            await page.evaluate("document.querySelector('#result').innerText") == "1 of 3 stations"
        )


async def test_what_cannot_be_answered_is_said_and_what_was_known_stays(page: Page) -> None:
    notice = "document.querySelector('#problem:not([hidden])')?.innerText"
    async with group(street()) as workers:
        worker = await workers.worker()
        await page.open(worker.url)
        await page.until(shows("North", "B", "C"))

        worker.reader.own = frozenset({worker.reader.partition_of("B")})
        workers.data.owners.clear()
        await page.until(f"{notice}?.includes('Some stations are missing')")
        worker.reader.own = frozenset()
        await page.until(f"{notice}?.includes('No worker has recovered')")
        assert await page.evaluate(shows("North", "B", "C"))

        worker.reader.own = frozenset(range(4))
        await page.until(f"{notice} === undefined")
