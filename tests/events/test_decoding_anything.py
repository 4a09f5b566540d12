"""Whatever arrives, each record is either what it says or rejected with a reason, one by one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evcharge.domain.quantities import InexactError
from evcharge.domain.session_record import SessionRecord
from evcharge.domain.status_report import StatusReport
from evcharge.events.chunk import ChunkDecoder
from evcharge.events.decode import decode_charging_sessions, decode_station_status
from evcharge.events.rejection import MAX_DETAIL, Reason, Rejected, reject
from evcharge.events.station_status import CHUNK, MODEL, StatusFields
from tests.events.arrivals import CLOSED, END, MAX_BYTES, NOON_MS, START, STATUS, UPDATE, Arrival

UPDATE_TEXT = json.dumps(UPDATE)[:-1].encode()

REASONS: list[tuple[bytes | None, Reason]] = [
    (None, Reason.NO_VALUE),
    (b"{" + b" " * MAX_BYTES + b"}", Reason.TOO_LARGE),
    (b"1" * 1_000_000, Reason.TOO_LARGE),
    (b"", Reason.NOT_JSON),
    (b" \n", Reason.NOT_JSON),
    (b"\x00\xff\xfe junk", Reason.NOT_JSON),
    (b"\x0b" + UPDATE_TEXT + b"}", Reason.NOT_JSON),
    (b"\xef\xbb\xbf" + UPDATE_TEXT + b"}", Reason.NOT_JSON),
    (json.dumps(UPDATE).encode("utf-16"), Reason.NOT_JSON),
    (UPDATE_TEXT, Reason.NOT_JSON),
    (UPDATE_TEXT + b",}", Reason.NOT_JSON),
    (UPDATE_TEXT + b"}}", Reason.NOT_JSON),
    (UPDATE_TEXT + b"}" + UPDATE_TEXT + b"}", Reason.NOT_JSON),
    (UPDATE_TEXT + b"}," + UPDATE_TEXT + b"}", Reason.NOT_JSON),
    (UPDATE_TEXT + b',"x}', Reason.NOT_JSON),
    (UPDATE_TEXT + b',"x":NaN}', Reason.NOT_JSON),
    (UPDATE_TEXT + b',"x":Infinity}', Reason.NOT_JSON),
    (UPDATE_TEXT + b',"x":-Infinity}', Reason.NOT_JSON),
    (UPDATE_TEXT + b',"x":[{"y":NaN}]}', Reason.NOT_JSON),
    (UPDATE_TEXT + b',"power_kw":NaN}', Reason.NOT_JSON),
    (UPDATE_TEXT + b',"x":"\xff"}', Reason.NOT_JSON),
    (UPDATE_TEXT + b',"x":"\\ud800"}', Reason.NOT_JSON),
    (UPDATE_TEXT + b',"x":"\xed\xa0\x80"}', Reason.NOT_JSON),
    (UPDATE_TEXT + b',"x":01}', Reason.NOT_JSON),
    (UPDATE_TEXT + b',"x":' + b"1" * 60_000 + b"}", Reason.NOT_JSON),
    (UPDATE_TEXT + b',"x":' + b"[" * 10_000 + b"]" * 10_000 + b"}", Reason.NOT_JSON),
    (b'{"x":' * 10_000 + b"1" + b"}" * 10_000, Reason.NOT_JSON),
    (b"[" * 60_000, Reason.NOT_JSON),
    (b"null", Reason.NOT_AN_OBJECT),
    (b"true", Reason.NOT_AN_OBJECT),
    (b"3", Reason.NOT_AN_OBJECT),
    (b'"{}"', Reason.NOT_AN_OBJECT),
    (b"[" + UPDATE_TEXT + b"}]", Reason.NOT_AN_OBJECT),
    (b"{}", Reason.MISSING_FIELD),
]


@pytest.mark.parametrize("decode", [decode_charging_sessions, decode_station_status])
@pytest.mark.parametrize(("value", "reason"), REASONS)
def test_what_is_no_event_of_any_topic(decode: Any, value: bytes | None, reason: Reason) -> None:
    [outcome] = decode([Arrival(value)], max_bytes=MAX_BYTES)
    assert isinstance(outcome, Rejected)
    assert outcome.reason is reason
    assert 0 < len(outcome.detail) <= MAX_DETAIL
    assert outcome.detail.isprintable()


def test_what_looks_like_a_trick_but_is_a_valid_event() -> None:
    values = [
        b" \t\r\n" + UPDATE_TEXT + b"}\n",
        UPDATE_TEXT + b',"x":"NaN, Infinity, { and }"}',
        UPDATE_TEXT + b',"x":' + b"[" * 190 + b"]" * 190 + b"}",
        UPDATE_TEXT + b',"x":0.' + b"1" * 60_000 + b"}",
        UPDATE_TEXT + b',"x":-1e400}',
        UPDATE_TEXT.replace(b'"event"', b'"\\u0065vent"') + b"}",
    ]
    for value in values:
        [plain] = decode_charging_sessions([Arrival(UPDATE_TEXT + b"}")], max_bytes=MAX_BYTES)
        assert decode_charging_sessions([Arrival(value)], max_bytes=MAX_BYTES) == [plain]


def test_a_record_of_exactly_the_limit_is_accepted() -> None:
    value = (UPDATE_TEXT + b',"x":"').ljust(MAX_BYTES - 2, b"x") + b'"}'
    [outcome] = decode_charging_sessions([Arrival(value)], max_bytes=MAX_BYTES)
    assert isinstance(outcome, SessionRecord)
    [outcome] = decode_charging_sessions([Arrival(value)], max_bytes=MAX_BYTES - 1)
    assert isinstance(outcome, Rejected)
    assert outcome.reason is Reason.TOO_LARGE


def test_an_escaped_event_field_makes_no_closed_session() -> None:
    # With a parser that looks for the bytes `"event"` it would be a closed session.
    value = json.dumps(CLOSED)[:-1].encode() + b',"\\u0065vent":"session_pause"}'
    [outcome] = decode_charging_sessions([Arrival(value)], max_bytes=MAX_BYTES)
    assert isinstance(outcome, Rejected)
    assert outcome.reason is Reason.BAD_VALUE


def test_no_records_are_no_results() -> None:
    assert decode_charging_sessions([], max_bytes=MAX_BYTES) == []


def test_each_record_keeps_its_place_and_ingest_time() -> None:
    value = json.dumps(UPDATE).encode()
    chunk = [Arrival(value, NOON_MS + n, n % 4, 100 + n) for n in range(50)]
    found = decode_charging_sessions(chunk, max_bytes=MAX_BYTES)
    assert [
        (r.ingest_us, r.partition, r.offset) for r in found if isinstance(r, SessionRecord)
    ] == [(r.timestamp * 1000, r.partition, r.offset) for r in chunk]


@pytest.mark.parametrize("place", [0, 1, 777, 1999])
def test_one_bad_record_in_a_chunk_is_found(place: int) -> None:
    values = [json.dumps(UPDATE | {"seq": n}).encode() for n in range(2000)]
    values[place] = b'{"event":"session_update","x":"}'
    found = decode_charging_sessions([Arrival(value) for value in values], max_bytes=MAX_BYTES)
    assert [r.seq for r in found if isinstance(r, SessionRecord)] == [
        n for n in range(2000) if n != place
    ]
    assert isinstance(found[place], Rejected)


@pytest.mark.parametrize(
    "values",
    [
        # A text that is left open swallows the next record, and an object too many makes up for it.
        [UPDATE_TEXT + b"}," + UPDATE_TEXT + b',"x":"', b'{"}'],
        [UPDATE_TEXT + b',"x":"', b'{"}', UPDATE_TEXT + b"}," + UPDATE_TEXT + b"}"],
        # The same without one.
        [UPDATE_TEXT + b',"x":"', b'{"}'],
        [UPDATE_TEXT + b',"x":"', b'{",', b'{"}'],
        # An object that the next record ends.
        [UPDATE_TEXT + b"}," + UPDATE_TEXT, b'"z":1}'],
        [UPDATE_TEXT, b'"z":1},' + UPDATE_TEXT + b"}"],
        # Two objects in one record and none in the other.
        [UPDATE_TEXT + b"}," + UPDATE_TEXT + b"}", b""],
        [UPDATE_TEXT + b"}," + UPDATE_TEXT + b"}", b" "],
        [b"", UPDATE_TEXT + b"}," + UPDATE_TEXT + b"}"],
        # A nested object that is one too many, an array without one.
        [UPDATE_TEXT + b',"x":{}}', b"[1]"],
        [UPDATE_TEXT + b',"x":', UPDATE_TEXT + b"}}"],
        # The array's own brackets and commas.
        [UPDATE_TEXT + b"},", UPDATE_TEXT + b"}"],
        [UPDATE_TEXT + b"}]", b"[" + UPDATE_TEXT + b"}"],
        [UPDATE_TEXT + b"}],[" + UPDATE_TEXT + b"}", UPDATE_TEXT + b"}"],
    ],
)
def test_no_record_can_change_what_another_one_says(values: list[bytes]) -> None:
    good = json.dumps(UPDATE | {"seq": 1}).encode()
    chunk = [Arrival(value) for value in (good, *values, good)]
    found = decode_charging_sessions(chunk, max_bytes=MAX_BYTES)
    assert isinstance(found[0], SessionRecord)
    assert isinstance(found[-1], SessionRecord)
    assert found == one_by_one(decode_charging_sessions, chunk)
    assert any(isinstance(outcome, Rejected) for outcome in found)


# -- any mix


def one_by_one(decode: Any, chunk: list[Arrival]) -> list[Any]:
    return [decode([record], max_bytes=MAX_BYTES)[0] for record in chunk]


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 3),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(
        ["session_start", "session_end", "free", "2023-05-01T10:15:30Z", "2023-05-01T10:15:30"]
    ),
)
JSON_VALUES = (
    SCALARS | st.lists(SCALARS, max_size=3) | st.dictionaries(st.text(max_size=3), SCALARS)
)
NAMES = st.sampled_from(
    sorted({*START, *UPDATE, *END, *CLOSED, *STATUS, "seq", "connector_id", "x"})
)


@st.composite
def events(draw: st.DrawFn) -> bytes:
    """A valid event, in which a few fields may have been changed or removed."""
    event: dict[str, Any] = dict(
        draw(st.sampled_from([START, UPDATE, UPDATE, END, CLOSED, STATUS]))
    )
    event |= draw(st.dictionaries(NAMES, JSON_VALUES, max_size=2))
    for name in draw(st.sets(NAMES, max_size=1)):
        event.pop(name, None)
    return json.dumps(event, ensure_ascii=draw(st.booleans())).encode(errors="surrogatepass")


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """An event some bytes of which were cut out and others put in."""
    value = draw(events())
    start = draw(st.integers(0, len(value)))
    end = draw(st.integers(start, min(len(value), start + 20)))
    put_in = st.binary(max_size=4) | st.sampled_from([b"{", b"}", b'"', b",", b"\\", b"NaN", b"]"])
    return value[:start] + draw(put_in) + value[end:]


VALUES = st.one_of(
    events(), mutated(), st.binary(max_size=40), st.sampled_from([value for value, _ in REASONS])
)


@settings(print_blob=True, deadline=None, max_examples=200)
@given(st.lists(VALUES.map(Arrival), max_size=24))
def test_any_mix_decodes_as_its_records_do_one_by_one(chunk: list[Arrival]) -> None:
    for decode, kind in (
        (decode_charging_sessions, SessionRecord),
        (decode_station_status, StatusReport),
    ):
        found: list[Any] = decode(chunk, max_bytes=MAX_BYTES)
        assert found == one_by_one(decode, chunk)
        for outcome in found:
            assert isinstance(outcome, kind | Rejected)
            if isinstance(outcome, Rejected):
                assert outcome.reason in Reason
                assert outcome.reason is not Reason.RULE_FAILED
                assert 0 < len(outcome.detail) <= MAX_DETAIL


@settings(print_blob=True, deadline=None)
@given(st.lists(events().map(Arrival), max_size=24))
def test_what_is_accepted_is_json_to_another_parser_too(chunk: list[Arrival]) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    for record, outcome in zip(
        chunk, decode_charging_sessions(chunk, max_bytes=MAX_BYTES), strict=True
    ):
        if isinstance(outcome, SessionRecord):
            assert record.value is not None
            event = json.loads(record.value.decode(), parse_constant=refuse)
            assert (outcome.station_id, outcome.session_id) == (
                event["station_id"],
                event["session_id"],
            )


# -- bugs of ours


def test_a_bug_in_decoding_rejects_its_record_only(caplog: pytest.LogCaptureFixture) -> None:
    def convert(event: StatusFields, record: Any) -> str:
        if event.station_id == "bug":
            raise ZeroDivisionError
        return event.station_id

    decoder = ChunkDecoder(None, CHUNK, lambda _: MODEL, StatusFields, convert)
    chunk = [Arrival(json.dumps(STATUS | {"station_id": s}).encode()) for s in ("a", "bug", "c")]

    a, bug, c = decoder.decode(chunk, MAX_BYTES)

    assert (a, c) == ("a", "c")
    assert isinstance(bug, Rejected)
    assert bug.reason is Reason.RULE_FAILED
    assert "ZeroDivisionError" in bug.detail
    assert "partition 3 offset 7" in caplog.text


def test_a_bug_in_choosing_the_model_rejects_its_record_only() -> None:
    def no_model(_: Any) -> Any:
        raise RecursionError

    decoder = ChunkDecoder(None, CHUNK, no_model, StatusFields, lambda event, _: event.station_id)
    chunk = [Arrival(json.dumps(STATUS).encode() + b"\n"), Arrival(b"junk")]
    assert [r.reason for r in decoder.decode(chunk, MAX_BYTES) if isinstance(r, Rejected)] == [
        Reason.RULE_FAILED,
        Reason.NOT_JSON,
    ]


def test_a_number_that_stays_inexact_is_a_bug() -> None:
    def never_exact(_: StatusFields, __: Any) -> str:
        raise InexactError

    decoder = ChunkDecoder(None, CHUNK, lambda _: MODEL, StatusFields, never_exact)
    [outcome] = decoder.decode([Arrival(json.dumps(STATUS).encode())], MAX_BYTES)
    assert isinstance(outcome, Rejected)
    assert outcome.reason is Reason.RULE_FAILED


def test_a_long_detail_is_cut() -> None:
    assert len(reject(Reason.BAD_VALUE, "x" * 1000).detail) == MAX_DETAIL


def test_every_reason_of_the_contract_is_in_the_list() -> None:
    assert {
        "not-json", "not-an-object", "missing-field", "bad-value", "too-large",
        "timestamp-without-zone", "timestamp-in-future", "too-late", "rule-failed",
    } <= {reason.value for reason in Reason}  # fmt: skip
