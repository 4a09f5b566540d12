"""Whatever becomes of the files: rows are an earlier state of the partition, or none, never others."""

from __future__ import annotations

import logging
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from evcharge.storage.errors import DamagedStoreError
from evcharge.storage.rocks_partition import RocksPartition
from tests.storage.damage import damage_largest_file, opened
from tests.storage.killed import kill_after

WRITES = 60

Table = dict[bytes, bytes]


def changes() -> Iterator[dict[bytes, bytes | None]]:
    """Yield what each of the writes changes; always the same."""
    chance = random.Random(1)
    for offset in range(WRITES):
        changed: dict[bytes, bytes | None] = {
            b"S%03d" % chance.randrange(200): chance.randbytes(50) for _ in range(20)
        }
        yield {**changed, b"S%03d" % offset: None}


def write_all(store: RocksPartition) -> None:
    for offset, changed in enumerate(changes()):
        store.write(changed, offset)
        if offset % 25 == 24:
            # Into a file: some rows are in files then, the others in the log.
            store.begin_restore()
            store.end_restore()


class History:
    """A database as a killed worker left it, and what its rows were behind each write."""

    def __init__(self, directory: Path) -> None:
        self.states: list[Table] = []
        rows: Table = {}
        for changed in changes():
            rows = {key: row for key, row in {**rows, **changed}.items() if row is not None}
            self.states.append(rows)
        self.directory = directory / "killed"
        kill_after(write_all, self.directory)

    def expected(self, position: int | None) -> Table:
        return {} if position is None else self.states[position]


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    return History(tmp_path_factory.mktemp("history"))


def emptied(_: bytes, __: random.Random) -> bytes:
    return b""


def cut_in_half(data: bytes, _: random.Random) -> bytes:
    return data[: len(data) // 2]


def replaced_by_garbage(data: bytes, chance: random.Random) -> bytes:
    return chance.randbytes(len(data))


def with_one_wrong_byte(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data)) if data else 0
    return data[:at] + bytes(255 - byte for byte in data[at : at + 1]) + data[at + 1 :]


Damage = Callable[[bytes, random.Random], bytes]


def read(path: Path) -> tuple[int | None, Table]:
    store = opened(path)
    try:
        return store.changelog_offset(), dict(store.scan(b"S"))
    finally:
        store.close()


def read_as_often_as_needed(path: Path) -> tuple[int | None, Table]:
    """Read as a worker does that is started again when it has ended."""
    try:
        return read(path)
    except DamagedStoreError:
        return read(path)


@pytest.mark.parametrize(
    ("damage", "seed"),
    [
        (emptied, 0),
        (cut_in_half, 0),
        (replaced_by_garbage, 0),
        (with_one_wrong_byte, 1),
        (with_one_wrong_byte, 2),
    ],
)
def test_a_damaged_file_never_makes_a_wrong_row(
    history: History, tmp_path: Path, damage: Damage, seed: int
) -> None:
    chance = random.Random(seed)
    for file in sorted(history.directory.iterdir()):
        if damage is cut_in_half and file.name.startswith("MANIFEST"):
            # RocksDB takes a cut for a write that a crash interrupted, whose files it does not miss.
            # It waits for the disk after each write to this file: a crash leaves no such cut.
            continue
        copy = tmp_path / file.name
        shutil.copytree(history.directory, copy)
        (copy / file.name).write_bytes(damage(file.read_bytes(), chance))

        position, rows = read_as_often_as_needed(copy)

        assert rows == history.expected(position), file.name


def test_a_lost_file_never_makes_a_wrong_row(history: History, tmp_path: Path) -> None:
    for file in sorted(history.directory.iterdir()):
        copy = tmp_path / file.name
        shutil.copytree(history.directory, copy)
        (copy / file.name).unlink()

        position, rows = read_as_often_as_needed(copy)

        assert rows == history.expected(position), file.name


def test_what_a_killed_worker_wrote_is_there(history: History, tmp_path: Path) -> None:
    shutil.copytree(history.directory, tmp_path / "copy")

    assert read(tmp_path / "copy") == (WRITES - 1, history.states[-1])


def test_a_file_cut_short_is_told_in_one_sentence_and_the_rows_are_dropped(
    history: History, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    copy = tmp_path / "station-status-3"
    shutil.copytree(history.directory, copy)
    file = max(copy.glob("*.sst"))
    file.write_bytes(file.read_bytes()[:-100])
    with caplog.at_level(logging.WARNING):
        position, rows = read(copy)

    assert (position, rows) == (None, {})
    [record] = caplog.records
    assert record.getMessage().startswith(f"the local rows in {copy} were damaged (Corruption")
    assert record.getMessage().endswith("they were dropped, and are restored from Kafka")


def test_damage_that_is_found_late_ends_the_worker_and_the_next_start_drops_the_rows(
    history: History, tmp_path: Path
) -> None:
    # given a wrong byte in the middle of the rows, which nobody sees before it is read
    copy = tmp_path / "station-status-3"
    shutil.copytree(history.directory, copy)
    damage_largest_file(copy)
    store = opened(copy)
    # when a scan comes to it
    with pytest.raises(DamagedStoreError, match="the next start drops them and restores them"):
        list(store.scan(b"S"))
    store.close()
    # then
    assert read(copy) == (None, {})
