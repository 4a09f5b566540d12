"""A named set of jars, pinned by Maven coordinate and SHA-256 and kept in the user's cache.

The lock file is the only source of truth: a jar is used only if its bytes have the hash written
there, wherever they came from. The embedded Kafka's set is ``jars.lock.json`` beside this file;
another set is another lock file of the same shape (``lock.py`` writes them).
"""

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from evcharge.broker.errors import BrokerError

KAFKA_LOCK_FILE = Path(__file__).with_name("jars.lock.json")


@dataclass(frozen=True)
class Jar:
    """One jar: where Maven has it (``group:artifact:version``) and the hash of its bytes."""

    coordinate: str
    sha256: str

    @property
    def file_name(self) -> str:
        """``artifact-version.jar``, as Maven names it."""
        _, artifact, version = self.coordinate.split(":")
        return f"{artifact}-{version}.jar"


Fetch = Callable[[Sequence[Jar], Path], None]
"""Puts the jars, under their file names, into a directory; raises BrokerError if it cannot."""


@dataclass(frozen=True)
class JarSet:
    """All the jars of one class path. ``roots`` are the coordinates that the others follow from."""

    name: str
    roots: tuple[str, ...]
    jars: tuple[Jar, ...]

    @classmethod
    def load(cls, lock_file: Path) -> "JarSet":
        """Read a lock file; a malformed one is a bug of the checkout and raises as such."""
        data = json.loads(lock_file.read_text(encoding="utf-8"))
        jars = tuple(Jar(entry["coordinate"], entry["sha256"]) for entry in data["jars"])
        return cls(data["name"], tuple(data["roots"]), jars)

    def paths(self, cache: Path | None = None, fetch: Fetch | None = None) -> list[Path]:
        """The verified jars in the cache, fetched first where missing or damaged.

        Needs no network when all are there. Safe with several processes at once: one fetches, the
        others wait for it. Raises BrokerError when a jar cannot be had with the bytes expected.
        """
        directory = (cache or cache_directory()) / self.name
        if self._unusable(directory):
            with _exclusive(directory):
                # Asked again: another process may have fetched them while this one waited.
                self._complete(directory, self._unusable(directory), fetch or _fetch_by_jgo)
        return [directory / jar.file_name for jar in self.jars]

    def _unusable(self, directory: Path) -> list[Jar]:
        return [jar for jar in self.jars if _sha256(directory / jar.file_name) != jar.sha256]

    def _complete(self, directory: Path, wanted: Sequence[Jar], fetch: Fetch) -> None:
        if not wanted:
            return
        for torn in directory.glob("fetching-*"):
            shutil.rmtree(torn, ignore_errors=True)  # of a fetch that was killed: we hold the lock
        # In the cache itself, so that each jar arrives by an atomic rename on one file system.
        with tempfile.TemporaryDirectory(dir=directory, prefix="fetching-") as temporary:
            fetch(wanted, Path(temporary))
            for jar in wanted:
                fetched = Path(temporary) / jar.file_name
                if (actual := _sha256(fetched)) != jar.sha256:
                    raise BrokerError(
                        f"{jar.coordinate} was fetched with the SHA-256 {actual} where "
                        f"{jar.sha256} is expected: it is not used"
                    )
                fetched.replace(directory / jar.file_name)


def cache_directory() -> Path:
    """``EVCHARGE_CACHE_DIR``, otherwise ``evcharge`` in the user's cache directory (XDG)."""
    if chosen := os.environ.get("EVCHARGE_CACHE_DIR"):
        return Path(chosen).absolute()
    # XDG's rule: a relative path in the variable is to be ignored.
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (base if base.is_absolute() else Path.home() / ".cache") / "evcharge"


def _fetch_by_jgo(jars: Sequence[Jar], directory: Path) -> None:
    # Imported here: a start with a warm cache needs neither jgo nor its import time.
    from evcharge.broker.download import fetch

    fetch(jars, directory)


def _sha256(path: Path) -> str | None:
    """The hash of a file, None if there is none to read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


@contextmanager
def _exclusive(directory: Path) -> Iterator[None]:
    """Hold the directory's lock; the system releases it even if this process is killed."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        lock = (directory / ".lock").open("w")
    except OSError as error:
        raise BrokerError(
            f"the cache directory {directory} cannot be written ({error.strerror}): "
            "set EVCHARGE_CACHE_DIR to one that can"
        ) from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
