"""`/healthz`, `/readyz` and `/metrics`."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from evcharge.web.metrics import Metrics
from tests.web.fake_worker import Data, group


def samples(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Read the text as Prometheus does."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def sample(name: str, **labels: str) -> tuple[str, frozenset[tuple[str, str]]]:
    return (name, frozenset(labels.items()))


async def test_a_worker_is_alive_before_it_is_ready() -> None:
    async with group(Data()) as workers:
        worker = await workers.worker([])
        worker.reader.is_ready = False
        alive, ready = await worker.get("/healthz"), await worker.get("/readyz")

    assert (alive.status, alive.json) == (200, {"status": "alive"})
    assert ready.status == 503
    assert ready.headers["Content-Type"] == "application/problem+json"
    assert ready.headers["Retry-After"] == "1"


async def test_a_worker_without_partitions_can_be_ready() -> None:
    async with group(Data()) as workers:
        answer = await (await workers.worker([])).get("/readyz")

    assert (answer.status, answer.json) == (200, {"status": "ready", "partitions": []})


async def test_metrics_tell_what_the_engine_counts_by_topic_and_reason() -> None:
    metrics = Metrics(
        counts=lambda: {
            ("records_applied", "station-status"): 5,
            ("records_applied", "charging-sessions"): 7,
            ("records_rejected", "station-status,not-json"): 2,
            ("records_rerouted", "station-status"): 1,
            ("something_new", "label"): 3,
        },
        lag=lambda: {("station-status", 3): 11},
    )

    async with group(Data()) as workers:
        answer = await (await workers.worker([1, 2], copies=[3], metrics=metrics)).get("/metrics")

    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    found = samples(answer.text)
    assert found[sample("evcharge_records_applied_total", topic="station-status")] == 5
    assert found[sample("evcharge_records_applied_total", topic="charging-sessions")] == 7
    rejected = sample("evcharge_records_rejected_total", topic="station-status", reason="not-json")
    assert found[rejected] == 2
    assert found[sample("evcharge_records_rerouted_total", topic="station-status")] == 1
    assert found[sample("evcharge_something_new_total", label="label")] == 3
    assert found[sample("evcharge_lag_records", topic="station-status", partition="3")] == 11
    assert found[sample("evcharge_partitions_owned")] == 2
    assert found[sample("evcharge_partitions_held")] == 1
    assert found[sample("evcharge_ready")] == 1
    assert found[sample("process_cpu_seconds_total")] > 0


async def test_requests_are_counted_by_route_so_that_paths_from_outside_make_no_labels() -> None:
    async with group(Data()) as workers:
        worker = await workers.worker()
        for path in ("/v1/stations/a", "/v1/stations/b", "/nowhere/1", "/nowhere/2"):
            await worker.get(path)
        await worker.get("/nowhere", method="PURGE")
        found = samples((await worker.get("/metrics")).text)

    requests = "evcharge_http_requests_total"
    route = "/v1/stations/{station_id}"
    assert found[sample(requests, route=route, method="GET", status="404")] == 2
    assert found[sample(requests, route="unknown path", method="GET", status="404")] == 2
    assert found[sample(requests, route="unknown path", method="other", status="404")] == 1
    assert found[sample("evcharge_http_request_duration_seconds_count", route=route)] == 2


async def test_workers_in_one_process_count_for_themselves() -> None:
    async with group(Data()) as workers:
        one, other = await workers.worker([0]), await workers.worker([1])
        await one.get("/healthz")
        text = (await other.get("/metrics")).text

    assert "/healthz" not in text
