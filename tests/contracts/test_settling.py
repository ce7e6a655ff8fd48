"""What a judgement leaves with a store: revisions, the next look, and what is still to be swept."""

from __future__ import annotations

from itertools import chain

import pytest

from detectors.engine import HELD_MS
from detectors.windows import (
    FOR_EVER_MS,
    Observed,
    Subject,
    SubjectLog,
    WindowStore,
    compacted,
    placement,
)
from tests.builders import series
from tests.detectors.logs import entry, log_of

from .keepers import Keeper
from .parts import (
    FIRST_LOOK,
    NOW_MS,
    WEB,
    adding,
    alert,
    draft,
    reading_of,
    run,
    settling,
    waiting,
)


def test_an_alert_is_told_when_new_doubled_graver_or_at_rest(keeper: Keeper) -> None:
    """Between those it waits, and its subject stays unsettled until all has been told."""
    drafts = [
        (draft(10), True),
        (draft(10), False),
        (draft(15), False),
        (draft(20), True),
        (draft(21, rank=2), True),
        (draft(22, rank=2), False),
        (draft(22, rank=2, final=True), True),
        (draft(22, rank=2, final=True), False),
    ]

    async def scenario(store: WindowStore) -> list[tuple[bool, bool]]:
        due = await store.record(adding(series(4, every=1)), FIRST_LOOK)
        steps = []
        for one, _ in drafts:
            told = await store.settle(settling(due[WEB], one))
            steps.append((told == ["alert"], bool(await waiting(store, keeper))))
        return steps

    waits = [False, False, True, False, False, True, False, False]
    assert run(keeper, scenario) == list(zip([told for _, told in drafts], waits, strict=True))


def test_an_older_judgement_never_takes_an_alert_back(keeper: Keeper) -> None:
    """A worker that read less, and comes later, changes nothing that was told."""

    async def scenario(fast: WindowStore, slow: WindowStore) -> None:
        due = await fast.record(adding(series(4, every=1)), FIRST_LOOK)
        await fast.settle(settling(due[WEB], draft(20)))
        assert await slow.settle(settling(due[WEB], draft(19, rank=2, final=True))) == []
        assert await slow.settle(settling(due[WEB], draft(20, rank=2, final=True))) == []
        assert await fast.settle(settling(due[WEB], draft(40))) == ["alert"]

    async def both() -> list[object]:
        return list(await keeper.told())

    run(keeper, scenario, workers=2)
    assert run(keeper, lambda _: both()) == [alert(40)]


def test_several_alerts_of_one_judgement_are_told_each_for_itself(keeper: Keeper) -> None:
    """One that waits does not hold back one that is new, and keeps its subject unsettled."""

    async def scenario(store: WindowStore) -> tuple[list[str], list[str], list[Subject]]:
        due = await store.record(adding(series(4, every=1)), FIRST_LOOK)
        first = await store.settle(settling(due[WEB], draft(10, name="a")))
        both = await store.settle(settling(due[WEB], draft(11, name="a"), draft(5, name="b")))
        return first, both, await waiting(store, keeper)

    assert run(keeper, scenario) == (["a"], ["b"], [WEB])


def test_a_compacted_log_is_the_same_set(keeper: Keeper) -> None:
    """Duplicates go, and what was appended since the reading stays."""
    events = series(6, every=1)

    async def scenario(store: WindowStore, other: WindowStore) -> tuple[SubjectLog, int, int]:
        await store.record(adding(events[:4]), FIRST_LOOK)
        due = await store.record(adding(events[:4]), FIRST_LOOK)
        await other.record(adding(events[3:]), FIRST_LOOK)
        before = await reading_of(store)
        whole = compacted(due[WEB].blob)
        await store.settle(settling(due[WEB], compacted=whole))
        after = await reading_of(other)
        return SubjectLog.of(after.blob), before.seen - after.seen, after.generation

    log, saved, generation = run(keeper, scenario, workers=2)
    assert log == log_of(map(entry, events))
    assert saved == 4 * len(entry(events[0]))
    assert generation == 1


@pytest.mark.parametrize("compacts", [False, True])
def test_a_judgement_of_a_rewritten_log_is_harmless(keeper: Keeper, compacts: bool) -> None:
    """A reading from before a compaction neither cuts the log nor forgets that it has grown."""
    events = series(9, every=1)

    async def scenario(slow: WindowStore, fast: WindowStore) -> tuple[SubjectLog, list[Subject]]:
        # The newer attempts first: after the compaction they stand at the end.
        stale = (await slow.record(adding(events[4:8]), FIRST_LOOK))[WEB]
        due = (await fast.record(adding(events[:6]), FIRST_LOOK))[WEB]
        await fast.settle(settling(due, draft(8), compacted=compacted(due.blob)))
        await fast.record(adding(events[8:]), FIRST_LOOK)
        whole = compacted(stale.blob) if compacts else None
        await slow.settle(settling(stale, draft(4), compacted=whole))
        return SubjectLog.of((await reading_of(fast)).blob), await waiting(fast, keeper)

    log, unsettled = run(keeper, scenario, workers=2)
    assert log == log_of(map(entry, events))
    assert unsettled == [WEB]


def test_growth_of_a_flagged_log_is_unsettled_until_it_is_judged(keeper: Keeper) -> None:
    """From the first attempt behind a judgement until the next one the subject is to be swept."""
    events = series(10, every=1)

    async def scenario(store: WindowStore) -> list[list[Subject]]:
        due = await store.record(adding(events[:4]), FIRST_LOOK)
        steps = [await waiting(store, keeper)]
        await store.settle(settling(due[WEB], draft(4)))
        steps.append(await waiting(store, keeper))
        assert not await store.record(adding(events[4:7]), FIRST_LOOK)
        steps.append(await waiting(store, keeper))
        newest = NOW_MS + 6000
        steps.append(await waiting(store, keeper, newest - 1))
        assert not await store.record(adding(events[7:]), FIRST_LOOK)
        steps.append(await waiting(store, keeper, newest))
        await store.settle(settling(await reading_of(store), draft(10, final=True)))
        return [*steps, await waiting(store, keeper)]

    assert run(keeper, scenario) == [[], [], [WEB], [], [WEB], []]


def test_growth_between_reading_and_settling_is_not_forgotten(keeper: Keeper) -> None:
    """Another worker appends to a log that is being judged: it stays unsettled."""

    async def scenario(sweeper: WindowStore, worker: WindowStore) -> list[Subject]:
        due = await worker.record(adding(series(4, every=1)), FIRST_LOOK)
        await worker.settle(settling(due[WEB], draft(4)))
        swept = await reading_of(sweeper)
        assert not await worker.record(adding(series(2, every=1, name="m")), FIRST_LOOK)
        await sweeper.settle(settling(swept, draft(4, final=True)))
        return await waiting(sweeper, keeper)

    assert run(keeper, scenario, workers=2) == [WEB]


@pytest.mark.parametrize("pending", [False, True])
def test_an_older_judgement_does_not_settle_what_a_newer_one_left(
    keeper: Keeper, pending: bool
) -> None:
    """A worker that read before a log was flagged, or left pending, does not clear the mark."""

    async def scenario(slow: WindowStore, fast: WindowStore) -> list[Subject]:
        stale = (await slow.record(adding(series(4, every=1)), FIRST_LOOK))[WEB]
        due = (await fast.record(adding(series(2, every=1, name="m")), FIRST_LOOK))[WEB]
        if pending:
            await fast.settle(settling(due, pending=True))
        else:
            await fast.settle(settling(due, draft(6)))
            assert not await fast.record(adding(series(1, every=1, name="n")), FIRST_LOOK)
        await slow.settle(settling(stale))
        return await waiting(fast, keeper)

    assert run(keeper, scenario, workers=2) == [WEB]


def test_what_is_pending_stays_unsettled_until_it_is_judged(keeper: Keeper) -> None:
    """An `as_of` part that waits for other partitions is swept again until it has been judged."""

    async def scenario(store: WindowStore) -> list[list[Subject]]:
        due = await store.record(adding(series(4, every=1)), FIRST_LOOK)
        await store.settle(settling(due[WEB], pending=True, at_ms=NOW_MS))
        steps = [await waiting(store, keeper, NOW_MS - 1), await waiting(store, keeper, NOW_MS)]
        await store.settle(settling(due[WEB], draft(4)))
        return [*steps, await waiting(store, keeper)]

    assert run(keeper, scenario) == [[], [WEB], []]


def test_who_judged_a_part_does_not_settle_what_waits_for_the_whole(keeper: Keeper) -> None:
    """A look without the successes beside leaves a subject waiting; where none waits, none does."""

    async def scenario(store: WindowStore) -> list[list[Subject]]:
        due = await store.record(adding(series(4, every=1)), FIRST_LOOK)
        await store.settle(settling(due[WEB], partial=True))
        steps = [await waiting(store, keeper)]
        await store.settle(settling(due[WEB], pending=True))
        await store.settle(settling(due[WEB], partial=True))
        return [*steps, await waiting(store, keeper)]

    assert run(keeper, scenario) == [[], [WEB]]


def test_who_got_in_meanwhile_is_not_what_was_held_back(keeper: Keeper) -> None:
    """It is looked at again before all others, yet nothing waits for it: under load there is always
    one more, and what is raised after a loss of state would wait for ever.
    """
    got_in = series(1, every=1, name="in", outcome="success")

    async def scenario(store: WindowStore) -> list[list[Subject]]:
        due = await store.record(adding(series(4, every=1)), FIRST_LOOK)
        await store.record(adding(got_in, subject=placement(WEB)), FIRST_LOOK)
        (one,) = settling(due[WEB], draft(4))
        await store.settle([one._replace(beside=0)])
        return [await waiting(store, keeper, HELD_MS), await waiting(store, keeper)]

    assert run(keeper, scenario) == [[], [WEB]]


def test_all_partitions_have_come_as_far_as_the_last_of_them(keeper: Keeper) -> None:
    """What is settled is the least frontier; a partition of which nothing is known is at zero."""

    async def scenario(one: WindowStore, other: WindowStore) -> list[int]:
        steps = [await one.settled(), await one.settled(besides=0)]
        await one.advance(0, 50)
        steps += [await other.settled(), await other.settled(besides=0)]
        await other.announce(range(2))
        steps += [await one.settled(), await one.settled(besides=1)]
        await other.advance(1, 30)
        await other.announce(range(2))
        steps += [await one.settled(), await one.settled(besides=1)]
        await other.advance(1, FOR_EVER_MS)
        return [*steps, await other.settled(), await other.settled(besides=0)]

    found = run(keeper, scenario, workers=2)
    assert found == [0, FOR_EVER_MS, 50, FOR_EVER_MS, 0, 50, 30, 50, 50, FOR_EVER_MS]


def test_unsettled_subjects_come_bounded_and_by_shard(keeper: Keeper) -> None:
    """No more than asked for, each from its shard alone, none lost."""
    subjects = [Subject("web", "ip", f"192.0.2.{n}") for n in range(20)]

    async def scenario(store: WindowStore) -> None:
        for subject in subjects:
            due = await store.record(adding(series(4, every=1), subject=subject), FIRST_LOOK)
            await store.settle(settling(due[subject], draft(4), subject=subject))
            await store.record(adding(series(1, every=1, name="m"), subject=subject), FIRST_LOOK)
        shards = range(keeper.shards)
        by_shard = [await store.unsettled([shard], 1 << 62, 1000) for shard in shards]
        assert sorted(chain.from_iterable(by_shard)) == sorted(subjects)
        assert len(await store.unsettled(shards, 1 << 62, 7)) == 7
        assert await store.unsettled([], 1 << 62, 7) == []

    run(keeper, scenario)


def test_settling_nothing_is_nothing(keeper: Keeper) -> None:
    """Empty batches cost no call and return nothing."""

    async def scenario(store: WindowStore) -> list[object]:
        return [
            await store.claim([]),
            await store.record(Observed({}), FIRST_LOOK),
            await store.settle([]),
            await store.read([]),
            await waiting(store, keeper),
        ]

    assert run(keeper, scenario) == [[], {}, [], {}, []]
