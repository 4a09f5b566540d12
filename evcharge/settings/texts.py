"""How the text of a variable is read; a text that cannot be used raises what was expected instead."""

from __future__ import annotations

import ipaddress
import re
import zoneinfo
from collections.abc import Callable
from pathlib import Path


def broker(text: str) -> str:
    """Read Kafka's addresses."""
    addresses = text.removeprefix("kafka://").split(";")
    if not text.startswith("kafka://") or not all(map(_is_address, addresses)):
        raise ValueError(
            "kafka://host:port (an IPv6 address in brackets, a port from 1 to 65535), more brokers"
            " separated by ';'"
        )
    return text


def _is_address(text: str) -> bool:
    match = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+)\]|[^:/\s\[\]]+):([0-9]{1,5})", text)
    return (
        match is not None
        and 1 <= int(match[2]) <= 65_535
        and (match[1] is None or _is_ipv6(match[1]))
    )


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


def name(text: str) -> str:
    """Read a name that can be part of a topic's."""
    # So long that the longest name of a topic made from it stays within Kafka's 249 characters.
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,100}", text) or not text.strip("."):
        raise ValueError("1 to 100 of the characters A-Z a-z 0-9 . _ -, not dots alone")
    return text


def name_or_none(text: str) -> str:
    """Read a name, or nothing."""
    return name(text) if text else ""


def host(text: str) -> str:
    """Read an address to listen on."""
    address = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,253}", text) and not _is_ipv6(address):
        raise ValueError("an address or host name to listen on")
    return address


def url(text: str) -> str:
    """Read the address of a worker, or nothing."""
    if text and not re.fullmatch(r"https?://[^\s/]+/?", text):
        raise ValueError("http://host:port as other workers reach this one")
    return text.rstrip("/")


def whole(least: int, most: int) -> Callable[[str], int]:
    """Return what reads a whole number between two others."""

    def parse(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,18}", text) or not least <= int(text) <= most:
            raise ValueError(f"a whole number from {least} to {most}")
        return int(text)

    return parse


def partitions(text: str) -> int:
    """Read a number of partitions."""
    if text not in {"1", "2", "4", "8", "16", "32", "64"}:
        raise ValueError("1, 2, 4, 8, 16, 32 or 64")
    return int(text)


def switch(text: str) -> bool:
    """Read whether something is switched on."""
    if text not in {"on", "off"}:
        raise ValueError("on or off")
    return text == "on"


def currency(text: str) -> str:
    """Read the code of a currency."""
    if not re.fullmatch(r"[A-Z]{3}", text):
        raise ValueError("an ISO 4217 code such as EUR")
    return text


def line(text: str) -> str:
    """One line of text for people."""
    if len(text) > 500 or not text.isprintable():
        raise ValueError("one line of at most 500 printable characters")
    return text


def zone(text: str) -> str:
    """Read the name of a time zone."""
    try:
        zoneinfo.ZoneInfo(text)
    except (ValueError, OSError, KeyError):
        raise ValueError("an IANA time zone such as Europe/Paris") from None
    return text


def file(text: str) -> Path | None:
    """Read the path of a file, or nothing."""
    if not text:
        return None
    path = Path(text)
    try:
        if not path.is_file():
            raise FileNotFoundError
        path.open("rb").close()
    except (OSError, ValueError):
        raise ValueError("the path of a readable file") from None
    return path
