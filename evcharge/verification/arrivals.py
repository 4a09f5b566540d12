"""In which order the records of one session arrived at its table's partition.

The order of the records of one topic is known. Which of a rerouted record and one that came directly was
first is left to chance, and told by the table: it keeps its records in the order in which they arrived.
Of a session that is forgotten the evidence of its bills tells.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import merge
from operator import attrgetter

from evcharge.domain.session import Limits
from evcharge.domain.session.order import Value, first_appearance, value
from evcharge.domain.session_record import SessionRecord
from evcharge.verification.papers import said


def arrived(
    direct: Sequence[SessionRecord],
    rerouted: Sequence[SessionRecord],
    kept: Sequence[SessionRecord],
    limits: Limits,
) -> Sequence[Sequence[SessionRecord]]:
    """Return all records of a session, in each order that can be that of arrival; none: there is none.

    ``kept`` are those that the table has. What is not among them, repeats mostly, stands before the next
    one of its topic that is: where exactly it arrived changes nothing. Behind the last that is kept, the
    one that was too many came first, if there were too many: which one that was is not always known.
    """
    streams = (direct, rerouted)
    places = {
        record: (number, place)
        for number, stream in enumerate(streams)
        for place, record in enumerate(stream)
    }
    ordered: list[SessionRecord] = []
    taken = [0, 0]
    for record in dict.fromkeys(kept):
        if record not in places:
            continue
        number, place = places[record]
        if place < taken[number]:
            return ()
        ordered += streams[number][taken[number] : place + 1]
        taken[number] = place + 1
    first, then = direct[taken[0] :], rerouted[taken[1] :]
    orders = [*ordered, *first, *then], [*ordered, *then, *first]
    is_flood = len(set(map(value, orders[0]))) > limits.max_readings
    if not (ordered and first and then and is_flood):
        # Such as change nothing: repeats, or what came too late.
        return ([*ordered, *merge(first, then, key=_ingest)],)
    return [order for order in orders if kept_of(order, limits) == list(kept)] or orders[1:]


def told_by_evidence(
    direct: Sequence[SessionRecord], rerouted: Sequence[SessionRecord], sealed: Sequence[bytes]
) -> Sequence[SessionRecord]:
    """Return the records of a session that the longest evidence of its bills names, in its order.

    That is how they arrived; none, if one topic tells the order of all.
    """
    if not (direct and rerouted):
        return ()
    at = {(each.partition, each.offset): each for each in (*direct, *rerouted)}
    named = (said(each)["evidence"] for each in sealed)
    evidence = [each["charging-sessions"] for each in named if each is not None]
    places = map(tuple, max(evidence, key=len, default=()))
    return [at[place] for place in places if place in at]


_ingest = attrgetter("ingest_us")


def without_repeats(
    records: Sequence[SessionRecord], kept: Sequence[SessionRecord]
) -> Sequence[SessionRecord]:
    """Return those that the table has, if what is missing only repeats them; otherwise all.

    Of a rerouted repeat that came in one chunk with its like, one is kept: at which of their places
    depends on which appeared first.
    """
    return kept if set(map(value, kept)) == set(map(value, records)) else records


def kept_of(records: Sequence[SessionRecord], limits: Limits) -> list[SessionRecord]:
    """Return what a table keeps of records in the order of arrival.

    Different ones, and repeats that appeared earlier; from the one on that is too many, none.
    """
    first: dict[Value, SessionRecord] = {}
    kept: list[SessionRecord] = []
    for record in records:
        what = value(record)
        known = first.get(what)
        if known is None and len(first) == limits.max_readings:
            break
        if known is None or first_appearance(record) < first_appearance(known):
            first[what] = record
            kept.append(record)
    return kept
