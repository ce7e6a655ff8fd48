"""State that a server has lost is noticed, and reading goes back to where it is whole."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import pytest
import redis
from redis.asyncio import Redis

from stream import keys_in_redis as keys
from stream.fences import Fences
from stream.rewind import WINDOW_MS, Rewind
from stream.transport.batch import Batch, Chunk
from stream.transport.marks import OffsetMarks, Partition

NOW_S = 1_800_000_000.0
TOPIC = "logins"


@dataclass
class Log:
    """A log of two partitions: where it begins, what was appended in the window, its ends."""

    begins: int = 0
    window: int = 40
    ends: int = 100
    gone_back: list[tuple[int, int]] = field(default_factory=list)
    done: dict[Partition, int] = field(default_factory=dict)

    async def go_back(self, partition: Partition, offset: int) -> None:
        """See stream.rewind.Log."""
        self.gone_back.append((partition.partition, offset))
        self.done.pop(partition, None)

    async def offsets_since(self, topic: str, since_ms: int) -> Mapping[int, int]:
        """See stream.rewind.Log."""
        assert topic == TOPIC
        at = {0: self.begins, int(NOW_S * 1000) - WINDOW_MS: self.window}.get(since_ms, self.ends)
        return dict.fromkeys(range(2), at)

    def reached(self) -> Mapping[Partition, int]:
        """See stream.rewind.Log."""
        return self.done


@dataclass
class Scene:
    """A worker's view of a server and a log, and how often it was told of a loss."""

    fences: Fences
    rewind: Rewind
    log: Log
    server: Redis
    losses: list[str]

    async def take(self, start: int, end: int, partition: int = 0) -> bool:
        """A batch as the worker takes it; whether it was done."""
        one = batch(start, end, partition)
        return await self.rewind.before(one) is not None and await self.rewind.after(one)


def batch(start: int, end: int, partition: int = 0) -> Batch:
    """A batch of offsets [start, end)."""
    place = Partition(TOPIC, partition)
    offsets = range(start, end)
    chunk = Chunk(
        partition=place,
        epoch=1,
        start=start,
        end=end,
        offsets=offsets,
        timestamps_ms=[0 for _ in offsets],
        keys=[None for _ in offsets],
        values=[b"" for _ in offsets],
        highwater=end,
    )
    claim = OffsetMarks().hand_over(place, epoch=1, start=start, end=end)
    assert claim is not None
    return Batch(chunk, claim, on_begin=lambda _: None, on_done=lambda _: None)


Course = Callable[[Scene], Awaitable[None]]
Run = Callable[[Course], None]


@pytest.fixture
def run(fresh_redis: redis.Redis, fresh_redis_url: str) -> Run:
    """Give a runner of a course on a fresh installation."""
    del fresh_redis

    def running(course: Course) -> None:
        async def inside() -> None:
            losses: list[str] = []
            async with Redis.from_url(fresh_redis_url) as server:
                log, fences = Log(), Fences(server)

                async def cold() -> None:
                    losses.append("cold")
                    await server.hset(keys.FRONTIERS, keys.BORN.decode(), "7")

                rewind = Rewind(
                    fences,
                    lambda: log,
                    on_loss=lambda: losses.append("loss"),
                    cold=cold,
                    now=lambda: NOW_S,
                )
                await rewind.begin(range(2), judged_before=False)
                await server.hset(keys.FRONTIERS, keys.BORN.decode(), "0")
                await course(Scene(fences, rewind, log, server, losses))

        asyncio.run(inside())

    return running


def test_batch_after_batch_nothing_is_lost(run: Run) -> None:
    """In order, and again after a redelivery, every batch is done and the fence never falls."""

    async def course(at: Scene) -> None:
        assert [await at.take(0, 10), await at.take(10, 30), await at.take(0, 10)] == [True] * 3

        whole = await at.fences.read()
        assert (whole.fences, whole.refilling, at.losses) == ({0: 30, 1: 0}, False, [])

    run(course)


def test_a_cut_end_is_read_again_and_judged_only_when_whole(run: Run) -> None:
    """The server stands where it stood at 10: reading goes back there, and all hold until 30."""

    async def course(at: Scene) -> None:
        await at.take(0, 10)
        await at.take(10, 30)
        await at.server.hset(keys.FENCES, "0", "10")

        assert not await at.take(30, 40)
        assert at.log.gone_back == [(0, 10)]
        assert await at.take(10, 20)
        assert (await at.fences.read()).refilling
        assert not await at.rewind.look()
        assert await at.take(20, 30)
        assert await at.rewind.look()
        assert at.losses == ["loss"]

    run(course)


def test_a_loss_within_a_batch_is_noticed_at_its_end(run: Run) -> None:
    """What the batch had written is gone as well, so it is not done with."""

    async def course(at: Scene) -> None:
        await at.take(0, 10)
        one = batch(10, 20)
        assert await at.rewind.before(one) is not None
        await at.server.hset(keys.FENCES, "0", "5")

        assert not await at.rewind.after(one)
        assert at.log.gone_back == [(0, 5)]

    run(course)


def test_a_server_that_lost_everything_is_filled_from_the_window(run: Run) -> None:
    """Memory is cold; both partitions are read again, also the one from which nothing comes."""

    async def course(at: Scene) -> None:
        await at.take(0, 60)
        await at.take(0, 50, partition=1)
        await at.server.flushdb()
        at.log.done = {Partition(TOPIC, 1): 50}

        assert not await at.take(60, 70)
        assert at.losses == ["loss", "cold"]
        assert not await at.rewind.look()
        assert at.log.gone_back == [(0, 40), (1, 40)]
        for partition in range(2):
            assert await at.take(40, 99, partition)
        assert not await at.rewind.look()
        for partition in range(2):
            assert await at.take(99, 100, partition)
        assert await at.rewind.look()

    run(course)


def test_what_kafka_no_longer_has_is_not_waited_for(run: Run) -> None:
    """Retention has deleted what was lost: reading goes on where it is."""

    async def course(at: Scene) -> None:
        await at.take(0, 30)
        await at.server.hset(keys.FENCES, "0", "10")
        at.log.begins = 30

        assert await at.take(30, 40)
        assert at.log.gone_back == []

    run(course)


def test_a_gap_without_records_is_read_once_more_and_then_passed(run: Run) -> None:
    """Transaction markers come to no batch: the fence cannot pass them by itself."""

    async def course(at: Scene) -> None:
        await at.take(0, 10)

        assert not await at.take(12, 20)
        assert at.log.gone_back == [(0, 10)]
        assert await at.take(12, 20)
        assert await at.take(20, 30)

    run(course)


def test_state_of_a_version_without_fences_is_taken_as_it_is(run: Run) -> None:
    """An update reads nothing again."""

    async def course(at: Scene) -> None:
        await at.server.delete(keys.FENCES)

        assert await at.take(500, 510)
        assert (at.log.gone_back, at.losses) == ([], [])

    run(course)


def test_only_what_is_read_to_its_end_holds_nothing_back(run: Run) -> None:
    """A silent partition with a backlog is not at its end; an empty one is, unread."""

    async def course(at: Scene) -> None:
        at.log.done = {Partition(TOPIC, 0): 100, Partition(TOPIC, 1): 99}
        both = frozenset(range(2))

        assert await at.rewind.read_to_the_end(TOPIC, both) == {0}
        at.log.done, at.log.begins = {}, 100
        assert await at.rewind.read_to_the_end(TOPIC, both) == both

    run(course)


def test_what_was_raised_waits_until_nothing_that_was_held_back_is_left(run: Run) -> None:
    """From a loss on, through the refill, until every worker's shards are judged; then never more,
    and another loss meanwhile is not forgotten with the first.
    """

    async def course(at: Scene) -> None:
        left = [True]

        async def held_back() -> bool:
            return left[0]

        assert not await at.rewind.rebuilding(held_back)
        await at.take(0, 30)
        await at.server.hset(keys.FENCES, "0", "10")
        assert not await at.take(30, 40)
        left[0] = False
        assert await at.rewind.rebuilding(held_back)  # not yet refilled
        assert await at.take(10, 30)
        first = (await at.fences.read()).rebuilding
        left[0] = True
        assert await at.rewind.rebuilding(held_back)
        await at.fences.refill({1: 0})
        await at.fences.rebuilt(first)
        assert await at.rewind.rebuilding(held_back)
        left[0] = False
        assert not await at.rewind.rebuilding(held_back)
        assert (await at.fences.read()).rebuilding == frozenset()

    run(course)
