"""One endpoint: the handler that answers it together with all that its documentation says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from aiohttp.typedefs import Handler
from pydantic import BaseModel


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter in the path or the query."""

    name: str
    help: str
    schema: dict[str, Any] = field(default_factory=lambda: {"type": "string"})


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A request that the public interface answers."""

    path: str
    handler: Handler
    help: str
    answer: type[BaseModel] | str
    """The model of its JSON, or the media type of something else."""
    parameters: tuple[Parameter, ...] = ()
    problems: tuple[int, ...] = ()
    """Status codes that it may answer besides 200."""
    method: str = "GET"
    body: type[BaseModel] | None = None
    """The model of the JSON that is sent with it."""
