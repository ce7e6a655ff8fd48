"""Identities and logs, as every WindowStore keeps them: in memory, and in Redis or Valkey."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from detectors.events import milliseconds
from detectors.windows import (
    HOUR_CAP,
    RETENTION_MS,
    Observed,
    Standing,
    Subject,
    SubjectLog,
    WindowStore,
    compacted,
)
from tests.builders import DAY, HOUR, login, series
from tests.detectors.logs import entry, log_of

from .keepers import Keeper
from .parts import FIRST_LOOK, NOW_MS, WEB, adding, claim, draft, reading_of, run, settling


def test_the_first_record_holds_its_identity(keeper: Keeper) -> None:
    """The same content elsewhere is a duplicate, other content a conflict, another id its own."""

    async def scenario(store: WindowStore) -> list[Standing]:
        return await store.claim(
            [
                claim(1),
                claim(2),
                claim(3, content=2),
                claim(4, name=b"another!"),
            ]
        )

    assert run(keeper, scenario) == ["first", "duplicate", "conflict", "first"]


def test_a_redelivered_record_stays_first(keeper: Keeper) -> None:
    """After a crash the same position comes again, and its events still count."""

    async def scenario(one: WindowStore, other: WindowStore) -> list[list[Standing]]:
        first = await one.claim([claim(1), claim(2)])
        return [first, await other.claim([claim(1), claim(2)]), await one.claim([claim(1)])]

    assert run(keeper, scenario, workers=2) == [
        ["first", "duplicate"],
        ["first", "duplicate"],
        ["first"],
    ]


def test_an_identity_is_known_in_the_next_page(keeper: Keeper) -> None:
    """A repetition just behind a page of append time is still a duplicate."""
    hour = 3_600_000
    end_of_page = NOW_MS // hour * hour + hour - 1

    async def scenario(store: WindowStore) -> list[Standing]:
        found = await store.claim([claim(1, at=end_of_page)])
        found += await store.claim([claim(2, at=end_of_page + 1)])
        return found + await store.claim([claim(3, content=9, at=end_of_page + hour)])

    assert run(keeper, scenario) == ["first", "duplicate", "conflict"]


def test_a_large_batch_of_claims_is_one_batch(keeper: Keeper) -> None:
    """However a store cuts thousands of claims, each repeat finds its first, near or far."""

    def name(number: int) -> bytes:
        return number.to_bytes(8, "little")

    large = [claim(n, name=name(n)) for n in range(9_000)]
    repeats = [claim(9_000 + n, name=name(n), content=1 + n % 2) for n in range(0, 9_000, 1_500)]
    repeats += [claim(9_500, name=name(9_500)), claim(9_501, name=name(9_500))]

    async def scenario(store: WindowStore) -> list[Standing]:
        return await store.claim(large + repeats)

    found = run(keeper, scenario)

    assert found[:9_000] == ["first"] * 9_000
    assert found[9_000:] == ["duplicate"] * 6 + ["first", "duplicate"]


def test_claims_of_several_workers_agree_with_one(keeper: Keeper) -> None:
    """Whoever asks: of each identity exactly one position is first, for ever."""
    random = Random(7)
    claims = [
        claim(offset, name=bytes([random.randrange(12)] * 8), content=random.randrange(2))
        for offset in range(300)
    ]

    async def scenario(*stores: WindowStore) -> list[Standing]:
        found: list[Standing] = []
        for start in range(0, len(claims), 20):
            batch = claims[start : start + 20]
            first = await stores[start // 20 % 3].claim(batch)
            assert await stores[0].claim(batch) == first
            found += first
        return found

    holders: dict[bytes, int] = {}
    expected = []
    for one in claims:
        new = one.identity not in holders
        same = holders.setdefault(one.identity, one.content) == one.content
        expected.append("first" if new else "duplicate" if same else "conflict")
    assert run(keeper, scenario, workers=3) == expected


def test_a_log_is_a_set(keeper: Keeper) -> None:
    """A batch that comes twice, and entries in any order, leave one log."""
    events = series(3, every=5)

    async def scenario(store: WindowStore) -> SubjectLog:
        await store.record(adding(reversed(events)), FIRST_LOOK)
        await store.record(adding(events), FIRST_LOOK)
        return SubjectLog.of((await reading_of(store)).blob)

    log = run(keeper, scenario)
    assert log == log_of(map(entry, events))
    assert len(log) == 3


def test_logs_of_subjects_are_apart(keeper: Keeper) -> None:
    """Addresses and systems share nothing, however their names are put together."""
    subjects = [
        Subject("a", "account", "b:c"),
        Subject("a:account", "account", "c"),
        Subject("a", "account", "c"),
    ]

    async def scenario(store: WindowStore) -> list[int]:
        for number, subject in enumerate(subjects, start=1):
            events = series(number, every=1, name=f"s{number}")
            await store.record(adding(events, subject=subject), FIRST_LOOK)
        found = await store.read([*subjects, Subject("a", "account", "unknown")])
        assert set(found) == set(subjects)
        return [len(SubjectLog.of(found[subject].blob)) for subject in subjects]

    assert run(keeper, scenario) == [1, 2, 3]


def test_a_log_is_looked_at_from_its_first_look_on(keeper: Keeper) -> None:
    """Below the fewest attempts that could fire nothing is read; from there on it is."""

    async def scenario(store: WindowStore) -> list[int]:
        looks = []
        for event in series(5, every=1):
            due = await store.record(adding([event]), FIRST_LOOK)
            looks.append(len(SubjectLog.of(due[WEB].blob)) if due else 0)
        return looks

    assert run(keeper, scenario) == [0, 0, 0, 4, 5]


@pytest.mark.parametrize("flagged", [False, True])
def test_a_settled_log_is_looked_at_no_later_than_its_room(keeper: Keeper, flagged: bool) -> None:
    """After a judgement that lacked ten attempts, none is looked at before, the tenth is."""
    drafts = [draft(4)] if flagged else []

    async def scenario(store: WindowStore) -> list[bool]:
        due = await store.record(adding(series(4, every=1)), FIRST_LOOK)
        await store.settle(settling(due[WEB], *drafts, room=10))
        return [
            bool(await store.record(adding([event]), FIRST_LOOK))
            for event in series(10, every=1, name="m")
        ]

    looks = run(keeper, scenario)
    # An entry is longer than the shortest one possible, so the look may come a little early.
    assert looks[-1]
    assert not any(looks[:6])


def test_a_watched_log_is_looked_at_only_where_flagged(keeper: Keeper) -> None:
    """A success may matter for an address that is flagged, and for no other."""

    async def scenario(store: WindowStore) -> list[bool]:
        due = await store.record(adding(series(4, every=1)), FIRST_LOOK)
        watching = Observed({}, watched=frozenset({WEB, Subject("web", "ip", "198.51.100.9")}))
        before = await store.record(watching, FIRST_LOOK)
        await store.settle(settling(due[WEB], draft(4)))
        after = await store.record(watching, FIRST_LOOK)
        assert set(after) <= {WEB}
        return [bool(before), bool(after)]

    assert run(keeper, scenario) == [False, True]


def test_an_urgent_log_is_looked_at_even_where_there_is_none(keeper: Keeper) -> None:
    """A login from an ill-reputed network is judged although its address never failed."""
    urgent = Observed({}, urgent=frozenset({WEB}), watched=frozenset({WEB}))

    async def scenario(store: WindowStore) -> list[int]:
        nothing = await store.record(urgent, FIRST_LOOK)
        await store.record(adding(series(1, every=1)), FIRST_LOOK)
        one = await store.record(urgent, FIRST_LOOK)
        both = await store.record(
            replace(adding(series(3, every=1, name="m")), urgent=frozenset({WEB})), FIRST_LOOK
        )
        return [len(SubjectLog.of(found[WEB].blob)) for found in (nothing, one, both)]

    assert run(keeper, scenario) == [0, 1, 4]


def test_memories_grow_at_their_end(keeper: Keeper) -> None:
    """What was added is there, for each owner, and for nobody else."""

    async def scenario(store: WindowStore) -> list[dict[bytes, bytes]]:
        one, other = b"1" * 12, b"2" * 12
        await store.record(Observed({}, remembered={one: b"a" * 23, other: b"b" * 23}), FIRST_LOOK)
        await store.record(Observed({}, remembered={one: b"c" * 23}), FIRST_LOOK)
        return [await store.recall([one, other, b"3" * 12]), await store.recall([])]

    assert run(keeper, scenario) == [
        {b"1" * 12: b"a" * 23 + b"c" * 23, b"2" * 12: b"b" * 23},
        {},
    ]


def test_a_rewritten_memory_keeps_what_came_meanwhile(keeper: Keeper) -> None:
    """What another worker appended since the reading stands behind the new content."""
    owner = b"1" * 12

    async def scenario(store: WindowStore, other: WindowStore) -> dict[bytes, bytes]:
        await store.record(Observed({}, remembered={owner: b"a" * 46}), FIRST_LOOK)
        await other.record(Observed({}, remembered={owner: b"b" * 23}), FIRST_LOOK)
        await store.rewrite({owner: (b"c" * 23, 46)})
        return await store.recall([owner])

    assert run(keeper, scenario, workers=2) == {owner: b"c" * 23 + b"b" * 23}


def test_a_system_is_warm_from_its_thousandth_success(keeper: Keeper) -> None:
    """In any order and told twice: the time of the thousandth earliest, and not before."""
    successes = [(NOW_MS + n, n.to_bytes(8, "big")) for n in range(1_001)]
    Random(5).shuffle(successes)

    async def scenario(store: WindowStore) -> list[int | None]:
        found = []
        for start in (0, 500, 500, 999, 1_000):
            end = {0: 500, 500: 999, 999: 1_000, 1_000: 1_001}[start]
            found.append((await store.warm({"web": successes[start:end], "app": []}))["web"])
        assert await store.warm({"app": []}) == {"app": None}
        return found

    times = sorted(at for at, _ in successes[:1_000])
    assert run(keeper, scenario) == [None, None, None, times[999], NOW_MS + 999]


def test_the_cap_of_an_hour_does_not_depend_on_the_order(keeper: Keeper) -> None:
    """Of 700 attempts in an hour the first 512 by time and identity are seen, however they came."""
    events = series(700, every=2)
    expected = log_of(map(entry, events))
    random = Random(3)

    async def scenario(store: WindowStore) -> list[SubjectLog]:
        logs = []
        for number in range(3):
            subject = Subject("web", "ip", f"192.0.2.{number}")
            random.shuffle(events)
            for start in range(0, len(events), 90):
                batch = adding(events[start : start + 90], subject=subject)
                due = await store.record(batch, FIRST_LOOK)
                whole = compacted(due[subject].blob)
                await store.settle(settling(due[subject], room=1, compacted=whole, subject=subject))
            logs.append(SubjectLog.of((await reading_of(store, subject)).blob))
        return logs

    logs = run(keeper, scenario)
    assert logs == [expected] * 3
    assert len(expected) == HOUR_CAP
    assert len(expected.capped_hours) == 1


def test_trimming_goes_by_event_time(keeper: Keeper) -> None:
    """What is older than RETENTION behind the present goes, what is as old as that stays."""
    newest = login(3 * DAY, "newest")
    edge = login(3 * DAY - RETENTION_MS / 1000, "edge")
    old = login(3 * DAY - RETENTION_MS / 1000 - 0.001, "old")
    late = login(3 * DAY - 6 * HOUR, "late")

    async def scenario(store: WindowStore) -> list[bytes]:
        await store.record(adding([newest, edge, old]), FIRST_LOOK)
        reading = await reading_of(store)
        oldest = milliseconds(newest.occurred_at) - RETENTION_MS
        await store.settle(settling(reading, compacted=compacted(reading.blob, oldest)))
        await store.record(adding([late]), FIRST_LOOK)
        return list(SubjectLog.of((await reading_of(store)).blob).entries)

    assert run(keeper, scenario) == [entry(edge), entry(late), entry(newest)]
