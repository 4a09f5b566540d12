"""Query parameters and ids, read strictly: what cannot be used is named in a 400."""

from __future__ import annotations

import re

from aiohttp import web

from evcharge.domain.identifiers import ID_WORDS, is_id
from evcharge.domain.quantities import KW, exact_units
from evcharge.domain.station import STATUS_ORDER
from evcharge.domain.station_filter import BoundingBox, StationFilter
from evcharge.domain.status_report import Status
from evcharge.web.problems import bad_parameter, not_found

DEFAULT_LIMIT = 100
MAX_LIMIT = 1000

_DECIMAL = re.compile(r"\d{1,9}(\.\d{1,9})?", re.ASCII)
# With an exponent, as JavaScript writes numbers close to 0.
_DEGREES = re.compile(r"[+-]?\d{1,3}(\.\d{1,20})?([eE]-?\d{1,2})?", re.ASCII)


def path_id(request: web.Request, name: str) -> str:
    """Read an id from the path; one of another form is the id of nothing."""
    value = request.match_info[name]
    if not is_id(value):
        raise not_found(f"{name.removesuffix('_id')} of this id")
    return value


def query_id(request: web.Request, name: str) -> str | None:
    """Read an optional id from the query."""
    value = request.query.get(name, "")
    if not value:
        return None
    if not is_id(value):
        raise bad_parameter(name, f"an id: {ID_WORDS}")
    return value


def limit(request: web.Request) -> int:
    """Read how many rows are wanted at most."""
    value = request.query.get("limit", "")
    if not value:
        return DEFAULT_LIMIT
    if not re.fullmatch(r"\d{1,6}", value, re.ASCII) or not 1 <= int(value) <= MAX_LIMIT:
        raise bad_parameter("limit", f"a whole number from 1 to {MAX_LIMIT}")
    return int(value)


def station_filter(request: web.Request) -> StationFilter:
    """Read the conditions of a list of stations; an empty parameter is none."""
    return StationFilter(_bbox(request), _status(request), _min_power(request))


def _bbox(request: web.Request) -> BoundingBox | None:
    value = request.query.get("bbox", "")
    if not value:
        return None
    edges = value.split(",")
    if len(edges) == 4 and all(_DEGREES.fullmatch(edge) for edge in edges):
        box = BoundingBox(*map(float, edges))
        if (
            max(abs(box.west), abs(box.east)) <= 180
            and max(abs(box.south), abs(box.north)) <= 90
            and box.south <= box.north
        ):
            return box
    raise bad_parameter(
        "bbox",
        "west,south,east,north in degrees with south <= north (west > east crosses the antimeridian)",
    )


def _status(request: web.Request) -> Status | None:
    value = request.query.get("status", "")
    if not value:
        return None
    if value not in STATUS_ORDER:
        raise bad_parameter("status", "one of " + ", ".join(STATUS_ORDER))
    return Status(value)


def _min_power(request: web.Request) -> int | None:
    value = request.query.get("min_power_kw", "")
    if not value:
        return None
    if not _DECIMAL.fullmatch(value):
        raise bad_parameter("min_power_kw", "a power in kilowatts, such as 22 or 3.7")
    return exact_units(value, KW)
