"""The rows of a CSV file of closed sessions: header `session_id,station_id,start_time,…`."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from evcharge.domain.identifiers import ID_WORDS, is_id
from evcharge.domain.quantities import TimestampError, parse_timestamp
from evcharge.errors import CommandError
from evcharge.events.fields import MAX_CONNECTOR, MAX_KWH, MAX_TIMESTAMP

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

REQUIRED = ("session_id", "station_id", "start_time", "end_time", "energy_kwh", "user_id")

# JSON's number, which is published as it stands.
_ENERGY = re.compile(r"(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_CONNECTOR = re.compile(r"[1-9][0-9]{0,3}")


@dataclass(frozen=True, slots=True)
class ClosedSession:
    """One row. Texts are the file's own; `_us` are the same instants in microseconds."""

    line: int
    """Where the row ends in the file, counted from 1."""
    session_id: str
    station_id: str
    start_time: str
    end_time: str
    energy_kwh: str
    """The text of a JSON number."""
    user_id: str | None
    connector_id: int | None
    start_us: int
    end_us: int

    @property
    def first_us(self) -> int:
        """The earlier of its two instants (a broken clock can end a session before its start)."""
        return min(self.start_us, self.end_us)


def read(path: Path) -> Iterator[ClosedSession]:
    """Yield the rows one by one; lines that are empty are passed over.

    Raises:
        CommandError: the file cannot be read, or a row cannot be used; names the line.
    """
    try:
        # utf-8-sig drops the byte order mark that spreadsheets write; csv wants newline="".
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from _rows(path, file)
    except OSError as problem:
        raise CommandError(f"{path} cannot be read: {problem.strerror}") from None
    except UnicodeDecodeError:
        raise CommandError(f"{path} is not UTF-8 text") from None


def _rows(path: Path, file: TextIO) -> Iterator[ClosedSession]:
    lines = csv.reader(file, strict=True)
    try:
        header = next(lines, [])
        _check_header(path, header)
        for cells in lines:
            if cells:
                yield _row(path, lines.line_num, header, cells)
    except csv.Error as problem:
        raise CommandError(f"{path} line {lines.line_num}: {problem}") from None


def _check_header(path: Path, header: list[str]) -> None:
    if not header:
        raise CommandError(f"{path} is empty: expected the header {','.join(REQUIRED)}")
    missing = [name for name in REQUIRED if name not in header]
    if missing:
        raise CommandError(f"{path} line 1: the header lacks {', '.join(missing)}")
    if twice := sorted({name for name in header if header.count(name) > 1}):
        raise CommandError(f"{path} line 1: the header names {', '.join(twice)} more than once")


def _row(path: Path, line: int, header: list[str], cells: list[str]) -> ClosedSession:
    def bad(what: str) -> CommandError:
        return CommandError(f"{path} line {line}: {what}")

    if len(cells) != len(header):
        raise bad(f"{len(cells)} cells, but the header has {len(header)}")
    row: Mapping[str, str] = dict(zip(header, cells, strict=True))
    for name in ("session_id", "station_id", "user_id"):
        if not is_id(row[name]) and (name != "user_id" or row[name]):
            raise bad(f"{name} {row[name]!r} is not {ID_WORDS}")
    energy = row["energy_kwh"]
    if len(energy) > 64 or not _ENERGY.fullmatch(energy) or float(energy) > MAX_KWH:
        raise bad(f"energy_kwh {energy!r} is not a number of kWh such as 22.5")
    connector = row.get("connector_id", "")
    if connector and not (_CONNECTOR.fullmatch(connector) and int(connector) <= MAX_CONNECTOR):
        raise bad(f"connector_id {connector!r} is not a whole number from 1 to {MAX_CONNECTOR}")
    instants = {}
    for name in ("start_time", "end_time"):
        try:
            if len(row[name]) > MAX_TIMESTAMP:
                raise TimestampError(f"expected at most {MAX_TIMESTAMP} characters")
            instants[name] = parse_timestamp(row[name])
        except TimestampError as problem:
            raise bad(f"{name} {row[name]!r} cannot be used: {problem}") from None
    return ClosedSession(
        line=line,
        session_id=row["session_id"],
        station_id=row["station_id"],
        start_time=row["start_time"],
        end_time=row["end_time"],
        energy_kwh=energy,
        user_id=row["user_id"] or None,
        connector_id=int(connector) if connector else None,
        start_us=instants["start_time"],
        end_us=instants["end_time"],
    )
