"""Prometheus metrics of a worker, read when they are scraped."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from evcharge.web.state import StateReader

CONTENT_TYPE = CONTENT_TYPE_LATEST
"""What :meth:`Metrics.text` is."""


class Counted(NamedTuple):
    """A counter that the engine keeps: its help text and what its label says, comma-separated."""

    help: str
    labels: tuple[str, ...]


COUNTERS = {
    "records_accepted": Counted("Device records that passed validation.", ("topic",)),
    "records_applied": Counted("Device records that are in a table durably.", ("topic",)),
    "records_rejected": Counted("Device records sent to dead-letters.", ("topic", "reason")),
    "records_ahead": Counted(
        "Device records with a timestamp more than 5 minutes ahead of their arrival.", ("topic",)
    ),
    "offsets_skipped": Counted(
        "Offsets without a record: transaction markers, aborted records, compaction.", ("topic",)
    ),
    "records_lost": Counted(
        "Offsets that Kafka removed before they were read: retention, deleted records.", ("topic",)
    ),
    "bills_sealed": Counted("Bills of sessions written to sealed-sessions.", ("topic",)),
    "invoices_issued": Counted("Invoices written to invoices.", ("topic",)),
    "credit_notes_issued": Counted("Credit notes written to invoices.", ("topic",)),
    "records_rerouted": Counted("Device records forwarded to their own partition.", ("topic",)),
}
"""The engine's counters; one that is not listed here is exported with the label ``label``."""

Counts = Callable[[], Mapping[tuple[str, str], int]]
"""Reads counters: (name, label) to value."""

Lag = Callable[[], Mapping[tuple[str, int], int]]
"""Reads how many records of (topic, partition) wait to be applied."""


class Metrics:
    """All metrics of one worker, in a registry of their own."""

    def __init__(self, counts: Counts | None = None, lag: Lag | None = None) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        if counts is not None:
            self._registry.register(_Counters(counts))
        if lag is not None:
            self._registry.register(_Lag(lag))
        self.http_requests = Counter(
            "evcharge_http_requests",
            "HTTP requests answered.",
            ("route", "method", "status"),
            registry=self._registry,
        )
        self.http_seconds = Histogram(
            "evcharge_http_request_duration_seconds",
            "Time from an HTTP request to its answer.",
            ("route",),
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0),
            registry=self._registry,
        )

    def watch(self, reader: StateReader) -> None:
        """Export what the reader says of this worker's share of the work."""
        self._registry.register(_Share(reader))

    def text(self) -> bytes:
        """Write all metrics in Prometheus' text format."""
        return generate_latest(self._registry)


class _Counters(Collector):
    def __init__(self, counts: Counts) -> None:
        self._counts = counts

    def collect(self) -> Iterator[Metric]:
        families: dict[str, CounterMetricFamily] = {}
        for (name, label), value in self._counts().items():
            known = COUNTERS.get(name, Counted(f"{name} of the engine.", ("label",)))
            if name not in families:
                families[name] = CounterMetricFamily(
                    f"evcharge_{name}", known.help, labels=known.labels
                )
            families[name].add_metric(label.split(",", len(known.labels) - 1), value)
        yield from families.values()


class _Lag(Collector):
    def __init__(self, lag: Lag) -> None:
        self._lag = lag

    def collect(self) -> Iterator[Metric]:
        family = GaugeMetricFamily(
            "evcharge_lag_records",
            "Records that wait to be applied.",
            labels=("topic", "partition"),
        )
        for (topic, partition), records in self._lag().items():
            family.add_metric((topic, str(partition)), records)
        yield family


class _Share(Collector):
    def __init__(self, reader: StateReader) -> None:
        self._reader = reader

    def collect(self) -> Iterator[Metric]:
        yield GaugeMetricFamily(
            "evcharge_ready",
            "1 if this worker is in the group with its tables recovered.",
            value=int(self._reader.ready()),
        )
        yield GaugeMetricFamily(
            "evcharge_partitions_owned",
            "Partitions that this worker answers for.",
            value=len(self._reader.owned()),
        )
        yield GaugeMetricFamily(
            "evcharge_partitions_held",
            "Partitions of other workers of which this one has a copy.",
            value=len(self._reader.held()),
        )
