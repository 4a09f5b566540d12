"""One partition of one table in a RocksDB database of its own."""

from __future__ import annotations

import contextlib
import logging
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

from rocksdict import Rdict, WriteBatch

from evcharge.storage.errors import DamagedStoreError, StorageError, storage_error
from evcharge.storage.partition_store import CHANGELOG_POSITION, Positions, Rows
from evcharge.storage.rocks_options import database_options, unlogged

logger = logging.getLogger(__name__)

DAMAGED = "DAMAGED"
"""File in a database's directory: it was found to be damaged, and is to be dropped when opened next."""

LARGEST_PAGE = 256
"""Rows of a scan that are read at once."""


class _Told:
    """Turns what RocksDB and the operating system raise into errors that a person can read."""

    __slots__ = ("_path",)

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, problem: BaseException | None, _: object) -> None:
        if problem is None or (error := storage_error(self._path, problem)) is None:
            return
        if isinstance(error, DamagedStoreError):
            with contextlib.suppress(OSError):
                (self._path / DAMAGED).touch()
        raise error from problem


class RocksPartition(Positions):
    """Rows in a RocksDB database of their own.

    Every method raises a :class:`~evcharge.storage.errors.StorageError` if the disk is full, fails, or
    holds something else than what was written; and rocksdict's ``DbClosedError`` behind :meth:`close`.
    """

    def __init__(self, path: Path) -> None:
        """Open or create the database at ``path``; a damaged one is dropped with a warning.

        Raises:
            StoreInUseError: another process has it open.
            StorageError: it cannot be made.
        """
        self.path = path
        self._told = _Told(path)
        self._restoring = False
        self._unlogged = unlogged()
        self._db = self._opened()

    # -- rows

    def get(self, key: bytes) -> bytes | None:
        # Read so often that entering `_told` each time would show.
        try:
            value: bytes | None = self._db.get(key)
        except BaseException:
            with self._told:
                raise
        return value

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        with self._told:
            return cast("list[bytes | None]", self._db.get(list(keys)))

    def scan(self, prefix: bytes, after: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
        # In pages: an open iterator would keep files, memory and the lock of a closed database, and
        # whoever reads a scan may stop in the middle. Often that is after the first row.
        size = 1
        while True:
            page = self._page(prefix, after, size)
            yield from page
            if len(page) < size:
                return
            after = page[-1][0]
            size = min(4 * size, LARGEST_PAGE)

    def _page(self, prefix: bytes, after: bytes | None, size: int) -> list[tuple[bytes, bytes]]:
        page: list[tuple[bytes, bytes]] = []
        with self._told:
            rows = self._db.iter()
            try:
                rows.seek(prefix if after is None else max(prefix, after))
                while rows.valid() and len(page) < size:
                    key: bytes = rows.key()
                    if not key.startswith(prefix):
                        break
                    if after is None or key > after:
                        page.append((key, rows.value()))
                    rows.next()
                rows.status()
            finally:
                # Not even the traceback of an error may hold it.
                del rows
        return page

    def write(self, rows: Rows, changelog_offset: int) -> None:
        batch = WriteBatch(raw_mode=True)
        put = batch.put
        for key, value in rows.items():
            if value is None:
                batch.delete(key)
            else:
                put(key, value)
        put(CHANGELOG_POSITION, changelog_offset.to_bytes(8, "big"))
        with self._told:
            self._db.write(batch, self._unlogged if self._restoring else None)

    # -- restoring

    def begin_restore(self) -> None:
        if not self._restoring:
            with self._told:
                self._db.set_options({"disable_auto_compactions": "true"})
            self._restoring = True

    def end_restore(self) -> None:
        if self._restoring:
            with self._told:
                # Before the first write that is logged again: after a crash the log would bring it
                # back without those before it.
                self._db.flush()
                self._db.set_options({"disable_auto_compactions": "false"})
            self._restoring = False

    # -- the database

    def close(self) -> None:
        with self._told:
            self._db.close()

    def clear(self) -> None:
        # What cannot be written any more need not be: the rows are dropped.
        with contextlib.suppress(StorageError):
            self.close()
        self._remove()
        self._restoring = False
        self._db = self._open()

    def _opened(self) -> Rdict:
        if (self.path / DAMAGED).exists():
            self._drop("as was found when they were read")
        try:
            return self._open()
        except DamagedStoreError as damage:
            self._drop(damage.said)
        return self._open()

    def _open(self) -> Rdict:
        with self._told:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            options = database_options()
            # Without the second, rocksdict opens what exists with a table of RocksDB's defaults: its own
            # block cache of 8 MiB in each database, no filters.
            return Rdict(str(self.path), options=options, column_families={"default": options})

    def _drop(self, why: str) -> None:
        logger.warning(
            "the local rows in %s were damaged (%s): they were dropped, and are restored from Kafka",
            self.path,
            why,
        )
        self._remove()

    def _remove(self) -> None:
        with self._told, contextlib.suppress(FileNotFoundError):
            shutil.rmtree(self.path)
