"""Opaque cursors: where the next page of a list begins."""

from __future__ import annotations

import base64
import binascii
from typing import TypeVar

import msgspec

from evcharge.web.problems import bad_parameter

T = TypeVar("T")

MAX_LENGTH = 500
"""Characters; no cursor that was given out is longer."""


def encode_cursor(position: msgspec.Struct) -> str:
    """Write the position after which the next page begins; its type's tag names the list."""
    return base64.urlsafe_b64encode(msgspec.json.encode(position)).rstrip(b"=").decode()


def decode_cursor(cursor: str, kind: type[T]) -> T:
    """Read a cursor that this list has given out.

    Raises:
        ProblemError: it is from another list or from nowhere.
    """
    try:
        if len(cursor) > MAX_LENGTH:
            raise ValueError("too long")
        padded = cursor + "=" * (-len(cursor) % 4)
        position = base64.b64decode(padded, altchars=b"-_", validate=True)
        return msgspec.json.decode(position, type=kind)
    except (ValueError, binascii.Error):
        raise bad_parameter("cursor", "the `next` of an earlier answer of this list") from None
