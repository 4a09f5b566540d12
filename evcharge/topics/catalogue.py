"""Every topic of a deployment, once: key, value, retention and single writer, in the flow's order.

``CATALOGUE`` is the contract's table. ``setup`` creates what is missing of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from evcharge.kafka.batches import MAX_RECORD_BYTES
from evcharge.settings import Settings

DAY_MS = 86_400_000
MIB = 1 << 20


class Writer(StrEnum):
    """Who alone appends to a topic."""

    DEVICES = "devices"
    OPERATOR = "operator"
    EVCHARGE = "evcharge"


class Cleanup(StrEnum):
    """What Kafka does with old records."""

    DELETE = "delete"
    COMPACT = "compact"


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """One topic of the catalogue; its full name has the deployment's prefix."""

    name: str
    key: str
    value: str
    """What the JSON value is."""
    writer: Writer
    retention_ms: int | None
    """``None``: unlimited."""
    carries: str
    cleanup: Cleanup = Cleanup.DELETE
    partitioned: bool = True
    """As many partitions as ``EVCHARGE_PARTITIONS``; otherwise one."""
    max_record_bytes: int = MIB
    """Kafka's limit for a record batch, so for the largest record with its headers."""

    def partitions(self, settings: Settings) -> int:
        """Return how many partitions the topic has in this deployment."""
        return settings.partitions if self.partitioned else 1

    def config(self, settings: Settings) -> dict[str, str]:
        """Return the topic's settings under Kafka's names, those that we rely on only."""
        config = {
            "cleanup.policy": self.cleanup.value,
            "message.timestamp.type": "LogAppendTime",
            "min.insync.replicas": str(settings.insync),
            "max.message.bytes": str(self.max_record_bytes),
        }
        if self.writer is not Writer.EVCHARGE:
            # The broker then unpacks what arrives, checks each record, and applies the limit to what it
            # unpacked. Otherwise a megabyte could become a gigabyte in a worker, and a record in it too
            # large for `dead-letters`. Producers may compress as they like.
            config["compression.type"] = "uncompressed"
        if self.cleanup is Cleanup.DELETE:
            # Both: a broker's default limit in bytes would cut an unlimited retention short.
            config["retention.ms"] = str(-1 if self.retention_ms is None else self.retention_ms)
            config["retention.bytes"] = "-1"
        return config


STATION_STATUS = Topic(
    name="station-status",
    key="station_id",
    value="status event",
    writer=Writer.DEVICES,
    retention_ms=DAY_MS,
    carries="connector status changes and heartbeats",
)
CHARGING_SESSIONS = Topic(
    name="charging-sessions",
    key="station_id",
    value="session event",
    writer=Writer.DEVICES,
    retention_ms=400 * DAY_MS,
    carries="session start, updates, end; closed sessions",
)
# A rerouted record is a device record with headers that say where it came from. Names of headers that
# are not UTF-8 become up to four times as long (`evcharge.kafka.lenient_fetch`), as in
# `dead-letters`.
STATION_STATUS_REROUTED = Topic(
    name="station-status-rerouted",
    key="station_id",
    value="status event",
    writer=Writer.EVCHARGE,
    retention_ms=STATION_STATUS.retention_ms,
    carries="records of station-status that sat in a partition of another station",
    max_record_bytes=MAX_RECORD_BYTES,
)
CHARGING_SESSIONS_REROUTED = Topic(
    name="charging-sessions-rerouted",
    key="station_id",
    value="session event",
    writer=Writer.EVCHARGE,
    retention_ms=CHARGING_SESSIONS.retention_ms,
    carries="records of charging-sessions that sat in a partition of another station",
    max_record_bytes=MAX_RECORD_BYTES,
)
STATIONS = Topic(
    name="stations",
    key="station_id",
    value="station of the register, null removes it",
    writer=Writer.OPERATOR,
    retention_ms=None,
    carries="the register, every version",
    partitioned=False,
)
TARIFFS = Topic(
    name="tariffs",
    key="tariff_id",
    value="OCPI 2.2.1 Tariff",
    writer=Writer.OPERATOR,
    retention_ms=None,
    carries="OCPI 2.2.1 Tariff objects, every version",
    partitioned=False,
)
# Not kept uncompressed: thousands of re-ratings bring the same tariff, each the whole of it.
SESSION_DECISIONS = Topic(
    name="session-decisions",
    key="station_id",
    value="decision about a session",
    writer=Writer.EVCHARGE,
    retention_ms=None,
    carries="what persons and re-ratings decided about sessions",
)
SEALED_SESSIONS = Topic(
    name="sealed-sessions",
    key="station_id",
    value="sealed session",
    writer=Writer.EVCHARGE,
    retention_ms=None,
    carries="each bill of an ended session, with its segments, terms, cost and evidence",
    max_record_bytes=MAX_RECORD_BYTES,
)
INVOICES = Topic(
    name="invoices",
    key="station_id",
    value="invoice or credit note",
    writer=Writer.EVCHARGE,
    retention_ms=None,
    carries="invoices and credit notes",
    max_record_bytes=MAX_RECORD_BYTES,
)
RESERVATIONS = Topic(
    name="reservations",
    key="station_id",
    value="booking request or decision",
    writer=Writer.EVCHARGE,
    retention_ms=None,
    carries="booking requests and decisions",
)
ALERTS = Topic(
    name="alerts",
    key="station_id",
    value="alert",
    writer=Writer.EVCHARGE,
    retention_ms=400 * DAY_MS,
    carries="raised and cleared alerts",
)
WORK_ORDERS = Topic(
    name="work-orders",
    key="station_id",
    value="work order",
    writer=Writer.EVCHARGE,
    retention_ms=None,
    carries="maintenance work",
)
DEAD_LETTERS = Topic(
    name="dead-letters",
    key="original key",
    value="original bytes",
    writer=Writer.EVCHARGE,
    retention_ms=400 * DAY_MS,
    carries="the untouched bytes of every rejected record",
    max_record_bytes=MAX_RECORD_BYTES,
)
# Group offsets would do, but Kafka forgets those of a group without members after a week.
DEAD_LETTERS_REDRIVEN = Topic(
    name="dead-letters-redriven",
    key="filter of a redrive",
    value="next offset of each partition of dead-letters",
    writer=Writer.EVCHARGE,
    retention_ms=None,
    carries="how far `dead-letters redrive` has come",
    cleanup=Cleanup.COMPACT,
    partitioned=False,
)

CATALOGUE = (
    STATION_STATUS,
    STATION_STATUS_REROUTED,
    CHARGING_SESSIONS,
    CHARGING_SESSIONS_REROUTED,
    STATIONS,
    TARIFFS,
    SESSION_DECISIONS,
    SEALED_SESSIONS,
    INVOICES,
    RESERVATIONS,
    ALERTS,
    WORK_ORDERS,
    DEAD_LETTERS,
    DEAD_LETTERS_REDRIVEN,
)

DEVICE_TOPICS = (STATION_STATUS, CHARGING_SESSIONS)
REROUTED_TOPICS = (STATION_STATUS_REROUTED, CHARGING_SESSIONS_REROUTED)
OUTPUT_TOPICS = (*REROUTED_TOPICS, SEALED_SESSIONS, INVOICES, DEAD_LETTERS)
"""Those that agents write, in one transaction with their rows."""

TABLES = ("station-status", "charging-sessions")
"""The tables, each with a changelog topic."""


def changelog_topic(settings: Settings, table_name: str) -> Topic:
    """Return the changelog of a table; without a prefix it has the name that Faust itself would use.

    The name comes from the application's id, so that deployments on one cluster do not meet.
    """
    return Topic(
        name=f"{settings.app_id}-{table_name}-changelog",
        key="row key",
        value="row",
        writer=Writer.EVCHARGE,
        retention_ms=None,
        carries=f"the rows of the table {table_name}",
        cleanup=Cleanup.COMPACT,
        max_record_bytes=MAX_RECORD_BYTES,
    )


def deployment_topics(settings: Settings) -> tuple[Topic, ...]:
    """Return all topics of a deployment: the catalogue, then the changelogs of the tables."""
    return (*CATALOGUE, *(changelog_topic(settings, table) for table in TABLES))
