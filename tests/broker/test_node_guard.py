"""A node ends with the process that started it, however that ends. ``sleep`` stands in for Java."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from evcharge.broker.node import Node
from evcharge.broker.ports import NodePorts
from tests.eventually import eventually

ROOT = Path(__file__).parents[2]
STARTER = """
import sys, time
from pathlib import Path
from evcharge.broker.node import Node
from evcharge.broker.ports import NodePorts
node = Node(1, NodePorts(1, 2), Path(sys.argv[1]), ["sleep", "600"])
node.start()
print(node.pid, flush=True)
time.sleep(600)
"""


def is_running(pid: int) -> bool:
    """Whether a process of another parent is there and no zombie."""
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.strip()
    return bool(state) and not state.startswith("Z")


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    """A node that is not started yet."""
    (tmp_path / "logs").mkdir()
    node = Node(1, NodePorts(1, 2), tmp_path, ["sleep", "600"])
    yield node
    node.kill()


@pytest.mark.parametrize("paused", [False, True])
def test_a_node_dies_when_its_parent_is_killed(paused: bool, tmp_path: Path) -> None:
    """``kill -9`` gives the parent no chance to do anything; a paused node must not survive it."""
    (tmp_path / "logs").mkdir()
    parent = subprocess.Popen(
        [sys.executable, "-c", STARTER, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert is_running(child)
    if paused:
        os.kill(child, signal.SIGSTOP)
    parent.kill()
    parent.communicate()
    eventually(lambda: not is_running(child), patience_s=10, what="its end")


def test_a_node_outlives_the_thread_that_started_it(node: Node) -> None:
    """A fixture or an executor may start it in a thread that ends at once."""
    starter = threading.Thread(target=node.start)
    starter.start()
    starter.join()
    assert not node.wait(0.5)
    assert node.pid is not None


def test_a_node_can_be_stopped_while_it_is_paused(node: Node) -> None:
    """Otherwise the order to stop would wait for the end of the pause."""
    node.start()
    node.pause()
    node.terminate()
    assert node.wait(10)
    assert node.exit_code == -signal.SIGTERM


def test_a_node_can_be_started_again_after_a_kill(node: Node) -> None:
    """With a new process, and the guard of the first one must not touch it."""
    node.start()
    first = node.pid
    node.kill()
    assert node.pid is None
    node.start()
    assert node.pid not in {None, first}
    assert not node.wait(0.5)
