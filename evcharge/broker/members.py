"""Waits until nodes are members of their cluster, and says why one is not."""

import re
import time
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from evcharge.broker.errors import BrokerError, PortTakenError
from evcharge.broker.kafka import first_complaint
from evcharge.broker.node import Node
from evcharge.broker.probe import ask

_POLL_S = 0.05
_ANSWER_S = 2.0


def await_members(
    nodes: Sequence[Node], members: AbstractSet[int], cluster_id: str, timeout: float
) -> None:
    """Wait until each of the nodes answers for this cluster and holds all the members for alive.

    Raises BrokerError when one of them ends meanwhile or ``timeout`` s have passed.
    """
    deadline = time.monotonic() + timeout
    for node in nodes:
        while not _answers(node, members, cluster_id):
            require_running(nodes)
            if time.monotonic() > deadline:
                raise BrokerError(
                    f"Kafka node {node.node_id} did not answer within {timeout:g} s"
                    f"{_quoted(_last_words(node))}"
                )
            time.sleep(_POLL_S)
    require_running(nodes)


def require_running(nodes: Sequence[Node]) -> None:
    """Raises BrokerError with the likely cause if one of the nodes has ended."""
    for node in nodes:
        if node.pid is None:
            raise _why_it_ended(node)


def _answers(node: Node, members: AbstractSet[int], cluster_id: str) -> bool:
    view = ask(node.ports.broker, _ANSWER_S)
    return view is not None and view.cluster_id == cluster_id and members <= view.alive


def _why_it_ended(node: Node) -> BrokerError:
    text = "\n".join(node.new_log_lines())
    if taken := re.search(r"failed to bind to \S+:(\d+): Address already in use", text):
        return PortTakenError(int(taken[1]))
    if "No space left on device" in text:
        return BrokerError(
            f"Kafka node {node.node_id} ended because the disk of {node.directory} is full: "
            "free some space or choose another directory with --data"
        )
    return BrokerError(
        f"Kafka node {node.node_id} ended with exit code {node.exit_code}"
        f"{_quoted(_last_words(node))}"
    )


def _last_words(node: Node) -> str:
    """The first error in its log with what caused it, otherwise the first on its console."""
    lines = node.new_log_lines()
    for at, line in enumerate(lines):
        if " ERROR " in line or " FATAL " in line:
            # In a stack trace, the lines that name an exception and give its reason.
            trace = lines[at + 1 : at + 200]
            causes = [text for text in trace if re.match(r"(Caused by: )?\w+\.\S+: ", text)]
            return " ".join([line.strip(), *causes[-1:]])
    return first_complaint(node.console.read_text(errors="replace"))


def _quoted(words: str) -> str:
    return f' ("{words}")' if words else ""
