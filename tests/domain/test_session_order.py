"""The order of records, and which of them are equal."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise, permutations
from pathlib import Path

from evcharge.domain.session.order import digest, distinct, in_order, value
from tests.domain.session_records import closed, end, start, update


def test_records_are_ordered_by_timestamp_then_seq_then_kind() -> None:
    ordered = [
        start(0),
        end(1),
        update(2),
        end(2),
        start(2, seq=0),
        update(2, seq=0),
        end(2, seq=0),
        start(2, seq=1),
        update(3),
    ]
    assert in_order(reversed(ordered)) == ordered


def test_an_end_and_a_closed_session_share_a_rank_and_the_hash_decides() -> None:
    ends = [end(1, 5), closed(1, 5), end(1, 6), closed(1, 6)]
    orders = {tuple(in_order(each)) for each in permutations(ends)}
    assert len(orders) == 1
    (ordered,) = orders
    assert all(digest(one) < digest(other) for one, other in pairwise(ordered))


def test_the_hash_is_the_same_in_every_process() -> None:
    script = (
        "from tests.domain.session_records import update\n"
        "from evcharge.domain.session.order import digest\n"
        "print(digest(update(1, 5, user_id='Ü1', charging=True)).hex())"
    )
    root = Path(__file__).parents[2]
    printed = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(root)},
            cwd=root,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert printed == {digest(update(1, 5, user_id="Ü1", charging=True)).hex()}


def test_the_hash_has_not_changed_since_it_was_first_stored() -> None:
    assert digest(update(1, 5)).hex() == "fd92dbe20de6dc55001cbbb65e103cc6"


def test_records_that_say_the_same_are_equal_wherever_they_were_appended() -> None:
    one = update(1, 5)
    other = one._replace(ingest_us=0, partition=7, offset=0)
    assert value(one) == value(other)
    assert digest(one) == digest(other)
    assert list(distinct([one, other, one]).values()) == [other]


def test_records_that_differ_in_any_statement_are_different() -> None:
    one = update(1, 5)
    others = [
        one._replace(energy_uwh=1),
        one._replace(charging=False),
        one._replace(reason="Local"),
        one._replace(seq=0),
    ]
    assert len(distinct([one, *others])) == 5
    assert len({digest(each) for each in (one, *others)}) == 5
