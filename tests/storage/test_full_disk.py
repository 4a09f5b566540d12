"""A disk without room: one sentence, and every row that was written before is there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from evcharge.storage.errors import DiskFullError, storage_error
from evcharge.storage.rocks_partition import RocksPartition

# A limit of the size of each file stands for the disk: it takes no rights, and the system answers a
# write behind it as it answers one on a full disk, with an error in the middle.
WRITER = """
import os, resource, signal, sys
from pathlib import Path
from evcharge.storage.errors import DiskFullError
from evcharge.storage.rocks_partition import RocksPartition

restoring = sys.argv[2] == "restoring"
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = RocksPartition(Path(sys.argv[1]))
if restoring:
    store.begin_restore()
resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, resource.RLIM_INFINITY))
offset = 0
try:
    while offset < 100_000:
        store.write({os.urandom(12): os.urandom(1_000) for _ in range(20)}, offset)
        offset += 1
        if restoring and offset % 20 == 0:
            store.end_restore()
            store.begin_restore()
except DiskFullError as problem:
    print(problem)
    print(offset)
    sys.stdout.flush()
os._exit(0)
"""


@pytest.mark.parametrize("how", ["writing", "restoring"])
def test_a_write_without_room_is_told_and_nothing_before_it_is_lost(
    tmp_path: Path, how: str
) -> None:
    path = tmp_path / "station-status-3"
    ran = subprocess.run(
        [sys.executable, "-c", WRITER, str(path), how],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    sentence, offset = ran.stdout.splitlines()

    assert sentence == (
        f"no room is left for {path} (File too large): make room and start the worker again,"
        " nothing is lost"
    )
    # then, with room again, the rows are those of a moment before it
    store = RocksPartition(path)
    position = store.changelog_offset()
    rows = sum(1 for _ in store.scan(b"")) - (position is not None)
    store.close()
    assert position is not None
    if how == "writing":
        assert position == int(offset) - 1
    assert rows == 20 * (position + 1)
    assert position < int(offset)


@pytest.mark.parametrize(
    "said",
    [
        "IO error: No space left on device: While appending to file: 14.log: No space left on device",
        "IO error: While appending to file: 14.log: Disk quota exceeded",
    ],
)
def test_what_rocksdb_says_of_a_full_disk_is_understood(said: str) -> None:
    assert isinstance(storage_error(Path("t-0"), Exception(said)), DiskFullError)
