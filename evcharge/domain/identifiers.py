"""What an id is made of: of stations, sessions, users, tariffs, sites, bookings and events alike."""

from __future__ import annotations

import re

ID_PATTERN = r"[A-Za-z0-9._:*~+@-]{1,64}"
"""The contract's, to be matched from the first character to the last."""

ID_WORDS = "1 to 64 of the characters A-Z a-z 0-9 . _ : * ~ + @ -"
"""The same for people."""

_ID = re.compile(ID_PATTERN)


def is_id(text: str) -> bool:
    """Whether a text is an id."""
    return _ID.fullmatch(text) is not None
