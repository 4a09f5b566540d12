"""What a worker must have for itself: a data directory, a port."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from evcharge.engine.claim import claim, identity, require_port
from evcharge.errors import EvchargeError, SettingError
from evcharge.storage.errors import StoreInUseError


def test_a_directory_is_made_and_held_by_one(tmp_path: Path) -> None:
    directory = tmp_path / "a" / "b"
    held = claim(directory)
    with pytest.raises(StoreInUseError, match="EVCHARGE_DATA_DIR"):
        claim(directory)
    os.close(held)
    os.close(claim(directory))


def test_the_end_of_a_process_frees_its_directory(tmp_path: Path) -> None:
    code = (
        "import os, pathlib, sys; from evcharge.engine.claim import claim;"
        " claim(pathlib.Path(sys.argv[1])); os._exit(70)"
    )
    ended = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert ended.returncode == 70
    os.close(claim(tmp_path))


def test_a_directory_that_cannot_be_made_names_the_setting(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingError, match=r"EVCHARGE_DATA_DIR=.*file/data cannot be used"):
        claim(tmp_path / "file" / "data")


def test_a_port_that_is_taken_names_the_setting() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(EvchargeError, match=rf"EVCHARGE_WEB_PORT={port} on 127\.0\.0\.1"):
            require_port("127.0.0.1", port)
    require_port("127.0.0.1", port)


def test_an_address_of_another_machine_cannot_be_listened_on() -> None:
    with pytest.raises(EvchargeError, match=r"on 192\.0\.2\.1 cannot be listened on"):
        require_port("192.0.2.1", 6066)


def test_a_directory_gives_its_worker_a_name_that_outlives_it(tmp_path: Path) -> None:
    name = identity(tmp_path)
    assert identity(tmp_path) == name
    (tmp_path / "other").mkdir()
    assert identity(tmp_path / "other") != name


def test_a_name_that_cannot_be_kept_names_the_setting(tmp_path: Path) -> None:
    (tmp_path / "instance-id").mkdir()
    with pytest.raises(SettingError, match=r"EVCHARGE_DATA_DIR=.* cannot be used"):
        identity(tmp_path)
