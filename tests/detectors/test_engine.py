"""What became of a batch is counted, and the engine judges what its rules say, no more."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from detectors.engine import Arrival, Engine, Tally
from detectors.events import LoginEvent, milliseconds
from detectors.familiarity import Familiar
from detectors.intake import accepted, claims, observe
from detectors.memory import MemoryStore
from detectors.rule import NEVER, Mode
from detectors.windows import (
    EVERYBODY,
    FOR_EVER_MS,
    SAMPLE,
    Subject,
    SubjectLog,
    WindowStore,
)
from tests.builders import (
    DAY,
    HOUR,
    IP,
    MINUTE,
    NAMES,
    START,
    arrivals,
    engine,
    final,
    found,
    login,
    rules,
    series,
)

START_MS = milliseconds(START)


def handled(*batches: list[LoginEvent], store: MemoryStore | None = None) -> list[Tally]:
    """The tallies of batches at consecutive offsets."""

    async def run() -> list[Tally]:
        judge, kept = engine(), store or MemoryStore()
        tallies, offset = [], 0
        for batch in batches:
            tallies.append(await judge.handle(arrivals(batch, offset=offset), kept))
            offset += len(batch)
        return tallies

    return asyncio.run(run())


def test_every_event_of_a_batch_is_in_one_count() -> None:
    """Judged, duplicate or conflict: they add up to what was read, by hour and source."""
    events = [
        login(0, "a"),
        login(0, "a"),
        login(0, "a", account="other"),
        login(HOUR, "b"),
        login(HOUR, "b", source="gateway"),
    ]

    (tally,) = handled(events)

    assert tally.judged == {
        (START_MS, "web"): 1,
        (START_MS + 3_600_000, "web"): 1,
        (START_MS + 3_600_000, "gateway"): 1,
    }
    assert tally.duplicates == {(START_MS, "web"): 1}
    ((cell, arrival, why),) = tally.conflicts
    assert (cell, arrival.offset, why.reason) == ((START_MS, "web"), 2, "id_conflict")
    assert why.detail.isprintable()
    assert [one.event for one in tally.accepted] == [events[0], events[3], events[4]]
    total = tally.judged.total() + tally.duplicates.total() + len(tally.conflicts)
    assert total == len(events)


def test_the_clock_is_not_moved_by_a_future_event() -> None:
    """Event time counts up to the time of its append: one wrong clock closes nobody's alerts."""
    future = Arrival(login(DAY, "future"), 0, 0, START_MS + 5)
    past = Arrival(login(-HOUR, "past"), 0, 1, START_MS + 6)

    tally = asyncio.run(engine().handle([future, past], MemoryStore()))

    assert tally.latest_ms == START_MS + 5


def test_an_empty_batch_is_nothing() -> None:
    """It costs nothing and finds nothing."""
    (tally,) = handled([])

    assert tally == Tally()


def test_looks_and_revisions_are_counted() -> None:
    """How many logs were judged, and which alerts were told."""
    tallies = handled(series(9, every=1), series(1, every=1, start=9, name="tenth"))

    assert [tally.looked for tally in tallies] == [1, 2]  # the tenth is its account's tenth too
    assert [len(tally.revised) for tally in tallies] == [0, 1]


@pytest.mark.parametrize(("mode", "alerts"), [("live", 1), ("staged", 1), ("off", 0)])
def test_the_mode_of_a_detection(mode: Mode, alerts: int) -> None:
    """Staged judges like live and says so in its alerts; off does not judge."""
    (burst,) = rules(only="ip_fail_burst")
    active = (replace(burst, mode=mode),)

    told = found(series(10, every=1), active=active)

    assert len(told) == alerts
    assert {alert.mode for alert in told} <= {mode}


def test_no_detection_at_all_looks_at_nothing() -> None:
    """With everything off, events are still claimed and counted."""
    judge, store = Engine((), NAMES), MemoryStore()

    tally = asyncio.run(judge.handle(arrivals(series(50, every=1)), store))

    assert (tally.judged.total(), tally.looked) == (50, 0)


def test_a_rule_of_another_kind_of_subject_is_not_asked() -> None:
    """What watches accounts does not judge the log of an address."""
    (burst,) = rules(only="ip_fail_burst")
    other = replace(burst, rule=replace(burst.rule, watches=("subnet",)))

    assert found(series(30, every=1), active=(other,)) == []


def test_a_skewed_clock_is_judged_by_its_receiver() -> None:
    """Ten failures told with wrong times, received within a minute, are a burst of that minute."""
    received = series(10, every=6)
    skewed = [
        login(8 * DAY * n, f"s{n}", received_at=event.occurred_at)
        for n, event in enumerate(received, start=1)
    ]

    (alert,) = found(skewed, active=rules(only="ip_fail_burst"))

    assert alert.opened_at == "2026-11-23T06:00:54Z"


def test_a_large_batch_of_one_address_is_capped_before_it_is_sent() -> None:
    """Ten thousand attempts of an hour leave the worker as 513, however large the flood."""
    events = series(10_000, every=0.3)
    brought = arrivals(events)
    taken = [
        accepted(one, claim.identity, milliseconds(one.event.judged_at), NAMES)
        for one, claim in zip(brought, claims(brought, NAMES), strict=True)
    ]

    seen = observe(taken, NAMES, Familiar()).entries

    assert {subject.value: len(entries) for subject, entries in seen.items()} == {
        IP: 513,
        NAMES.account("account0"): 513,
        EVERYBODY: 50 * (SAMPLE + 1),  # of each minute
    }


class Ticking:
    """A worker that handles, then sweeps at clocks of the test's choosing."""

    def __init__(self) -> None:
        self.engine, self.store = engine(rules(only="ip_fail_burst")), MemoryStore()
        self.offset = 0

    async def handle(self, events: list[LoginEvent]) -> None:
        """One batch, up to the end of its partition."""
        arriving = arrivals(events, offset=self.offset)
        await self.engine.handle(arriving, self.store, caught_up=True)
        self.offset += len(events)

    async def sweep(self, at: float, *, idle: bool = False, most: int = 500) -> tuple[int, int]:
        """Judged subjects and revisions of a sweep at `at` seconds after START."""
        clock = START_MS + int(at * 1000)
        judged, told = await self.engine.sweep(self.store, [0], clock, idle=idle, most=most)
        return judged, len(told)

    def told(self) -> list[int]:
        """The sizes of the alerts as told so far."""
        return [alert.revision for alert in final(self.store)]


def test_an_alert_grows_with_the_clock_and_closes_at_rest() -> None:
    """Growth is judged after half a minute, told after two minutes of rest or when idle."""

    async def scenario() -> None:
        worker = Ticking()
        await worker.handle(series(10, every=1))
        assert worker.told() == [10]
        await worker.handle(series(3, every=1, start=10, name="more"))
        assert await worker.sweep(41.999) == (0, 0)
        assert await worker.sweep(42) == (1, 0)
        assert await worker.sweep(60) == (0, 0)
        assert await worker.sweep(132) == (1, 0)
        assert worker.told() == [10]
        assert await worker.sweep(200) == (1, 1)
        assert worker.told() == [13]
        assert await worker.sweep(10_000, idle=True) == (0, 0)

    asyncio.run(scenario())


def test_an_idle_worker_tells_what_waits() -> None:
    """When nothing comes any more, event time stands still and alerts get their last revision."""

    async def scenario() -> None:
        worker = Ticking()
        await worker.handle(series(10, every=1))
        await worker.handle(series(3, every=1, start=10, name="more"))
        assert await worker.sweep(0, idle=True) == (1, 1)
        assert await worker.sweep(0, idle=True) == (0, 0)
        assert worker.told() == [13]

    asyncio.run(scenario())


def test_a_flood_that_grows_beyond_its_cap_says_so() -> None:
    """512 were told as all there were; the next attempt makes them `at least 512`."""

    async def scenario() -> list[tuple[int, int | None]]:
        worker = Ticking()
        steps = []
        for events in (series(512, every=1), series(9, every=1, start=512, name="more")):
            await worker.handle(events)
            await worker.sweep(0, idle=True)
            (alert,) = final(worker.store)
            steps.append((alert.counts["failures"], alert.counts.get("capped")))
        return steps

    assert asyncio.run(scenario()) == [(512, None), (512, 1)]


def test_a_sweep_is_bounded() -> None:
    """However many subjects wait, one sweep judges no more than asked for."""

    async def scenario() -> list[tuple[int, int]]:
        worker = Ticking()
        for n in range(5):
            ip = f"192.0.2.{n}"
            await worker.handle(series(10, every=1, ip=ip, name=f"a{n}"))
            await worker.handle(series(1, every=1, start=10, ip=ip, name=f"b{n}"))
        return [await worker.sweep(0, idle=True, most=2) for _ in range(4)]

    assert asyncio.run(scenario()) == [(2, 2), (2, 2), (1, 1), (0, 0)]


def test_a_sweep_forgets_a_subject_whose_log_has_gone() -> None:
    """What a store has let expire is settled with nothing, once."""

    class Expired(MemoryStore):
        async def read(self, subjects: Any) -> dict[Subject, Any]:
            return {}

    async def scenario(store: WindowStore) -> list[int]:
        judge = engine()
        for batch in (series(10, every=1), series(1, every=1, start=10, name="more")):
            await judge.handle(arrivals(batch), store)
        return [(await judge.sweep(store, [0], START_MS, idle=True))[0] for _ in range(2)]

    assert asyncio.run(scenario(Expired())) == [1, 1]


def test_as_of_waits_for_a_partition_that_lags() -> None:
    """What another partition may still bring is waited for, and what it brought is heeded."""
    slow = series(4, every=11 * MINUTE)
    success = login(5 * MINUTE, "own", outcome="success")

    async def scenario(meanwhile: list[LoginEvent]) -> list[int]:
        judge, store = engine(rules(only="ip_fail_daily")), MemoryStore()
        steps = []
        await store.announce(range(2))
        await judge.handle(arrivals(slow), store, partition=0, caught_up=True)
        steps.append(len(store.alerts))
        await judge.sweep(store, [0], FOR_EVER_MS, idle=True)
        steps.append(len(store.alerts))
        await judge.handle(arrivals(meanwhile, partition=1), store, partition=1, caught_up=True)
        await judge.sweep(store, [0], FOR_EVER_MS, idle=True)
        return [*steps, len(store.alerts)]

    assert asyncio.run(scenario([])) == [0, 0, 1]
    assert asyncio.run(scenario([success])) == [0, 0, 0]


def test_the_first_look_is_at_the_fewest_attempts_that_could_fire() -> None:
    """The least that any detection of a kind of log lacks on an empty one."""
    (burst,) = rules(only="ip_fail_burst")

    looks = engine((burst,)).judges.first_look
    assert (looks["ip"], looks["account"]) == (burst.limits.failures, NEVER)
    for kind in ("ip", "account", "subnet"):
        empty = SubjectLog.of(b"", kind=kind)
        assert engine().judges.first_look[kind] == min(
            sighting.lacking
            for a in rules()
            if kind in a.rule.watches
            for sighting in a.rule.judge(empty, a.limits)
        )
