"""Errors as RFC 9457 ``application/problem+json``, whoever raised them."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from evcharge.storage.errors import StorageError
from evcharge.web.state import PartitionLostError

logger = logging.getLogger(__name__)

PROBLEM_JSON = "application/problem+json"

RETRY_AFTER_S = 1
"""Seconds after which a rebalance or a recovery may be over."""


class ProblemError(Exception):
    """An answer that is not what was asked for, with one sentence for a person."""

    def __init__(self, status: HTTPStatus, detail: str, **members: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.members = members
        """Further members of the problem document, such as ``parameter``."""


def bad_parameter(name: str, expected: str) -> ProblemError:
    """Build the answer to a query parameter that cannot be used."""
    return ProblemError(
        HTTPStatus.BAD_REQUEST, f"The parameter {name} must be {expected}.", parameter=name
    )


def not_found(what: str) -> ProblemError:
    """Build the answer to an id that nothing has."""
    return ProblemError(HTTPStatus.NOT_FOUND, f"There is no {what}.")


def unavailable(detail: str) -> ProblemError:
    """Build the answer to a question that can be answered a moment later."""
    return ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, detail)


def problem_response(problem: ProblemError) -> web.Response:
    """Write a problem document."""
    document = {
        "type": "about:blank",
        "title": problem.status.phrase,
        "status": problem.status.value,
        "detail": problem.detail,
        **problem.members,
    }
    headers = {}
    if problem.status is HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = str(RETRY_AFTER_S)
    return web.Response(
        status=problem.status,
        body=msgspec.json.encode(document),
        content_type=PROBLEM_JSON,
        headers=headers,
    )


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every failure of the handlers and of aiohttp's router into a problem document."""
    try:
        return await handler(request)
    except ProblemError as problem:
        return problem_response(problem)
    except PartitionLostError:
        return problem_response(unavailable("The answer is moving to another worker; ask again."))
    except StorageError as problem:
        logger.error("%s %s: %s", request.method, request.path, problem)  # noqa: TRY400 - one sentence
        return problem_response(unavailable("The rows of this worker cannot be read; ask again."))
    except web.HTTPException as raised:
        if raised.status < HTTPStatus.BAD_REQUEST:
            raise
        return _from_aiohttp(request, raised)
    except Exception:
        logger.exception("%s %s failed", request.method, request.path)
        return problem_response(
            ProblemError(
                HTTPStatus.INTERNAL_SERVER_ERROR, "This is a fault of the server; it is in its log."
            )
        )


def _from_aiohttp(request: web.Request, raised: web.HTTPException) -> web.Response:
    status = HTTPStatus(raised.status)
    detail = raised.text or status.phrase
    if status is HTTPStatus.NOT_FOUND:
        detail = "There is nothing at this path."
    elif isinstance(raised, web.HTTPMethodNotAllowed):
        allowed = ", ".join(sorted(raised.allowed_methods))
        detail = f"{request.method} is not possible here, only {allowed}."
    response = problem_response(ProblemError(status, detail))
    if "Allow" in raised.headers:
        response.headers["Allow"] = raised.headers["Allow"]
    return response
