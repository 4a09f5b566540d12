"""What a worker must have for itself alone, checked before it joins the group.

RocksDB and the web server would refuse too, but only when partitions had been taken from the worker
that has them, or in the middle of a start.
"""

from __future__ import annotations

import fcntl
import os
import socket
import uuid
from pathlib import Path

from evcharge.errors import EvchargeError, SettingError
from evcharge.storage.errors import StoreInUseError


def claim(directory: Path) -> int:
    """Hold a directory until this process ends, however it ends; return the descriptor that does.

    Raises:
        StoreInUseError: another process holds it.
        SettingError: it cannot be made or written to.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(directory / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as problem:
        raise SettingError(
            f"EVCHARGE_DATA_DIR={directory} cannot be used: {problem.strerror}"
        ) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise StoreInUseError(directory) from None
    return descriptor


def identity(directory: Path) -> str:
    """Return the name of the worker that a claimed directory belongs to, the same at every start.

    Raises:
        SettingError: the name cannot be read or written.
    """
    file = directory / "instance-id"
    try:
        if not file.exists():
            # Whole or not at all: a name cut short would be another worker's.
            draft = file.with_suffix(".new")
            draft.write_text(f"worker-{uuid.uuid4().hex}\n", encoding="ascii")
            draft.replace(file)
        return file.read_text(encoding="ascii").strip()
    except OSError as problem:
        raise SettingError(
            f"EVCHARGE_DATA_DIR={directory} cannot be used: {problem.strerror}"
        ) from None


def require_port(host: str, port: int) -> None:
    """Check that the web server will be able to listen.

    Raises:
        EvchargeError: another process listens there, or the address is not one of this machine.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as listening:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
    except OSError as problem:
        raise EvchargeError(
            f"EVCHARGE_WEB_PORT={port} on {host} cannot be listened on: {problem.strerror}"
        ) from None
