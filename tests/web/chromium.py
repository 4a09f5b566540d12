"""A real browser for tests, spoken to in its own DevTools protocol: no driver, no further package."""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp

NAMES = ("chromium", "chromium-browser", "google-chrome")
START_S = 30.0
"""Seconds that Chromium may take to start on a busy machine."""


class Page:
    """One page of the browser."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._ids = itertools.count(1)
        self.complaints: list[str] = []
        """Errors that the page logged or threw, and what its policy forbade."""

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Send one command and wait for its result; events that come before it are noted."""
        number = next(self._ids)
        await self._socket.send_json({"id": number, "method": method, "params": params})
        while True:
            message = await self._socket.receive_json(timeout=START_S)
            if message.get("id") == number:
                assert "error" not in message, message
                result: dict[str, Any] = message["result"]
                return result
            self._note(message)

    def _note(self, message: dict[str, Any]) -> None:
        params = message.get("params", {})
        if message.get("method") == "Runtime.exceptionThrown":
            self.complaints.append(str(params["exceptionDetails"]))
        elif message.get("method") == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.complaints.append(f"{params['entry']['text']} {params['entry'].get('url', '')}")

    async def open(self, url: str) -> None:
        """Go to a page."""
        await self.call("Page.navigate", url=url)

    async def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression."""
        answer = await self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    async def until(self, expression: str, timeout_s: float = 15.0) -> None:
        """Wait until an expression holds."""
        deadline = asyncio.get_running_loop().time() + timeout_s
        while not await self.evaluate(expression):
            body = await self.evaluate("document.body?.innerText")
            assert asyncio.get_running_loop().time() < deadline, f"never {expression}:\n{body}"
            await asyncio.sleep(0.05)


def executable() -> str:
    """Find Chromium; a test that needs it fails without."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    assert found, "Chromium is missing: install the package chromium"
    return found


@asynccontextmanager
async def browser_page(profile: Path) -> AsyncIterator[Page]:
    """Start Chromium with an empty profile and give its only page."""
    process = await asyncio.create_subprocess_exec(
        executable(),
        "--headless",
        "--no-sandbox",  # tests run as root in containers, and open our own page only
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--no-first-run",
        "--remote-debugging-port=0",
        f"--user-data-dir={profile}",
        "about:blank",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(START_S):
            port = await _debugging_port(profile)
        async with aiohttp.ClientSession() as client:
            async with client.get(f"http://127.0.0.1:{port}/json/list") as response:
                targets = await response.json()
            url = next(each for each in targets if each["type"] == "page")["webSocketDebuggerUrl"]
            async with client.ws_connect(url, max_msg_size=0) as socket:
                page = Page(socket)
                for domain in ("Page", "Runtime", "Log"):
                    await page.call(f"{domain}.enable")
                yield page
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


async def _debugging_port(profile: Path) -> int:
    file = profile / "DevToolsActivePort"
    while True:
        lines = file.read_text().splitlines() if file.exists() else []
        if len(lines) == 2:
            return int(lines[0])
        await asyncio.sleep(0.05)
