"""What it takes to price one finished session: a tariff of 3 elements, 50 updates, on one core."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from zoneinfo import ZoneInfo

from bench.finished_session import TARIFF, UPDATES, session
from bench.notice import Notice
from bench.result import Figure, at_most, shown
from bench.scene import Scene
from bench.statistics import Spread
from evcharge.domain.pricing import Plan, cost_json, price, session_cost, session_usage
from evcharge.domain.session import Limits, fold
from evcharge.events.tariffs import TariffDocument, parse_tariff

SESSIONS = 500
RUNS = 9
MOST_US = 150


async def pricing(_scene: Scene) -> AsyncIterator[Figure]:
    """Price the same session again and again: from its terms and segments to the Cost."""
    document = parse_tariff(json.dumps(TARIFF).encode())
    assert isinstance(document, TariffDocument)
    plan, zone, records = Plan(document.tariff), ZoneInfo("Europe/Paris"), session()
    limits = Limits()
    state = fold(records, limits)
    usage = session_usage(state, records, zone, limits)
    assert usage is not None
    prices, wholes = [], []
    with Notice("pricing a finished session") as notice:
        for _ in range(RUNS):
            began = time.process_time()
            for _ in range(SESSIONS):
                price(plan, usage)
            prices.append((time.process_time() - began) / SESSIONS * 1e6)
            began = time.process_time()
            for _ in range(SESSIONS):
                cost = session_cost(plan, state, records, zone, limits)
                assert cost is not None
                cost_json(cost)
            wholes.append((time.process_time() - began) / SESSIONS * 1e6)
        spent = Spread.of(prices)
        notice.done(f"{spent.median:.0f} µs")
    title = f"pricing a session of {UPDATES} updates"
    yield at_most(title, spent, "µs", MOST_US)
    yield shown(f"{title}, from its records to the Cost as JSON", Spread.of(wholes), "µs")
