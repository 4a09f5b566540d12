"""Whatever somebody changed in an invoice, a credit note or a sealed record, the audit finds it.

What can be changed is read from the documents themselves: a member that they get tomorrow is tried, too.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import pytest
from click.testing import CliRunner
from faust.cli.base import cli

import evcharge.commands.rerate  # noqa: F401 - registers the command
from evcharge.settings import Settings
from evcharge.verification import report
from tests.agents.memory_step import MemoryStep
from tests.commands.billed import INVOICES, SEALED, Billed, Written
from tests.domain.billing_desk import correct, void
from tests.domain.session_records import end, minute, start, update

pytestmark = pytest.mark.broker

Path_: TypeAlias = tuple[str | int, ...]

GIVEN = re.compile(
    r"connector_id|revision|evidence(\..*)?|decision(\..*)?|segments\.\d+\.[34]"
    r"|terms\.max_power_kw"
)
"""Of a sealed record: what nothing else in the two topics follows from. `verify` compares it with the
records that the session is of. (Here no price depends on power or current.)"""


class Kind(NamedTuple):
    """One of the documents that each session of this test has."""

    topic: str
    members: dict[str, Any]
    """Which one it is."""

    def is_of(self, document: dict[str, Any]) -> bool:
        return {name: document.get(name) for name in self.members} == self.members


KINDS = {
    "credited invoice": Kind(INVOICES, {"kind": "invoice", "energy_kwh": "10"}),
    "standing invoice": Kind(INVOICES, {"kind": "invoice", "energy_kwh": "5"}),
    "credit note": Kind(INVOICES, {"kind": "credit_note", "energy_kwh": "10"}),
    "sealed record": Kind(SEALED, {"bill": 1}),
    "sealed record of a correction": Kind(SEALED, {"bill": 2}),
    "void record": Kind(SEALED, {"state": "void"}),
}


class Change(NamedTuple):
    """What is done to one document of one session."""

    kind: Kind
    path: Path_
    value: Any
    """None behind a path that ends in ``+`` or ``-``: a member more, or one less."""

    def __str__(self) -> str:
        return f"{self.kind.members}: {'.'.join(map(str, self.path))}"


def happen(step: MemoryStep, session: tuple[str, str], *, is_void: bool) -> None:
    """Let a session happen, and be corrected; then make it void, or not."""
    station_id, session_id = session
    step.take(
        *(
            each._replace(station_id=station_id, session_id=session_id)
            for each in (
                start(0, user_id="U1", meter=100.0),
                update(30, meter=104.0, power_mw=8_000_000),
                end(60, meter=110.0),
            )
        )
    )
    step.decide(correct(3, energy=5, ingest_us=minute(90)), session)
    if is_void:
        step.decide(void(3, ingest_us=minute(100)), session)


def leaves(value: Any, path: Path_ = ()) -> Iterator[tuple[Path_, Any]]:
    """Yield each value that has no parts, and each array or object, emptied."""
    if isinstance(value, dict | list) and value:
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for name, part in items:
            yield from leaves(part, (*path, name))
        if path:
            yield path, type(value)()
    else:
        yield path, other(value)


def other(value: Any) -> Any:
    """Return another value of the same kind: an instant of another hour, one more, a letter more."""
    if value is None:
        return "1"
    if isinstance(value, int):
        return value + 1
    if isinstance(value, float):
        return value + 0.5
    if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", value):
        return value + ("1" if "." in value else ".01")
    if re.match(r"\d{4}-\d{2}-\d{2}T", value):
        return value.replace(value[:4], str(int(value[:4]) + 1))
    return value + "X" if value else "X"


def changes(step: MemoryStep) -> Iterator[Change]:
    """Yield every change of every kind of document; what is `GIVEN` is left out."""
    for number, kind in enumerate(KINDS.values()):
        session = f"EV-{number}", f"S{number}"
        happen(step, session, is_void=kind is KINDS["void record"])
        (document,) = (
            each
            for each in step.records(kind.topic)
            if each["station_id"] == session[0] and kind.is_of(each)
        )
        tried = [*leaves(document), (("+",), None), *(((name, "-"), None) for name in document)]
        for path, value in tried:
            told = ".".join(str(each) for each in path if each != "-")
            if kind.topic != SEALED or not (GIVEN.fullmatch(told) or path == ("+",)):
                yield Change(kind, path, value)


def changed(document: dict[str, Any], change: Change) -> bytes:
    """Return a document as it is after a change."""
    made = copy.deepcopy(document)
    if change.path == ("+",):
        made["surcharge"] = "1.00"
    elif change.path[-1] == "-":
        del made[str(change.path[0])]
    else:
        at: Any = made
        for step in change.path[:-1]:
            at = at[step]
        assert at[change.path[-1]] != change.value
        at[change.path[-1]] = change.value
    return json.dumps(made).encode()


def test_whatever_somebody_changed_is_found(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(report, "MOST_DETAILS", 100_000)
    tried = {
        f"S{number}": change
        for number, change in enumerate(changes(Billed(settings, tmp_path).step), 1_000)
    }
    billed = Billed(settings, tmp_path)
    names = {}

    def change(written: Written) -> bytes:
        document = json.loads(written.value)
        session_id = document.get("session_id") or document["subject"]["session_id"]
        if written.topic == INVOICES:
            names[document["invoice_id"]] = session_id
        done = tried[session_id]
        is_meant = done.kind.topic == written.topic and done.kind.is_of(document)
        return changed(document, done) if is_meant else written.value

    billed.change = change
    for session_id, done in tried.items():
        station = f"EV-{session_id}", session_id
        happen(billed.step, station, is_void=done.kind is KINDS["void record"])
    billed.publish()

    result = CliRunner().invoke(cli, ["rerate", "--json"])

    assert result.stdout, result.exception
    found = json.loads(result.stdout)["differences"]
    told = " ".join(detail for each in found for detail in each["details"])
    for name, session_id in names.items():
        told = told.replace(name, session_id)
    named = set(re.findall(r"\bS\d{4}\b", told))
    assert [str(done) for session_id, done in tried.items() if session_id not in named] == []
