"""The roster of the HTTP interface: every path, and what answers there."""

from __future__ import annotations

from aiohttp import web

from evcharge.domain.station import STATUS_ORDER
from evcharge.events.quotes import QuoteRequest
from evcharge.web import health, models, openapi, pages, parameters, quotes, sessions, stations
from evcharge.web.answers import add_headers
from evcharge.web.context import CONTEXT, WebContext
from evcharge.web.endpoint import Endpoint, Parameter
from evcharge.web.peers import PREFIX, mark_answer
from evcharge.web.problems import problems

STATION_ID = Parameter("station_id", "The station.")
SESSION_ID = Parameter("session_id", "The session; other stations may have one of the same id.")
LIMIT = Parameter(
    "limit",
    "Rows wanted at most.",
    {
        "type": "integer",
        "minimum": 1,
        "maximum": parameters.MAX_LIMIT,
        "default": parameters.DEFAULT_LIMIT,
    },
)
CURSOR = Parameter("cursor", "The `next` of the answer before.")
BBOX = Parameter(
    "bbox",
    "west,south,east,north in degrees, edges included; west > east crosses the antimeridian."
    " A station whose place is not known is in none.",
)
STATUS = Parameter(
    "status",
    "The station's status.",
    {"type": "string", "enum": [each.value for each in STATUS_ORDER]},
)
MIN_POWER_KW = Parameter(
    "min_power_kw",
    "Rated power that at least one plug has, in kilowatts.",
    {"type": "number", "minimum": 0},
)

ENDPOINTS = (
    Endpoint(
        "/v1/stations",
        stations.list_stations,
        "The stations, sorted by id.",
        models.Stations,
        (BBOX, STATUS, MIN_POWER_KW, LIMIT, CURSOR),
        (400, 503),
    ),
    Endpoint(
        "/v1/stations/{station_id}",
        stations.show_station,
        "One station.",
        models.Station,
        (STATION_ID,),
        (404, 503),
    ),
    Endpoint(
        "/v1/stations/{station_id}/sessions",
        sessions.list_sessions,
        "A station's sessions: active first, then those that started last.",
        models.Sessions,
        (STATION_ID, LIMIT, CURSOR),
        (400, 404, 503),
    ),
    Endpoint(
        "/v1/sessions/{session_id}",
        sessions.show_session,
        "One session.",
        models.Session,
        (SESSION_ID, Parameter("station_id", "Its station, if several have a session of this id.")),
        (400, 404, 409, 503),
    ),
    Endpoint(
        "/v1/quotes",
        quotes.quote,
        "What a session would cost under a tariff; nothing is stored.",
        models.Cost,
        (),
        (400, 413),
        "POST",
        QuoteRequest,
    ),
    Endpoint("/healthz", health.show_alive, "Whether the process is alive.", models.Alive),
    Endpoint(
        "/readyz",
        health.show_ready,
        "Whether the worker is in the group with its tables recovered.",
        models.Ready,
        (),
        (503,),
    ),
    Endpoint("/metrics", health.show_metrics, "Prometheus metrics.", "text/plain"),
)
"""The public interface; the OpenAPI document is made from it."""

PAGES = {
    "/": pages.show_page,
    "/static/{name}": pages.show_file,
    "/openapi.json": openapi.serve(ENDPOINTS),
}

FOR_PEERS = {
    "/stations": stations.list_own_stations,
    "/stations/{station_id}": stations.show_own_station,
    "/stations/{station_id}/sessions": sessions.list_own_sessions,
    "/stations/{station_id}/sessions/{session_id}": sessions.show_own_session,
    "/sessions/{session_id}/stations": sessions.find_own_stations,
}
"""What workers ask each other, below ``evcharge.web.peers.PREFIX``."""


def add_routes(application: web.Application, context: WebContext) -> None:
    """Put the HTTP interface into an aiohttp application that does not run yet.

    With Faust this is ``app.web.web_app``, and it must be called before ``app.web.init_server()``:
    the first route of a path answers, and Faust has one for ``/``. A second call changes nothing,
    since workers initialise their web server twice.
    """
    if CONTEXT in application:
        return
    application[CONTEXT] = context
    context.metrics.watch(context.reader)
    application.middlewares.extend([health.count_requests, problems])
    application.on_response_prepare.extend([add_headers, mark_answer])
    for endpoint in ENDPOINTS:
        if endpoint.method == "GET":
            application.router.add_get(endpoint.path, endpoint.handler)
        else:
            application.router.add_route(endpoint.method, endpoint.path, endpoint.handler)
    for path, handler in FOR_PEERS.items():
        application.router.add_get(PREFIX + path, handler)
    # Not `/` last: aiohttp refuses a second route of the path that was added last, and Faust adds one.
    for path, handler in PAGES.items():
        application.router.add_get(path, handler)
