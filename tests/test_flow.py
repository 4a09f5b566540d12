"""``docs/flow.md`` says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from evcharge.engine.forwarding import SUFFIX
from evcharge.settings import Settings
from evcharge.topics import CATALOGUE, OUTPUT_TOPICS
from evcharge.worker import build

FLOW = (Path(__file__).parents[1] / "docs" / "flow.md").read_text(encoding="utf-8")


def documented() -> dict[str, tuple[set[str], str]]:
    """Return agent: (topics, table) of the table in the document."""
    rows = re.findall(r"^\| `([\w-]+)` \| (`.+`) \| `([\w-]+)` \|$", FLOW, re.MULTILINE)
    return {agent: (set(re.findall(r"`([\w-]+)`", topics)), table) for agent, topics, table in rows}


def test_the_documented_agents_are_the_ones_of_the_application() -> None:
    app = build(Settings(), in_memory=True)
    actual = {
        name: (set(agent.get_topic_names()), app.table_of(name).name)
        for name, agent in app.agents.items()
    }
    assert documented() == actual


def test_every_table_is_written_and_every_source_has_one_agent() -> None:
    app = build(Settings(), in_memory=True)
    assert {table for _, table in documented().values()} == set(app.tables)
    sources = [topic for topics, _ in documented().values() for topic in topics]
    assert len(set(sources)) == len(sources)


def test_every_topic_that_agents_write_is_looked_at_when_a_partition_is_taken_over() -> None:
    root = Path(__file__).parents[1]
    files = [*(root / "agents").glob("*.py"), *(root / "evcharge" / "billing").glob("*.py")]
    text = "".join(file.read_text(encoding="utf-8") for file in files)
    emitted = set(re.findall(r"settings\.topic\(\"([\w-]+)\"\)", text))
    rerouted = {topic + SUFFIX for topics, _ in documented().values() for topic in topics}
    assert emitted == {"sealed-sessions", "invoices"}
    assert {topic.name for topic in OUTPUT_TOPICS} == emitted | {"dead-letters"} | {
        topic.name for topic in CATALOGUE if topic.name in rerouted
    }


def test_a_prefix_separates_every_topic_of_a_deployment() -> None:
    app = build(Settings(topic_prefix="a."), in_memory=True)
    names = {name for agent in app.agents.values() for name in agent.get_topic_names()}
    names |= {table.changelog_topic.get_topic_name() for table in app.tables.values()}
    assert all(name.startswith("a.") for name in names)
