"""What the records of each topic consist of, as JSON Schemas from the models of the events."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from evcharge.dead_letters import headers as dead_letter
from evcharge.events import (
    charging_sessions,
    invoice,
    sealed_session,
    session_decisions,
    station_status,
    stations,
    tariffs,
)
from evcharge.events.rejection import Reason

_DEFINITIONS = "#/$defs/"
_COMPONENTS = "#/components/schemas/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """The content of a topic's records; without a schema it is described in words only."""

    content_type: str = "application/json"
    schema: dict[str, Any] | None = None
    schemas: Mapping[str, Any] = field(default_factory=dict)
    """Definitions that ``schema`` refers to, by name."""
    headers: dict[str, Any] | None = None


def _model(json_schema: Callable[[], dict[str, Any]], *, or_null: bool = False) -> Payload:
    """Return the payload of a model, its definitions moved to where AsyncAPI shares them."""
    schema = _adapt(json_schema())
    definitions = schema.pop("$defs", {})
    if or_null:
        schema = {"anyOf": [schema, {"type": "null"}]}
    return Payload(schema=schema, schemas=definitions)


def _adapt(node: Any) -> Any:
    if isinstance(node, list):
        return [_adapt(each) for each in node]
    if not isinstance(node, dict):
        return node
    # A discriminator is OpenAPI's: in AsyncAPI it would name schemas by the values. The constant in
    # each of the alternatives says the same.
    adapted = {
        name: _adapt(value)
        for name, value in node.items()
        if not (name == "discriminator" and isinstance(value, dict) and "propertyName" in value)
    }
    if isinstance(reference := adapted.get("$ref"), str):
        adapted["$ref"] = reference.replace(_DEFINITIONS, _COMPONENTS)
    return adapted


_DECIMAL = {"type": "string", "pattern": "^[0-9]+$"}

_STATUS = _model(station_status.json_schema)
_SESSION = _model(charging_sessions.json_schema)

PAYLOADS: Mapping[str, Payload] = {
    "station-status": _STATUS,
    "station-status-rerouted": _STATUS,
    "charging-sessions": _SESSION,
    "charging-sessions-rerouted": _SESSION,
    "stations": _model(stations.json_schema, or_null=True),
    "tariffs": _model(tariffs.json_schema),
    "session-decisions": _model(session_decisions.json_schema),
    "sealed-sessions": _model(sealed_session.json_schema),
    "invoices": _model(invoice.json_schema),
    "dead-letters": Payload(
        content_type="application/octet-stream",
        headers={
            "type": "object",
            "properties": {
                dead_letter.REASON: {"enum": [reason.value for reason in Reason]},
                dead_letter.DETAIL: {
                    "type": "string",
                    "description": "One sentence for a person.",
                },
                dead_letter.TOPIC: {"type": "string"},
                dead_letter.PARTITION: _DECIMAL,
                dead_letter.OFFSET: _DECIMAL,
            },
            "required": list(dead_letter.NAMES),
        },
    ),
}
"""By topic name. Topics that are not here carry what their `carries` and `value` say."""
