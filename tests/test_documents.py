"""The generated reference documents: committed as the code says, and true to their formats."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from evcharge.documents import GENERATED, write
from evcharge.domain.status_report import Status
from evcharge.settings import PREFIX, Settings
from evcharge.topics import CATALOGUE, Writer

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(page for folder in (ROOT, DOCS, DOCS / "adr") for page in folder.glob("*.md"))


@pytest.mark.parametrize("name", GENERATED)
def test_a_generated_document_is_current(name: str) -> None:
    committed = (DOCS / name).read_text(encoding="utf-8")

    assert committed == GENERATED[name](), f"docs/{name} is out of date: run `make docs`"


def test_writing_again_changes_nothing(tmp_path: Path) -> None:
    assert {file.name for file in write(tmp_path)} == set(GENERATED)
    assert write(tmp_path) == []


def test_every_setting_is_documented() -> None:
    text = GENERATED["settings.md"]()

    assert re.findall(r"^\| `(\w+)`", text, re.MULTILINE) == [
        PREFIX + field.name.upper() for field in fields(Settings)
    ]


@pytest.mark.parametrize("name", ["asyncapi.json", "openapi.json"])
def test_every_reference_in_a_document_leads_somewhere(name: str) -> None:
    text = GENERATED[name]()
    document = json.loads(text)

    references = set(re.findall(r'"\$ref": "#/([^"]+)"', text))
    assert references
    for reference in references:
        found = document
        for part in reference.split("/"):
            found = found[part.replace("~1", "/").replace("~0", "~")]


def test_every_topic_is_in_the_asyncapi_document_with_its_writer() -> None:
    document = json.loads(GENERATED["asyncapi.json"]())

    assert list(document["channels"]) == [topic.name for topic in CATALOGUE]
    for topic in CATALOGUE:
        actions = {
            operation["action"]
            for operation in document["operations"].values()
            if operation["channel"]["$ref"] == f"#/channels/{topic.name}"
        }
        assert actions == {"send" if topic.writer is Writer.EVCHARGE else "receive"}


@pytest.mark.parametrize("topic", ["station-status", "charging-sessions", "stations", "tariffs"])
def test_what_others_write_has_a_schema(topic: str) -> None:
    message = json.loads(GENERATED["asyncapi.json"]())["components"]["messages"][topic]

    assert message["payload"]


@pytest.mark.parametrize("topic", ["session-decisions", "sealed-sessions", "invoices"])
def test_every_member_of_what_billing_writes_is_described(topic: str) -> None:
    document = json.loads(GENERATED["asyncapi.json"]())
    payload = document["components"]["messages"][topic]["payload"]

    told = dict(_members(payload, document["components"]["schemas"]))

    assert payload["properties"]["v"]["const"] == 1
    assert [name for name, words in told.items() if not words] == []
    # What a device has to keep to is no promise about these.
    assert [name for name, words in told.items() if "append time." in words] == []


def _members(schema: dict[str, Any], shared: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each member of an object, and of the objects of ours in it, with its description."""
    for name, member in schema.get("properties", {}).items():
        yield f"{schema['title']}.{name}", member.get("description", "")
    for name in re.findall(r"#/components/schemas/(\w+)", json.dumps(schema)):
        # OCPI describes its own.
        if not name.startswith(("Tariff", "Price")):
            yield from _members(shared[name], shared)


def test_the_page_of_statuses_has_each_of_them_once() -> None:
    page = (DOCS / "statuses.md").read_text(encoding="utf-8")

    assert re.findall(r"^\| `(\w+)`", page, re.MULTILINE) == [each.value for each in Status]


def test_the_openapi_document_has_the_paths_of_the_contract() -> None:
    paths = json.loads(GENERATED["openapi.json"]())["paths"]

    # Those of reservations and operations, and of event streams, are not there yet.
    assert {(method, path) for path, methods in paths.items() for method in methods} == {
        ("get", "/v1/stations"),
        ("get", "/v1/stations/{station_id}"),
        ("get", "/v1/stations/{station_id}/sessions"),
        ("get", "/v1/sessions"),
        ("get", "/v1/sessions/{session_id}"),
        ("get", "/v1/sessions/{session_id}/evidence"),
        ("post", "/v1/sessions/{session_id}/decisions"),
        ("get", "/v1/invoices/{invoice_id}"),
        ("get", "/v1/users/{user_id}/invoices"),
        ("post", "/v1/quotes"),
        ("get", "/healthz"),
        ("get", "/readyz"),
        ("get", "/metrics"),
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_to_a_file_leads_to_one(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8"))
    files = [link for link in links if not re.match(r"[a-z]+:", link)]

    assert [link for link in files if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_setting_that_a_page_names_exists(page: Path) -> None:
    # Where the embedded broker keeps its jars: no setting of a deployment.
    others = {"EVCHARGE_CACHE_DIR"}
    named = set(re.findall(r"EVCHARGE_[A-Z_]*[A-Z]", page.read_text(encoding="utf-8")))

    assert named - others <= {PREFIX + field.name.upper() for field in fields(Settings)}
