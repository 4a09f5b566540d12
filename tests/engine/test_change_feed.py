"""Listeners hear what became durable, in order, and never hold up the lane."""

from __future__ import annotations

import asyncio

from evcharge.engine.change_feed import Change, ChangeFeed, Missed, Place, Subscription

STATUS = Place("station-status", 0)
OTHER = Place("station-status", 1)


def feed(rows: int = 10) -> ChangeFeed:
    one = ChangeFeed(rows)
    one.begin(STATUS, 99)
    one.begin(OTHER, 99)
    return one


def publish(to: ChangeFeed, *offsets: int, place: Place = STATUS) -> list[Change]:
    for offset in offsets:
        to.publish(place, offset, {b"S%d" % offset: b"row"})
    return [
        Change(place, offset, {b"S%d" % offset: b"row"}, len(b"S%drow" % offset))
        for offset in offsets
    ]


async def heard(subscription: Subscription, count: int) -> list[Change | Missed]:
    changes = aiter(subscription)
    async with asyncio.timeout(5):
        return [await anext(changes) for _ in range(count)]


async def test_changes_come_in_order_with_their_offsets() -> None:
    changes = feed()
    with changes.subscribe() as subscription:
        published = publish(changes, 100, 102, 105)
        assert await heard(subscription, 3) == published


async def test_a_listener_waits_for_what_comes() -> None:
    changes = feed()
    with changes.subscribe() as subscription:
        hearing = asyncio.create_task(heard(subscription, 1))
        await asyncio.sleep(0)
        assert not hearing.done()
        published = publish(changes, 100)
        assert await hearing == published


async def test_who_comes_back_goes_on_behind_what_it_has_seen() -> None:
    changes = feed()
    _, second, third = publish(changes, 100, 102, 105)
    with changes.subscribe({STATUS: 100}) as subscription:
        assert await heard(subscription, 2) == [second, third]


async def test_who_saw_everything_before_the_first_change_gets_all() -> None:
    changes = feed()
    published = publish(changes, 100, 102)
    with changes.subscribe({STATUS: 99}) as subscription:
        assert await heard(subscription, 2) == published


async def test_who_comes_back_too_late_reads_the_partition_anew() -> None:
    changes = feed(rows=2)
    publish(changes, 100, 102, 105)
    later = publish(changes, 106, place=OTHER)
    with changes.subscribe({STATUS: 99, OTHER: 99}) as subscription:
        assert await heard(subscription, 2) == [Missed(STATUS), *later]


async def test_a_place_that_is_not_here_has_to_be_read_elsewhere() -> None:
    with feed().subscribe({Place("station-status", 7): 5}) as subscription:
        assert await heard(subscription, 1) == [Missed(Place("station-status", 7))]


async def test_a_listener_that_is_too_slow_is_told_what_it_missed_and_hears_the_rest() -> None:
    changes = feed(rows=3)
    with changes.subscribe() as subscription:
        publish(changes, 100)
        others = publish(changes, 200, 201, place=OTHER)
        publish(changes, 101)
        assert await heard(subscription, 3) == [Missed(STATUS), *others]
        later = publish(changes, 102)
        assert await heard(subscription, 1) == later


async def test_memory_is_bounded_whoever_listens() -> None:
    changes = feed(rows=5)
    with changes.subscribe() as subscription:
        for offset in range(1_000):
            publish(changes, 100 + offset)
        assert len(subscription._waiting) <= 5
        assert len(changes._recent) <= 5


async def test_memory_is_bounded_in_bytes_whoever_listens() -> None:
    changes = ChangeFeed(1_000, remembered_bytes=5_000)
    changes.begin(STATUS, 99)
    with changes.subscribe() as subscription:
        for offset in range(100, 200):
            changes.publish(STATUS, offset, {b"k": bytes(999), b"deleted": None})
        assert [change.offset for change in changes._recent] == [196, 197, 198, 199]
        assert sum(change.size for change in subscription._waiting) <= 5_000
        assert await heard(subscription, 1) == [Missed(STATUS)]
    with changes.subscribe({STATUS: 194}) as too_late, changes.subscribe({STATUS: 195}) as back:
        assert await heard(too_late, 1) == [Missed(STATUS)]
        assert [each.offset for each in back._waiting] == [196, 197, 198, 199]


async def test_a_change_that_is_too_large_to_be_remembered_has_to_be_read() -> None:
    changes = ChangeFeed(1_000, remembered_bytes=5_000)
    changes.begin(STATUS, 99)
    with changes.subscribe() as subscription:
        changes.publish(STATUS, 100, {b"k": bytes(5_000)})
        assert await heard(subscription, 1) == [Missed(STATUS)]
    assert not changes._recent


async def test_a_partition_that_came_back_is_read_anew() -> None:
    changes = feed()
    publish(changes, 100)
    with changes.subscribe({STATUS: 99}) as subscription:
        changes.begin(STATUS, 200)
        published = publish(changes, 201)
        assert await heard(subscription, 2) == [Missed(STATUS), *published]
    with changes.subscribe({STATUS: 100}) as subscription:
        assert await heard(subscription, 1) == [Missed(STATUS)]


async def test_nothing_is_told_to_one_who_left() -> None:
    changes = feed()
    with changes.subscribe() as subscription:
        pass
    publish(changes, 100)
    assert not subscription._waiting
