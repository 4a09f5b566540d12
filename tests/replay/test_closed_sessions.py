"""Which files of closed sessions can be replayed, and what is said of the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from evcharge.errors import CommandError
from evcharge.replay.closed_sessions import read

HEADER = "session_id,station_id,start_time,end_time,energy_kwh,user_id"
ROW = "S1,EV-1,2023-05-01T10:15:30Z,2023-05-01T12:00:00Z,22.5,U1"


def file(tmp_path: Path, *lines: str, end: str = "\n") -> Path:
    path = tmp_path / "sessions.csv"
    path.write_bytes("".join(line + end for line in lines).encode())
    return path


def test_a_row_keeps_the_texts_of_the_file_and_adds_its_instants(tmp_path: Path) -> None:
    (session,) = read(
        file(tmp_path, HEADER, "S1,EV-1,2023-05-01T12:15:30+02:00,2023-05-01T12:00:00Z,5.60,U1")
    )

    assert session.start_time == "2023-05-01T12:15:30+02:00"
    assert session.start_us == 1_682_936_130_000_000
    assert session.end_us - session.start_us == 6_270_000_000
    assert session.energy_kwh == "5.60"
    assert (session.session_id, session.station_id, session.user_id) == ("S1", "EV-1", "U1")
    assert (session.connector_id, session.line) == (None, 2)


def test_an_empty_user_id_means_none(tmp_path: Path) -> None:
    (session,) = read(file(tmp_path, HEADER, ROW.removesuffix("U1")))

    assert session.user_id is None


def test_columns_come_in_any_order_and_others_may_stand_between_them(tmp_path: Path) -> None:
    header = "colour,user_id,energy_kwh,end_time,start_time,connector_id,station_id,session_id"
    row = "red,U1,7,2023-05-01T12:00:00Z,2023-05-01T10:15:30Z,2,EV-1,S1"

    (session,) = read(file(tmp_path, header, row))

    assert (session.session_id, session.connector_id) == ("S1", 2)


def test_a_spreadsheets_byte_order_mark_and_line_ends_do_no_harm(tmp_path: Path) -> None:
    (session,) = read(file(tmp_path, "\ufeff" + HEADER, ROW, end="\r\n"))

    assert session.session_id == "S1"
    assert session.user_id == "U1"


def test_empty_lines_are_passed_over_and_a_last_line_needs_no_end(tmp_path: Path) -> None:
    path = tmp_path / "sessions.csv"
    path.write_text(f"{HEADER}\n\n{ROW}\n\n{ROW.replace('S1', 'S2')}")

    assert [(session.session_id, session.line) for session in read(path)] == [("S1", 3), ("S2", 5)]


def test_a_session_that_ends_before_its_start_is_kept_for_the_rules_to_judge(
    tmp_path: Path,
) -> None:
    (session,) = read(
        file(tmp_path, HEADER, "S1,EV-1,2023-05-01T12:00:00Z,2023-05-01T11:00:00Z,1,")
    )

    assert session.first_us == session.end_us < session.start_us


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("S1", "", "session_id '' is not 1 to 64 of the characters"),
        ("S1", "S" * 65, "is not 1 to 64 of the characters"),
        ("EV-1", "EV 1", "station_id 'EV 1' is not 1 to 64 of the characters"),
        ("U1", "Ann Lee", "user_id 'Ann Lee' is not 1 to 64 of the characters"),
        ("22.5", "", "energy_kwh '' is not a number of kWh such as 22.5"),
        ("22.5", "-1", "energy_kwh '-1' is not a number"),
        ("22.5", "NaN", "energy_kwh 'NaN' is not a number"),
        ("22.5", ".5", "energy_kwh '.5' is not a number"),
        ("22.5", "2e9", "energy_kwh '2e9' is not a number"),
        ("22.5", "1" + "0" * 64, "is not a number"),
        ("2023-05-01T10:15:30Z", "2023-05-01T10:15:30", "start_time '2023-05-01T10:15:30' cannot"),
        ("2023-05-01T12:00:00Z", "2023-02-30T12:00:00Z", "end_time '2023-02-30T12:00:00Z' cannot"),
        ("2023-05-01T12:00:00Z", f"2023-05-01T12:00:00.{'0' * 64}Z", "at most 64 characters"),
        ("2023-05-01T12:00:00Z", "noon", "end_time 'noon' cannot be used"),
        (",U1", "", "5 cells, but the header has 6"),
        ("U1", "U1,more", "7 cells, but the header has 6"),
    ],
)
def test_a_row_that_cannot_be_used_is_named_by_its_line(
    tmp_path: Path, before: str, after: str, said: str
) -> None:
    path = file(tmp_path, HEADER, ROW, ROW.replace(before, after))

    with pytest.raises(CommandError) as refused:
        list(read(path))

    assert f"{path} line 3: " in str(refused.value)
    assert said in str(refused.value)


@pytest.mark.parametrize("connector", ["0", "x", "1001", "-1", "1.5"])
def test_a_connector_that_cannot_be_is_named(tmp_path: Path, connector: str) -> None:
    path = file(tmp_path, f"{HEADER},connector_id", f"{ROW},{connector}")

    with pytest.raises(CommandError, match=f"connector_id '{connector}' is not a whole number"):
        list(read(path))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty: expected the header session_id,"),
        (b"session_id,station_id\n", "line 1: the header lacks start_time, end_time"),
        (f"{HEADER},user_id\n".encode(), "line 1: the header names user_id more than once"),
        (f"{HEADER}\n".encode() + b"\xff\xfe\n", "is not UTF-8 text"),
        (f'{HEADER}\n"S1'.encode(), "line 2: unexpected end of data"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "sessions.csv"
    path.write_bytes(content)

    with pytest.raises(CommandError) as refused:
        list(read(path))

    assert said in str(refused.value)
    assert str(path) in str(refused.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"none\.csv cannot be read: No such file"):
        list(read(tmp_path / "none.csv"))
