"""One cluster in a directory at a time, and always the same one."""

import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from evcharge.broker import datadir
from evcharge.broker.datadir import DataDirectory
from evcharge.broker.errors import BrokerError


def test_the_cluster_keeps_its_id(tmp_path: Path) -> None:
    """Kafka refuses data of another cluster."""
    first = DataDirectory(tmp_path / "data", nodes=1)
    first.close()
    again = DataDirectory(tmp_path / "data", nodes=1)
    again.close()
    assert again.cluster_id == first.cluster_id


def test_a_temporary_directory_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With everything in it."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    directory = DataDirectory(None, nodes=1)
    directory.node(1)
    directory.close()
    assert list(tmp_path.iterdir()) == []


def test_a_directory_in_use_is_refused_by_name_of_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And is free again once that one has ended."""
    monkeypatch.setattr(datadir, "_LOCK_PATIENCE_S", 0.0)
    first = DataDirectory(tmp_path, nodes=1)
    with pytest.raises(BrokerError, match=r"in use by another broker \(process \d+\)"):
        DataDirectory(tmp_path, nodes=1)
    first.close()
    DataDirectory(tmp_path, nodes=1).close()


def test_a_directory_of_another_number_of_brokers_is_refused(tmp_path: Path) -> None:
    """Its topics are replicated for the number it was made for."""
    DataDirectory(tmp_path, nodes=1).close()
    with pytest.raises(BrokerError, match="holds a cluster of 1 broker"):
        DataDirectory(tmp_path, nodes=3)
    DataDirectory(tmp_path, nodes=1).close()


def test_a_directory_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    """Here because a file is in the way; a missing permission takes the same way."""
    (tmp_path / "file").write_text("")
    with pytest.raises(BrokerError, match=r"cannot be written: Not a directory$"):
        DataDirectory(tmp_path / "file" / "data", nodes=1)


def test_a_full_disk_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Said before Kafka starts, which would only log it and die."""

    class Usage(NamedTuple):
        free: int = 5_000_000

    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage())
    directory = DataDirectory(tmp_path, nodes=1)
    with pytest.raises(BrokerError, match=r"is full \(5 MB left\)"):
        directory.require_space()
    directory.close()
