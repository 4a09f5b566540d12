"""What local storage can say, each in one sentence for the operator."""

from __future__ import annotations

from pathlib import Path

from rocksdict import DbClosedError

from evcharge.errors import EvchargeError

_FULL = ("No space left on device", "Disk quota exceeded", "File too large")
_HELD = ("lock hold by current process", "While lock file")
_LOST_FILE = "No such file or directory"


class StorageError(EvchargeError):
    """Local storage refuses; what Kafka has is untouched, and the worker restarts from it."""


class StoreInUseError(StorageError):
    """Another process has the database open: two workers were given one data directory."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} is in use by another process: give every worker its own EVCHARGE_DATA_DIR"
        )


class DiskFullError(StorageError):
    """No more can be written. What was not written is in Kafka, and is read from there again."""

    def __init__(self, path: Path, said: str) -> None:
        super().__init__(
            f"no room is left for {path} ({said}): make room and start the worker again, nothing is lost"
        )


class DamagedStoreError(StorageError):
    """What is on the disk is not what was written there."""

    def __init__(self, path: Path, said: str) -> None:
        self.said = said
        super().__init__(
            f"the local rows in {path} are damaged ({said}): the next start drops them and restores"
            " them from Kafka"
        )


class DiskFailedError(StorageError):
    """The operating system refuses to read or write."""

    def __init__(self, path: Path, said: str) -> None:
        super().__init__(f"the local rows in {path} cannot be read or written: {said}")


def storage_error(path: Path, problem: BaseException) -> StorageError | None:
    """Return what an exception of RocksDB or of the operating system means, ``None`` if it is neither's.

    Whatever RocksDB says that is about neither the lock nor the disk counts as damage: to drop local
    rows is always right, since Kafka has them too.
    """
    if isinstance(problem, DbClosedError) or not (
        type(problem) is Exception or isinstance(problem, OSError)
    ):
        return None
    said = " ".join(str(problem).split())
    if any(words in said for words in _HELD):
        return StoreInUseError(path)
    if full := next((words for words in _FULL if words in said), None):
        return DiskFullError(path, full)
    if isinstance(problem, OSError) or (said.startswith("IO error") and _LOST_FILE not in said):
        return DiskFailedError(path, said)
    return DamagedStoreError(path, said)
