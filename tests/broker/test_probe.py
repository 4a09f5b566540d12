"""Only a whole Kafka answer counts."""

import socket
import struct
import threading

import pytest

from evcharge.broker.probe import ClusterView, ask

ANSWER = (
    struct.pack(">ii", 7, 1)
    + struct.pack(">ih", 3, 9)
    + b"127.0.0.1"
    + struct.pack(">ih", 9092, -1)
)
ANSWER += struct.pack(">h", 4) + b"abcd" + struct.pack(">ii", 3, 0)


def ask_a_server_that_says(reply: bytes) -> ClusterView | None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(reply)

        thread = threading.Thread(target=serve)
        thread.start()
        view = ask(server.getsockname()[1], timeout=2)
        thread.join()
        return view


def test_the_answer_names_the_cluster_and_who_is_alive() -> None:
    reply = struct.pack(">i", len(ANSWER)) + ANSWER
    assert ask_a_server_that_says(reply) == ClusterView("abcd", frozenset({3}))


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        struct.pack(">i", len(ANSWER)) + ANSWER[:20],
        struct.pack(">iii", 8, 8, 0),
        struct.pack(">i", -5),
    ],
)
def test_anything_else_is_no_answer(reply: bytes) -> None:
    assert ask_a_server_that_says(reply) is None


def test_a_port_where_nobody_listens_is_no_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert ask(port, timeout=2) is None
