"""The settings: one frozen object, read once from the environment at the edge of the program."""

from __future__ import annotations

import difflib
import os
import re
import socket
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from evcharge.errors import SettingError
from evcharge.settings import texts

PREFIX = "EVCHARGE_"

OTHER_VARIABLES = frozenset({"EVCHARGE_CACHE_DIR"})
"""Variables with our prefix that are no settings: where the embedded broker keeps its jars."""

_LIKE = 0.85
"""How similar a variable must be to a setting to be taken for a slip of the pen (`difflib`'s ratio)."""


def _setting(default: Any, parse: Callable[[str], Any], meaning: str) -> Any:
    """Declare one setting: its default, how its text is read, and its documentation with unit."""
    if callable(default):
        return field(default_factory=default, metadata={"parse": parse, "help": meaning})
    return field(default=default, metadata={"parse": parse, "help": meaning})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that can be set, each as ``EVCHARGE_`` and the field's name in capitals."""

    broker: str = _setting(
        "kafka://127.0.0.1:9092",
        texts.broker,
        "Addresses of a Kafka of release 3.0 or newer: `kafka://host:port[;host:port…]`.",
    )
    app_id: str = _setting(
        "evcharge",
        texts.name,
        "Consumer group and the first part of changelog names; one per deployment.",
    )
    topic_prefix: str = _setting(
        "",
        texts.name_or_none,
        "Put before every topic name, so that deployments can share a cluster.",
    )
    instance_id: str = _setting(
        "",
        texts.name_or_none,
        "Name of this worker, unique in the group and the same after a restart (default: a random one,"
        " kept in DATA_DIR).",
    )
    data_dir: Path = _setting(
        Path("evcharge-data"), Path, "Directory of the worker's RocksDB state; one for each worker."
    )
    web_host: str = _setting("127.0.0.1", texts.host, "Address that the HTTP interface listens on.")
    web_port: int = _setting(6066, texts.whole(1, 65535), "Port of the HTTP interface.")
    public_url: str = _setting(
        "",
        texts.url,
        "How other workers reach this one (default: `http://WEB_HOST:WEB_PORT`, with the host's name"
        " where the worker listens on every address).",
    )
    partitions: int = _setting(
        8, texts.partitions, "Partitions of every station-keyed topic; fixed for a deployment."
    )
    replication: int = _setting(
        1, texts.whole(1, 16), "Copies of each topic's data that Kafka keeps."
    )
    min_insync: int = _setting(
        0,
        texts.whole(0, 16),
        "Copies that must have a record before it counts (0: one less than REPLICATION, at least 1).",
    )
    billing: bool = _setting(
        True,
        texts.switch,
        "`on` or `off`; off: no session is billed for the first time, for bills are made elsewhere.",
    )
    currency: str = _setting(
        "EUR", texts.currency, "ISO 4217 currency of the built-in free tariff."
    )
    default_tariff: Path | None = _setting(
        None,
        texts.file,
        "JSON file of the tariff for stations that name none (default: free of charge).",
    )
    default_time_zone: str = _setting(
        "UTC", texts.zone, "IANA time zone of stations for which the register names none."
    )
    issuer_name: str = _setting(
        "",
        texts.line,
        "Who writes the invoices; set it before the first one. A worker that bills without it warns.",
    )
    issuer_address: str = _setting(
        "", texts.line, "Its address; the page breaks the line at each `;`."
    )
    issuer_vat_id: str = _setting(
        "", texts.line, "Its VAT id; with another one, numbers begin at 1."
    )
    status_silence_s: int = _setting(
        86_400,
        texts.whole(1, 31_536_000),
        "Seconds without a word after which a connector is `unknown`. The default is the retention"
        " of `station-status`: many devices report changes only.",
    )
    max_session_s: int = _setting(
        604_800, texts.whole(60, 31_536_000), "Seconds; a longer session is held as `too-long`."
    )
    max_session_readings: int = _setting(
        20_000,
        # The record of its bill tells of each, and has to fit one of Kafka's.
        texts.whole(10, 50_000),
        "Records; a session with more is held as `too-many-readings`. At most 50,000.",
    )
    max_session_ahead_s: int = _setting(
        300,
        texts.whole(0, 86_400),
        "Seconds; a session with a record further ahead of its ingest is held as `timestamp-ahead`."
        " Beyond 24 hours it is a dead letter.",
    )
    max_leap_kwh: int = _setting(
        300,
        texts.whole(1, 1_000_000),
        "kWh; a session whose meter register grows by more from one reading to the next is held as"
        " `energy-leaped`, and a register below is taken for a session's own count where the meter's"
        " lifetime count came before. The default is more than a car takes between two readings (the"
        " largest batteries hold about 210 kWh), and less than a public meter counts in its first"
        " weeks; set it higher for trucks and ships.",
    )
    power_tolerance_percent: int = _setting(
        10,
        texts.whole(0, 1_000),
        "Percent of a connector's rated power that a session may be above it before it is held as"
        " `over-power`.",
    )
    power_tolerance_s: int = _setting(
        60,
        texts.whole(0, 3_600),
        "Seconds of that power that may come on top: the clocks of devices and the steps in which"
        " meters count are coarse.",
    )
    session_memory_days: int = _setting(
        100,
        texts.whole(1, 36_500),
        "Days after a session was closed when its row is replaced by a marker of its id; what arrives"
        " for it from then on is a dead letter `too-late`.",
    )
    max_record_bytes: int = _setting(
        65_536,
        texts.whole(1_024, 1_000_000),
        "Bytes; a larger device record is a dead letter `too-large`.",
    )
    chunk_records: int = _setting(
        5_000,
        texts.whole(1, 100_000),
        "Most records that are processed as one chunk; fewer if they would hold up HTTP requests.",
    )
    standby_replicas: int = _setting(
        1,
        texts.whole(0, 16),
        "Other workers that keep a copy of each partition's tables: they take over without a restore.",
    )
    stall_s: int = _setting(
        60,
        texts.whole(10, 86_400),
        "Seconds; a worker that makes no progress for so long while records wait and Kafka answers,"
        " or needs ten times as long for a rebalance with all its restoring, ends.",
    )
    session_timeout_s: int = _setting(
        6,
        texts.whole(2, 300),
        "Seconds without a heartbeat after which Kafka gives a worker's work to others.",
    )

    @property
    def url(self) -> str:
        """How other workers reach this one."""
        everywhere = self.web_host in {"0.0.0.0", "::"}  # noqa: S104 - compared, not bound
        host = socket.gethostname() if everywhere else self.web_host
        host = f"[{host}]" if ":" in host else host
        return self.public_url or f"http://{host}:{self.web_port}"

    @property
    def name(self) -> str:
        """Name of this worker in the logs of Kafka."""
        return self.instance_id or re.sub(r"[^A-Za-z0-9._-]", "-", socket.gethostname())[:100]

    @property
    def bootstrap(self) -> list[str]:
        """Kafka's addresses as ``host:port``."""
        return self.broker.removeprefix("kafka://").split(";")

    @property
    def insync(self) -> int:
        """``min.insync.replicas`` of every topic."""
        return self.min_insync or max(1, self.replication - 1)

    def topic(self, name: str) -> str:
        """Return the full name of a topic of the catalogue."""
        return f"{self.topic_prefix}{name}"

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read the settings.

        Raises:
            SettingError: a variable's value cannot be used, or its name is almost a setting's.
        """
        environ = os.environ if environ is None else environ
        known = {PREFIX + f.name.upper(): f for f in fields(cls)}
        _refuse_slips(environ, known)
        values: dict[str, Any] = {}
        for variable, declared in known.items():
            if variable not in environ:
                continue
            try:
                values[declared.name] = declared.metadata["parse"](environ[variable])
            except ValueError as problem:
                raise SettingError(
                    f"{variable}={environ[variable]!r} cannot be used: expected {problem}"
                ) from None
        settings = cls(**values)
        if settings.min_insync > settings.replication:
            raise SettingError(
                f"EVCHARGE_MIN_INSYNC={settings.min_insync} cannot be used: expected at most"
                f" EVCHARGE_REPLICATION={settings.replication}"
            )
        return settings


def _refuse_slips(environ: Mapping[str, str], known: Collection[str]) -> None:
    """Refuse variables that nobody reads but somebody must have meant.

    Others with our prefix are let be: Kubernetes sets some for a service that is named so.
    """
    names = [name.removeprefix(PREFIX) for name in known]
    for variable in sorted(environ):
        if (
            variable.startswith(PREFIX)
            and variable not in known
            and variable not in OTHER_VARIABLES
        ):
            name = variable.removeprefix(PREFIX)
            if meant := difflib.get_close_matches(name, names, n=1, cutoff=_LIKE):
                raise SettingError(f"{variable} is no setting: did you mean {PREFIX}{meant[0]}?")
