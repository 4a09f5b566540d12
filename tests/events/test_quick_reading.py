"""Reading events quickly changes nothing: what is accepted, and why not, stays the models' word."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from evcharge.events import charging_sessions, station_status
from evcharge.events.chunk import ChunkDecoder
from evcharge.events.decode import CHARGING_SESSIONS, STATION_STATUS
from evcharge.events.fields import MAX_CONNECTOR, MAX_KWH, MAX_TIMESTAMP
from evcharge.events.quick import LONGEST
from evcharge.events.session_records import SessionFields
from evcharge.events.station_status import StatusFields
from tests.events.arrivals import CLOSED, END, MAX_BYTES, START, STATUS, UPDATE, Arrival

DECODERS: list[ChunkDecoder[Any, Any]] = [STATION_STATUS, CHARGING_SESSIONS]

NUMBERS = st.one_of(
    st.integers(-2, MAX_CONNECTOR + 2),
    st.integers(-(2**63) - 2, 2**63 + 2),
    st.floats(-2, 101),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(
        [0.0, -0.0, 1.0, 1e5, -1e5, 1e5 + 1, 1e10, MAX_KWH, MAX_KWH + 1, 12.3456, 1e-9]
    ),
)
NUMBER_TEXTS = st.one_of(
    NUMBERS.map(json.dumps),
    st.from_regex(r"\A-?[0-9]{1,25}(\.[0-9]{1,25})?([eE][+-]?[0-9]{1,3})?\Z"),
    st.sampled_from(
        ["01", "1.", ".5", "-", "+1", "1e", "0x1", "1_0", "NaN", "Infinity", "1" * 4301]
    ),
)
TEXTS = st.one_of(
    st.text(max_size=4).map(json.dumps),
    st.text(st.sampled_from("AZaz09._:*~+@- é/\\\n\x7f"), max_size=3).map(json.dumps),
    st.sampled_from([1, 63, 64, 65]).map(lambda each: json.dumps("x" * each)),
    st.sampled_from(['"\x01"', '"\\ud800"', '"\\u0041"', '"\\q"', '"session_pause"', '"blocked"']),
)
TIMESTAMPS = st.one_of(
    st.datetimes().map(lambda each: json.dumps(each.isoformat() + "Z")),
    st.builds(
        '"{}-{}-{}{}{}:{}:{}{}{}"'.format,
        st.sampled_from(["2023", "2024", "0001", "9999", "0000"]),
        st.sampled_from(["05", "12", "02", "00"]),
        st.sampled_from(["01", "31", "29"]),
        st.sampled_from(["T", "t", " "]),
        st.sampled_from(["00", "10", "23", "24"]),
        st.sampled_from(["00", "59", "60"]),
        st.sampled_from(["00", "30", "59", "60", "61"]),
        st.sampled_from(["", ".2", ".250", ".123456789", ".", ",5"]),
        st.sampled_from(["Z", "z", "+02:00", "-00:00", "+0200", "-24:00", ""]),
    ),
    st.just(json.dumps("2023-05-01T10:15:30Z".ljust(MAX_TIMESTAMP + 1, "0"))),
)
VALUES = st.one_of(
    NUMBER_TEXTS,
    TEXTS,
    TIMESTAMPS,
    st.sampled_from(["null", "true", "false", "[]", "[[1]]", "{}", "nul"]),
)
NAMES = st.sampled_from(
    sorted({*SessionFields.__struct_fields__, *StatusFields.__struct_fields__, "x"})
)


@st.composite
def values(draw: st.DrawFn) -> bytes:
    """A valid event with a few members in other, arbitrary ways, perhaps twice."""
    event: dict[str, Any] = dict(
        draw(st.sampled_from([START, UPDATE, UPDATE, END, CLOSED, STATUS]))
    )
    members = [(name, json.dumps(value)) for name, value in event.items()]
    members += draw(st.lists(st.tuples(NAMES, VALUES), max_size=3))
    lost = draw(st.none() | st.sampled_from(sorted(event)))
    text = ",".join(f'"{name}":{value}' for name, value in members if name != lost)
    return f"{{{text}}}".encode(errors="surrogatepass")


@pytest.mark.parametrize("decoder", DECODERS)
@settings(print_blob=True, deadline=None, max_examples=400)
@given(chunk=st.lists(values().map(Arrival), max_size=3))
@example(chunk=[Arrival(json.dumps(UPDATE)[:-1].encode() + b',"x":"\xff"}')])
@example(
    chunk=[Arrival(json.dumps(UPDATE)[:-1].encode() + b',"x":' + b"[" * 300 + b"]" * 300 + b"}")]
)
def test_with_and_without_it_every_chunk_says_the_same(
    decoder: ChunkDecoder[Any, Any], chunk: list[Arrival]
) -> None:
    by_models = replace(decoder, quick=None)
    assert decoder.decode(chunk, MAX_BYTES) == by_models.decode(chunk, MAX_BYTES)


@pytest.mark.parametrize("decoder", DECODERS)
@settings(print_blob=True, deadline=None, max_examples=400)
@given(value=values())
def test_what_is_read_quickly_is_what_the_models_find(
    decoder: ChunkDecoder[Any, Any], value: bytes
) -> None:
    assert decoder.quick is not None
    events = decoder.quick.read(b"[%b]" % value)
    if events is None or value.count(b"{") > 1 or len(value) > LONGEST:
        return
    (alone,) = replace(decoder, quick=None).decode([Arrival(value)], MAX_BYTES)
    try:
        said = decoder.convert(events[0], Arrival(value))
    except Exception:  # noqa: BLE001 - then the models are asked
        return
    assert said == alone


@pytest.mark.parametrize("event", [START, UPDATE, END, CLOSED, STATUS])
def test_the_usual_events_are_read_quickly(event: dict[str, Any]) -> None:
    decoder = DECODERS[event is not STATUS]
    value = json.dumps(event | {"event_id": "e-1", "vendor": "x", "firmware": 1.5}).encode()
    assert decoder.quick is not None
    events = decoder.quick.read(b"[%b,%b]" % (value, value))
    assert events is not None
    assert len(events) == 2
    decoder.convert(events[0], Arrival(value))


@pytest.mark.parametrize(
    ("shape", "models"),
    [
        (StatusFields, [station_status.MODEL]),
        (SessionFields, list(charging_sessions.MODELS.values())),
    ],
)
def test_a_quick_shape_has_every_field_of_the_models_with_its_limits(
    shape: type[msgspec.Struct], models: list[Any]
) -> None:
    limits = ("minimum", "maximum", "maxLength", "type")

    def known(schema: dict[str, Any]) -> list[dict[str, Any]]:
        kinds = [each for each in schema.get("anyOf", [schema]) if each.get("type") != "null"]
        return [{name: kind.get(name) for name in limits} for kind in kinds]

    (own,) = msgspec.json.schema(shape)["$defs"].values()
    modelled = {
        name: schema
        for model in models
        for name, schema in model.json_schema()["properties"].items()
    }
    assert set(own["properties"]) == set(modelled)
    for name, schema in modelled.items():
        if name in {"event", "status"}:  # looked at where an event is converted
            continue
        expected = known(schema)
        if "pattern" in schema or any("pattern" in each for each in schema.get("anyOf", ())):
            expected = [{**each, "maxLength": 64} for each in expected]
        assert known(own["properties"][name]) == expected, name
