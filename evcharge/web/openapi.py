"""The OpenAPI document, made from the endpoints that are served and the models of their answers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from aiohttp import web
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

import evcharge
from evcharge.web.answers import json_response
from evcharge.web.endpoint import Endpoint, Parameter
from evcharge.web.models import Problem
from evcharge.web.problems import PROBLEM_JSON

_REF = "#/components/schemas/{model}"


def document(endpoints: Sequence[Endpoint]) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of the endpoints."""
    models = {each.answer for each in endpoints if isinstance(each.answer, type)} | {Problem}
    bodies = {each.body for each in endpoints if each.body is not None}
    _, schemas = models_json_schema(
        [(model, "serialization") for model in sorted(models, key=_name)]
        + [(model, "validation") for model in sorted(bodies, key=_name)],
        ref_template=_REF,
    )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "evcharge",
            "version": evcharge.__version__,
            "description": "Live stations and charging sessions. Any worker answers every request.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": {each.path: {each.method.lower(): _operation(each)} for each in endpoints},
        "components": {"schemas": schemas["$defs"]},
    }


def text(endpoints: Sequence[Endpoint]) -> str:
    """Return the document as it is committed."""
    return json.dumps(document(endpoints), indent=2, ensure_ascii=False) + "\n"


def serve(endpoints: Sequence[Endpoint]) -> Any:
    """Return the handler of ``/openapi.json``."""
    made = document(endpoints)

    async def show_openapi(_request: web.Request) -> web.Response:
        return json_response(made)

    return show_openapi


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    body = {} if endpoint.body is None else {"requestBody": _body(endpoint.body)}
    return {
        "operationId": endpoint.handler.__name__,
        "summary": endpoint.help,
        "parameters": [_parameter(endpoint, each) for each in endpoint.parameters],
        **body,
        "responses": {
            "200": {"description": "The answer", "content": _content(endpoint.answer)},
            **{str(code): _problem(HTTPStatus(code)) for code in endpoint.problems},
        },
    }


def _parameter(endpoint: Endpoint, parameter: Parameter) -> dict[str, Any]:
    in_path = f"{{{parameter.name}}}" in endpoint.path
    return {
        "name": parameter.name,
        "in": "path" if in_path else "query",
        "required": in_path,
        "description": parameter.help,
        "schema": parameter.schema,
    }


def _name(model: type[BaseModel]) -> str:
    return model.__name__


def _body(model: type[BaseModel]) -> dict[str, Any]:
    return {"required": True, "content": _content(model)}


def _content(answer: type[BaseModel] | str) -> dict[str, Any]:
    if isinstance(answer, str):
        return {answer: {"schema": {"type": "string"}}}
    return {"application/json": {"schema": {"$ref": _REF.format(model=answer.__name__)}}}


def _problem(status: HTTPStatus) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "description": status.phrase,
        "content": {PROBLEM_JSON: {"schema": {"$ref": _REF.format(model=Problem.__name__)}}},
    }
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        answer["headers"] = {
            "Retry-After": {"description": "Seconds to wait", "schema": {"type": "integer"}}
        }
    return answer
