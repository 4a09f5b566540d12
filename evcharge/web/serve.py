"""Puts the HTTP interface into Faust's web server."""

from __future__ import annotations

from evcharge.application import Application
from evcharge.domain.quantities import SECOND_US
from evcharge.web.context import WebContext
from evcharge.web.decision_log import KafkaDecisionLog
from evcharge.web.durable_state import DurableState
from evcharge.web.metrics import Metrics
from evcharge.web.peers import Peers
from evcharge.web.routes import add_routes


def serve_web(app: Application) -> None:
    """Have the worker's web server answer with our routes, from the application's tables."""

    def add(web_app: object) -> None:
        context = WebContext(
            reader=DurableState(app),
            peers=Peers(app.settings.url, lambda: app.http_client),
            metrics=Metrics(lambda: app.lane.counters.values, app.lag),
            desk=app.desk,
            decisions=KafkaDecisionLog(app.settings),
            silence_us=app.settings.status_silence_s * SECOND_US,
        )
        add_routes(web_app, context)  # type: ignore[arg-type]

    app.on_web_app = add
