"""What aiokafka repeats is written once a minute, with how often it came."""

from __future__ import annotations

import logging

import faust

from evcharge.engine.quiet import LaneWorker, Repetitions


def warning(text: str, *args: object, level: int = logging.WARNING) -> logging.LogRecord:
    return logging.LogRecord("aiokafka.conn", level, __file__, 1, text, args, None)


def test_a_repeated_warning_is_held_back_and_then_counted() -> None:
    now = [0.0]
    repetitions = Repetitions(lambda: now[0])
    assert repetitions.filter(warning("no %s", "broker"))
    for second in range(1, 60):
        now[0] = float(second)
        assert not repetitions.filter(warning("no %s", "other broker"))
    now[0] = 61.0
    last = warning("no %s", "broker")
    assert repetitions.filter(last)
    assert last.getMessage() == "no broker (and 59 times more)"


def test_different_warnings_do_not_hold_each_other_back() -> None:
    repetitions = Repetitions(lambda: 0.0)
    assert repetitions.filter(warning("no broker"))
    assert repetitions.filter(warning("no topic"))
    assert repetitions.filter(warning("no broker", level=logging.ERROR))


def test_what_is_no_warning_passes() -> None:
    repetitions = Repetitions(lambda: 0.0)
    assert all(repetitions.filter(warning("joined", level=logging.INFO)) for _ in range(3))


def test_what_is_remembered_is_bounded() -> None:
    repetitions = Repetitions(lambda: 0.0)
    assert all(repetitions.filter(warning(f"message {number}")) for number in range(5_000))


def test_no_debug_record_is_made_unless_it_is_asked_for() -> None:
    root = logging.Logger("root", logging.WARNING)
    root.addHandler(logging.NullHandler())
    worker = LaneWorker(faust.App("quiet", broker="memory://"), redirect_stdouts=False)
    worker.on_setup_root_logger(root, logging.WARNING)
    assert root.level == logging.WARNING
    assert len(root.handlers) == 1
