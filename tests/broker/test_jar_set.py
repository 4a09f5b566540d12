"""A jar is used only if its bytes are the ones in the lock file."""

import hashlib
import re
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from evcharge.broker.errors import BrokerError
from evcharge.broker.jars import KAFKA_LOCK_FILE, Fetch, Jar, JarSet, cache_directory

GOOD = b"the bytes of a jar"
JAR = Jar("org.example:thing:1.0", hashlib.sha256(GOOD).hexdigest())
SET = JarSet("example-1.0", (JAR.coordinate,), (JAR,))


def fetching(content: bytes, calls: list[Sequence[Jar]] | None = None) -> Fetch:
    """A fetch that brings these bytes for every jar, and notes what it was asked for."""

    def fetch(jars: Sequence[Jar], directory: Path) -> None:
        if calls is not None:
            calls.append(jars)
        for jar in jars:
            (directory / jar.file_name).write_bytes(content)

    return fetch


def unreachable(jars: Sequence[Jar], directory: Path) -> None:
    """A fetch on a machine without a network."""
    raise BrokerError(f"{jars[0].coordinate} could not be fetched into {directory}")


def test_the_lock_file_pins_every_jar_of_kafka_by_coordinate_and_sha256() -> None:
    """No jar without a hash, none twice, and the roots are among them."""
    kafka = JarSet.load(KAFKA_LOCK_FILE)
    coordinates = [jar.coordinate for jar in kafka.jars]
    assert set(kafka.roots) <= set(coordinates)
    assert len(set(coordinates)) == len(coordinates)
    assert all(re.fullmatch(r"[\w.-]+:[\w.-]+:[\w.-]+", each) for each in coordinates)
    assert all(re.fullmatch(r"[0-9a-f]{64}", jar.sha256) for jar in kafka.jars)


def test_all_jars_of_kafka_itself_have_one_version() -> None:
    """A transitive resolution that picked an old kafka-clients would show here."""
    kafka = JarSet.load(KAFKA_LOCK_FILE)
    own = [jar.coordinate for jar in kafka.jars if jar.coordinate.startswith("org.apache.kafka:")]
    assert {kafka.name} == {f"kafka-{coordinate.split(':')[2]}" for coordinate in own}
    assert f"org.apache.kafka:kafka-clients:{own[0].split(':')[2]}" in own


def test_the_lock_file_names_no_address() -> None:
    """Where the jars come from is the machine's business."""
    assert "//" not in KAFKA_LOCK_FILE.read_text()


def test_missing_jars_are_fetched_into_the_cache(tmp_path: Path) -> None:
    """The path returned holds the bytes, and nothing temporary stays."""
    assert SET.paths(tmp_path, fetching(GOOD)) == [tmp_path / "example-1.0" / "thing-1.0.jar"]
    assert (tmp_path / "example-1.0" / "thing-1.0.jar").read_bytes() == GOOD
    assert not list((tmp_path / "example-1.0").glob("fetching-*"))


def test_a_second_start_needs_no_network(tmp_path: Path) -> None:
    """What is in the cache and verified is not fetched."""
    SET.paths(tmp_path, fetching(GOOD))
    assert SET.paths(tmp_path, unreachable)


def test_a_damaged_jar_in_the_cache_is_fetched_again(tmp_path: Path) -> None:
    """The cache is not trusted."""
    (path,) = SET.paths(tmp_path, fetching(GOOD))
    path.write_bytes(GOOD[:-1])
    SET.paths(tmp_path, fetching(GOOD))
    assert path.read_bytes() == GOOD


def test_a_damaged_jar_is_never_returned_without_a_network(tmp_path: Path) -> None:
    """Refused, with the coordinate in the sentence."""
    (path,) = SET.paths(tmp_path, fetching(GOOD))
    path.write_bytes(b"damaged")
    with pytest.raises(BrokerError, match=JAR.coordinate):
        SET.paths(tmp_path, unreachable)


def test_a_fetched_jar_with_other_bytes_is_refused_and_not_kept(tmp_path: Path) -> None:
    """A registry that serves something else cannot get it into the class path."""
    with pytest.raises(BrokerError, match="it is not used"):
        SET.paths(tmp_path, fetching(b"something else"))
    assert not (tmp_path / "example-1.0" / "thing-1.0.jar").exists()


def test_two_starts_at_once_fetch_once(tmp_path: Path) -> None:
    """The second waits for the first and then finds the jars there."""
    calls: list[Sequence[Jar]] = []
    in_fetch, other_waits = threading.Event(), threading.Event()

    def slow(jars: Sequence[Jar], directory: Path) -> None:
        in_fetch.set()
        other_waits.wait(10)
        fetching(GOOD, calls)(jars, directory)

    def other() -> None:
        in_fetch.wait(10)
        other_waits.set()
        SET.paths(tmp_path, fetching(GOOD, calls))

    threads = [
        threading.Thread(target=SET.paths, args=(tmp_path, slow)),
        threading.Thread(target=other),
    ]
    run_all(threads)
    assert len(calls) == 1


def run_all(threads: Sequence[threading.Thread]) -> None:
    """Start them all and wait for them all."""
    for each in threads:
        each.start()
    for each in threads:
        each.join(20)


def test_a_cache_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    """It names the variable that helps."""
    blocked = tmp_path / "a-file"
    blocked.write_text("")
    with pytest.raises(BrokerError, match="EVCHARGE_CACHE_DIR"):
        SET.paths(blocked, fetching(GOOD))


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, lambda home: home / ".cache" / "evcharge"),
        ({"XDG_CACHE_HOME": "/xdg"}, lambda _: Path("/xdg/evcharge")),
        ({"XDG_CACHE_HOME": "relative"}, lambda home: home / ".cache" / "evcharge"),
        ({"XDG_CACHE_HOME": "/xdg", "EVCHARGE_CACHE_DIR": "/own"}, lambda _: Path("/own")),
    ],
)
def test_the_cache_is_where_the_user_wants_it(
    environment: dict[str, str],
    expected: Callable[[Path], Path],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """EVCHARGE_CACHE_DIR, then XDG_CACHE_HOME, then ~/.cache."""
    for name in ("EVCHARGE_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert cache_directory() == expected(tmp_path)
