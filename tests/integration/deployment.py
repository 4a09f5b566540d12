"""Worker processes and plain clients of one deployment, as its users have them."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from evcharge.broker.ports import free_port
from evcharge.demo.applied import applied
from evcharge.settings import Settings
from tests.eventually import PATIENCE_S, eventually
from tests.read_topic import read_topic

ROOT = Path(__file__).parents[2]


class Worker:
    """One worker process."""

    def __init__(self, deployment: Deployment, name: str, variables: Mapping[str, str]) -> None:
        self.name = name
        self._variables = variables
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._deployment = deployment
        self._log = deployment.directory / f"{name}.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, program: str = "evcharge", **more: str) -> Worker:
        """Start (again) and return at once; ``more`` are variables of its environment."""
        environment = {
            **self._deployment.environment,
            "EVCHARGE_INSTANCE_ID": self.name,
            "EVCHARGE_DATA_DIR": str(self._deployment.directory / self.name),
            "EVCHARGE_WEB_PORT": str(self.port),
            **self._variables,
            **more,
        }
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", program, "worker", "-l", "info"],
                cwd=ROOT,
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        return self

    def ready(self) -> Worker:
        """Wait until it is ready."""
        eventually(self._is_ready, what=f"{self.name} becoming ready")
        return self

    def _is_ready(self) -> bool:
        assert self.process.poll() is None, f"{self.name} ended:\n{self.log()}"
        try:
            return bool(self.get("/readyz")[0] == 200)
        except OSError:
            return False

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None
        return self._process

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """End it without a warning."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """Ask it to end, return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def pause(self) -> None:
        """Freeze it (SIGSTOP)."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on after :meth:`pause`."""
        self.process.send_signal(signal.SIGCONT)

    def log(self, *, whole: bool = False) -> str:
        """What it wrote, or only the end of it."""
        text = self._log.read_text(errors="replace")
        return text if whole else text[-6000:]

    def get(self, path: str) -> tuple[int, Any]:
        """Return status and body of a GET; numbers of the body are exact."""
        return self._ask(urllib.request.Request(self.url + path))

    def post(self, path: str, body: Mapping[str, Any]) -> tuple[int, Any]:
        """Return status and body of a POST of JSON."""
        headers = {"Content-Type": "application/json"}
        return self._ask(urllib.request.Request(self.url + path, _json(body), headers))

    def _ask(self, request: urllib.request.Request) -> tuple[int, Any]:
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, _body(answer)
        except urllib.error.HTTPError as problem:
            with problem:
                return problem.code, _body(problem)

    def _fresh(self, path: str) -> Any:
        status, body = self.get(path)
        assert status == 200, body
        return None if body.get("stale") else body

    def pages(self, path: str, field: str) -> Iterable[dict[str, Any]]:
        """Yield the items of a list over all of its pages."""
        cursor = ""
        while True:
            separator = "&" if "?" in path else "?"
            page = f"{path}{separator}limit=1000{cursor}"
            # A worker that is slow on a busy machine is answered for by a copy.
            body = eventually(lambda page=page: self._fresh(page), what=f"a fresh {page}")  # type: ignore[misc]
            assert not body.get("partial"), body
            yield from body[field]
            if body["next"] is None:
                return
            cursor = f"&cursor={body['next']}"


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value).encode()


def _body(answer: Any) -> Any:
    raw = answer.read()
    if "json" in (answer.headers.get("Content-Type") or ""):
        return json.loads(raw, parse_float=Decimal)
    return raw.decode()


def metric(worker: Worker, name: str) -> float:
    """Return the sum of a metric over its labels."""
    return sum(
        float(line.split()[-1])
        for line in worker.get("/metrics")[1].splitlines()
        if line.startswith((f"{name}{{", f"{name} "))
    )


class Deployment:
    """Settings, workers and Kafka clients of one deployment."""

    def __init__(self, bootstrap: str, name: str, directory: Path) -> None:
        self.bootstrap = bootstrap
        self.directory = directory
        self.variables = {
            "EVCHARGE_BROKER": "kafka://" + bootstrap.replace(",", ";"),
            "EVCHARGE_APP_ID": name,
            "EVCHARGE_TOPIC_PREFIX": f"{name}.",
        }
        self._workers: list[Worker] = []
        self._started: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for started in self._started:
            started.kill()
            started.wait()
        for worker in self._workers:
            if worker.alive:
                worker.kill()
            if problem is not None:
                print(f"--- log of {worker.name}\n{worker.log()}")  # noqa: T201

    @property
    def environment(self) -> dict[str, str]:
        """The environment of the deployment's processes."""
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("EVCHARGE_")}
        return inherited | self.variables | {"PYTHONPATH": str(ROOT)}

    @property
    def settings(self) -> Settings:
        return Settings.from_env(self.variables)

    def worker(self, name: str = "worker-1", **variables: str) -> Worker:
        """Return a new worker, not yet started."""
        worker = Worker(self, name, variables)
        self._workers.append(worker)
        return worker

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the program to its end."""
        return subprocess.run(
            [sys.executable, "-m", "evcharge", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def background(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a command of the program; it is killed at the end if it still runs."""
        started = subprocess.Popen(
            [sys.executable, "-m", "evcharge", *arguments],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._started.append(started)
        return started

    async def produce(
        self,
        topic: str,
        values: Iterable[Mapping[str, Any] | bytes | None],
        *,
        partition: int | None = None,
        key: bytes | None = None,
    ) -> None:
        """Send values with a plain client; without partition and key it chooses any."""
        producer = AIOKafkaProducer(
            bootstrap_servers=self.bootstrap, acks="all", max_request_size=4 << 20
        )
        await producer.start()
        try:
            sent = [
                await producer.send(
                    self.settings.topic(topic),
                    value if value is None or isinstance(value, bytes) else _json(value),
                    key=key,
                    partition=partition,
                )
                for value in values
            ]
            for each in sent:
                await each
        finally:
            await producer.stop()

    async def delete_topic(self, topic: str) -> None:
        """Delete a topic and return when it is gone."""
        name = self.settings.topic(topic)
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            await admin.delete_topics([name])
            async with asyncio.timeout(PATIENCE_S):
                while name in await admin.list_topics():  # noqa: ASYNC110 - only Kafka knows
                    await asyncio.sleep(0.1)
        finally:
            await admin.close()

    async def applied(self) -> None:
        """Wait until everything in the device topics now is durable in the tables."""
        done = await applied(self.settings, PATIENCE_S)
        logs = "".join(f"\n--- log of {each.name}\n{each.log()}" for each in self._workers)
        assert done, f"not everything was applied in time{logs}"

    async def records(self, topic: str) -> list[Any]:
        """Return everything in a topic now, by partition and offset."""
        return await read_topic(self.bootstrap, self.settings.topic(topic))
