"""Fetches jars from Maven Central by jgo, a few at a time, with progress on standard error.

Each jar is asked for by its exact coordinate. jgo's own choice of transitive versions plays no
part, and whether the bytes are the right ones is for the caller to check against the lock file.
"""

import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from jgo.maven import MavenContext
from requests import RequestException

from evcharge.broker.errors import BrokerError
from evcharge.broker.jars import Jar

_AT_ONCE = 4
_ATTEMPTS = 3


def fetch(jars: Sequence[Jar], directory: Path) -> None:
    """Put all the jars into the directory; raises BrokerError for the first that cannot be had."""
    total = len(jars)
    _show(0, total, 0)
    size = 0
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        pending = [pool.submit(_fetch_one, jar, directory) for jar in jars]
        try:
            for done, future in enumerate(as_completed(pending), start=1):
                size += future.result()
                _show(done, total, size)
        finally:
            # After a failure the rest is pointless; after success nothing is left to cancel.
            pool.shutdown(cancel_futures=True)


def _fetch_one(jar: Jar, directory: Path) -> int:
    """Fetch one jar and return its size in bytes."""
    group, artifact, version = jar.coordinate.split(":")
    for attempt in range(1, _ATTEMPTS + 1):
        # A repository of its own for each attempt: jgo would take up a torn file of the last one.
        repository = directory / f"{jar.file_name}.{attempt}"
        context = MavenContext(repo_cache=repository, timeout=30)
        try:
            path = context.project(group, artifact).at_version(version).artifact().resolve()
            path.replace(directory / jar.file_name)
        except (RequestException, RuntimeError, OSError) as error:
            if attempt == _ATTEMPTS:
                raise BrokerError(
                    f"{jar.coordinate} could not be fetched from Maven Central ({_cause(error)}): "
                    "the first start needs a network, later ones do not"
                ) from error
            time.sleep(attempt)
        else:
            break
    return (directory / jar.file_name).stat().st_size


def _cause(error: Exception) -> str:
    """The kind of a network error (its text runs over many lines), the text of any other."""
    return type(error).__name__ if isinstance(error, RequestException) else str(error)


def _show(done: int, total: int, size: int) -> None:
    """Progress: one line that rewrites itself on a terminal, the first and the last elsewhere."""
    text = f"fetching jars: {done} of {total}, {size / 1e6:.0f} MB"
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{text}" + ("\n" if done == total else ""))
    elif done in {0, total}:
        sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
