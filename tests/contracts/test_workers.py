"""Whole batches over every WindowStore: neither disorder nor several workers change an alert."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detectors import judging
from detectors.alerts import Alert
from detectors.events import LoginEvent
from loadtest.oracle import judge as by_brute_force
from tests.builders import QUIET, arrivals, engine, found, login, series
from tests.event_sets import Run, events_of, runs
from tests.interleaving import Disorder, around, at_rest, expected, monotone, work

from .conftest import in_redis
from .keepers import InMemory, InRedis, Keeper

SHUFFLES = 20


@pytest.fixture
def _compacting() -> Iterator[None]:
    """Rewrite a log at almost every judgement."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(judging, "COMPACT_BYTES", 200)
        yield


@pytest.fixture(scope="module")
def events() -> list[LoginEvent]:
    """Every detection's alert, on three addresses and two systems, over two quiet times."""
    return [
        *series(25, every=20, start=QUIET - 300, accounts=15, name="stuffing"),
        *series(31, every=60, start=QUIET - 3600, name="day", ip="203.0.113.4"),
        *series(12, every=660, start=QUIET - 9000, name="slow", ip="2001:db8::1", accounts=3),
        *series(15, every=1100, start=QUIET - 9000, name="long", ip="2001:db8::2", accounts=15),
        *series(20, every=10, start=QUIET - 90, name="app", system="app", account=None),
        *series(5, every=100, start=QUIET - 300, name="good", outcome="success"),
    ]


def told(keeper: Keeper, some: list[LoginEvent], how: Disorder) -> list[Alert]:
    """The final alerts of a keeper once the workers are done."""

    async def scenario() -> list[Alert]:
        async with keeper.open(how.workers) as stores:
            await work(engine(), stores, some, how, keeper.shards)
        return await keeper.told()

    return asyncio.run(scenario())


@pytest.mark.usefixtures("_compacting")
@pytest.mark.parametrize("seed", range(SHUFFLES))
def test_every_shuffle_tells_the_same_alerts(
    keeper: Keeper, events: list[LoginEvent], seed: int
) -> None:
    """Shuffled, cut, repeated, redelivered, by one to four workers: the bytes of one batch."""
    how = Disorder(
        seed=seed,
        workers=1 + seed % 4,
        batch=10 + 17 * (seed % 5),
        again=0.3 * (seed % 2),
        redelivered=0.4 * (seed % 3),
        sweeps=0.2,
    )

    alerts = monotone(told(keeper, events, how))

    assert alerts == monotone(found(events, cut=len(events)))
    assert {expected(alert) for alert in alerts} == by_brute_force(events)
    assert {alert.rule for alert in alerts} == {
        "ip_fail_burst",
        "ip_fail_daily",
        "ip_account_spray",
    }


@pytest.mark.usefixtures("_compacting")
@given(
    some=runs(),
    how=st.builds(
        Disorder,
        seed=st.integers(0, 1 << 32),
        workers=st.integers(1, 4),
        batch=st.integers(5, 80),
        again=st.sampled_from([0, 0.3]),
        redelivered=st.sampled_from([0, 0.5]),
        sweeps=st.sampled_from([0, 0.3]),
    ),
    shards=st.sampled_from([1, 3, 16]),
)
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
    ],  # emptied in each example
)
def test_redis_tells_what_memory_tells(
    request: pytest.FixtureRequest, some: list[Run], how: Disorder, shards: int
) -> None:
    """The store in Redis is held to the exact one, event set by event set."""
    keeper = InRedis(in_redis(request).url, shards)
    events = events_of(some)

    try:
        alerts = told(keeper, events, how)
    finally:
        request.getfixturevalue("fresh_redis").flushdb()

    assert monotone(alerts) == monotone(found(events))


@pytest.mark.parametrize("call", range(1, 10))
@pytest.mark.parametrize("handles_last", [False, True])
@pytest.mark.parametrize(
    "brought",
    [
        pytest.param([login(300, "own", outcome="success")], id="success"),
        pytest.param(series(6, every=1, start=1, name="fast"), id="failures"),
    ],
)
def test_what_another_partition_brings_meanwhile_is_not_overlooked(
    keeper: Keeper, call: int, handles_last: bool, brought: list[LoginEvent]
) -> None:
    """What another worker records between any two calls still ends a slow series."""
    slow = series(4, every=660)

    async def scenario() -> list[Alert]:
        async with keeper.open(2) as (one, other):
            await one.announce(range(2))
            calls = count(1)

            async def meanwhile() -> None:
                if next(calls) == call:
                    batch = arrivals(brought, partition=1)
                    await engine().handle(batch, other, partition=1, caught_up=True)

            store = around(one, meanwhile)
            judge, arriving = engine(), arrivals(slow)
            if handles_last:
                await judge.handle(arriving, store, partition=0, caught_up=True)
            else:
                await judge.handle(arriving[:3], store, partition=0)
                await judge.handle(arriving[3:], store, partition=0)
            await judge.sweep(store, range(keeper.shards), arriving[-1].appended_ms, idle=True)
            await at_rest(judge, one, slow, 2, keeper.shards)
        return await keeper.told()

    assert asyncio.run(scenario()) == []


def test_one_worker_in_order_agrees_on_every_part(keeper: Keeper, events: list[LoginEvent]) -> None:
    """In the order of event time also `as_of` parts are equal, revision by revision."""
    in_order = sorted(events, key=lambda event: event.occurred_at)

    alerts = told(keeper, in_order, Disorder(seed=1, shuffled=False))

    assert alerts == told(InMemory(), in_order, Disorder(seed=1, shuffled=False))
    assert alerts == found(in_order)
    assert any(alert.window_s == QUIET for alert in alerts)
