"""Which batches are in work together, and when they are done."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from stream.transport.batch import Batch, Chunk
from stream.transport.loop import run_batches
from stream.transport.marks import OffsetMarks, Partition

PARTITIONS = [2, 1, 0, 0, 1, 0, 2, 2]


class Agent:
    """Handles batches at its own pace and writes down what it sees."""

    def __init__(self) -> None:
        self.working: list[int] = []
        self.most = 0
        self.told: list[tuple[int, int]] = []

    async def handle(self, batch: Batch) -> None:
        """Take a few turns of the loop, more for some partitions than for others."""
        assert batch.partition not in self.working
        self.working.append(batch.partition)
        self.most = max(self.most, len(self.working))
        for _ in range(1 + 3 * batch.partition):
            await asyncio.sleep(0)
        self.working.remove(batch.partition)
        self.told.append((batch.partition, batch.first_offset))


def batches() -> list[Batch]:
    """One record each, of several partitions."""
    marks, made = OffsetMarks(), list[Batch]()

    def done(batch: Batch) -> None:
        marks.done(batch.claim)

    for number in PARTITIONS:
        partition = Partition("logins", number)
        offset = sum(one.partition == number for one in made)
        chunk = Chunk(
            partition=partition,
            epoch=1,
            start=offset,
            end=offset + 1,
            offsets=[offset],
            timestamps_ms=[0],
            keys=[None],
            values=[b""],
            highwater=9,
        )
        claim = marks.hand_over(partition, epoch=1, start=offset, end=offset + 1)
        assert claim is not None
        made.append(Batch(chunk, claim, on_begin=lambda _: None, on_done=done))
    return made


@pytest.mark.parametrize("at_once", [1, 2, 3])
def test_batches_of_one_partition_follow_one_another(at_once: int) -> None:
    """As many as allowed are in work, never two of a partition, and at the end all are done."""
    agent, given = Agent(), batches()

    async def stream() -> AsyncIterator[Batch]:
        for batch in given:
            yield batch
            assert at_once > 1 or batch.finished

    asyncio.run(run_batches(stream(), agent.handle, at_once=at_once))

    assert agent.most == at_once
    assert all(batch.finished for batch in given)
    assert all(batch.kept == (at_once > 1) for batch in given)
    for number in set(PARTITIONS):
        offsets = [offset for partition, offset in agent.told if partition == number]
        assert offsets == list(range(PARTITIONS.count(number)))


def test_a_loop_that_is_cancelled_with_nothing_in_work_ends_quietly() -> None:
    """Between two batches there is nothing to lose."""

    async def scenario() -> bool:
        asked = asyncio.Event()

        async def stream() -> AsyncIterator[Batch]:
            for batch in batches()[:1]:
                yield batch
            asked.set()
            await asyncio.Event().wait()

        task = asyncio.create_task(run_batches(stream(), Agent().handle, at_once=1))
        await asked.wait()
        task.cancel()
        await asyncio.wait([task])
        return task.cancelled()

    assert asyncio.run(scenario())
