"""Same events, same alerts: whatever the order, the batches, the workers and what comes twice."""

from __future__ import annotations

import asyncio
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.alerts import Alert
from detectors.events import LoginEvent
from detectors.memory import MemoryStore
from loadtest.oracle import judge as by_brute_force
from tests.builders import DAY, HOUR, MINUTE, QUIET, engine, final, found, login, series
from tests.effort import times
from tests.event_sets import ADDRESSES, Run, events_of, runs, slow_series
from tests.interleaving import Disorder, catch_up, expected, monotone, work

DISORDER = st.builds(
    Disorder,
    seed=st.integers(0, 1 << 32),
    workers=st.integers(1, 4),
    batch=st.integers(1, 60),
    again=st.sampled_from([0, 0.1, 0.5]),
    redelivered=st.sampled_from([0, 0.2, 0.6]),
    sweeps=st.sampled_from([0, 0.3]),
)


def _alerts(events: list[LoginEvent], how: Disorder) -> list[Alert]:
    async def work_and_read() -> list[Alert]:
        store = MemoryStore()
        await work(engine(), [store], events, how)
        return final(store)

    return asyncio.run(work_and_read())


@given(some=runs(), cut=st.integers(1, 60))
@settings(deadline=None)
def test_alerts_in_order_are_those_of_the_brute_force(some: list[Run], cut: int) -> None:
    """Windows of all sizes, ties and boundaries: the engine finds what the definition finds."""
    events = events_of(some)

    alerts = monotone(found(events, cut=cut))

    assert {expected(alert) for alert in alerts} == by_brute_force(events)
    assert len({alert.alert_id for alert in alerts}) == len(alerts)


@given(some=runs(), how=DISORDER)
@settings(deadline=None, max_examples=times(60, 600))
def test_no_disorder_changes_an_alert(some: list[Run], how: Disorder) -> None:
    """Shuffled, cut, repeated, redelivered, swept, by up to four workers: the same bytes."""
    events = events_of(some)
    in_one_batch = monotone(found(events, cut=len(events)))

    assert monotone(_alerts(events, how)) == in_one_batch
    assert {expected(alert) for alert in in_one_batch} == by_brute_force(events)


@given(some=runs(first=0, last=9 * DAY), cut=st.integers(1, 300))
@settings(deadline=None, max_examples=times(40, 200))
def test_days_in_one_batch_are_the_days_one_by_one(some: list[Run], cut: int) -> None:
    """What is forgotten of a subject has been judged before, however much one batch holds."""
    events = events_of(some)

    alerts = monotone(found(events, cut=cut))

    assert {expected(alert) for alert in alerts} == by_brute_force(events)


@given(some=runs(first=QUIET - 5000, last=QUIET + 9000), seed=st.integers(0, 1 << 32))
@settings(deadline=None, max_examples=times(80, 600))
def test_a_minute_of_disorder_changes_no_alert_at_all(some: list[Run], seed: int) -> None:
    """Also what looks at the past (`as_of`) is equal while nothing is a minute late."""
    events = events_of(some)
    random = Random(seed)
    coming = sorted(events, key=lambda e: e.occurred_at.timestamp() + random.uniform(0, 59.9))

    assert found(coming, cut=random.randint(1, 40)) == found(events)


@given(events=slow_series(), seed=st.integers(0, 1 << 32))
@settings(deadline=None, max_examples=times(120, 1000))
def test_a_slow_series_stands_a_minute_of_disorder(events: list[LoginEvent], seed: int) -> None:
    """At every edge of slowness the order inside a minute decides nothing."""
    random = Random(seed)
    coming = sorted(events, key=lambda e: e.occurred_at.timestamp() + random.uniform(0, 59.9))

    assert found(coming, cut=random.randint(1, 5)) == found(events)


@given(
    some=runs(first=QUIET - 5000, last=QUIET + 9000),
    how=st.builds(
        Disorder,
        seed=st.integers(0, 1 << 32),
        workers=st.integers(2, 4),
        batch=st.integers(1, 30),
        sweeps=st.sampled_from([0, 0.5]),
    ),
)
@settings(deadline=None, max_examples=times(60, 600))
def test_partitions_that_lag_behind_change_no_alert_at_all(some: list[Run], how: Disorder) -> None:
    """While a worker catches up on its partition, `as_of` parts wait for what it will bring."""
    events = events_of(some)

    async def caught_up() -> list[Alert]:
        store = MemoryStore()
        await catch_up([store], events, how)
        return final(store)

    assert asyncio.run(caught_up()) == found(events)


def test_a_flood_is_capped_the_same_however_it_is_cut() -> None:
    """Of an hour the first 512 attempts count, and the alert says that there were more."""
    events = series(700, every=3)
    short_of_it = series(512, every=3)

    one_by_one = found(events)

    assert found(events, cut=100) == found(events, cut=700) == one_by_one
    assert {alert.counts["failures"] for alert in one_by_one} == {512}
    assert {alert.counts.get("capped") for alert in one_by_one} == {1}
    assert all("at least 512 failed logins" in alert.summary for alert in one_by_one)
    assert {alert.counts.get("capped") for alert in found(short_of_it)} == {None}


def test_a_flood_over_hours_is_capped_by_the_hour() -> None:
    """A capped hour leaves the others whole, and the alert goes on saying `at least`."""
    events = [*series(600, every=1), *series(20, every=1, start=HOUR, name="later")]

    alerts = [alert for alert in found(events, cut=601) if alert.rule == "ip_fail_daily"]

    assert [alert.counts["failures"] for alert in alerts] == [532]
    assert alerts[0].counts["capped"] == 1


def test_a_late_event_within_six_hours_is_counted() -> None:
    """A core system that was cut off for an afternoon is still judged when it comes back."""
    newest = login(6 * HOUR, "newest", account="bob")
    events = series(10, every=6, start=1)

    assert [a.rule for a in found([newest, *events])] == ["ip_fail_burst"]


def test_the_past_is_told_whole_before_it_is_trimmed() -> None:
    """An alert that waited for more is told with all it had when its attempts leave the log."""
    growing = series(15, every=5)
    after_days = series(30, every=1, start=3 * DAY, name="new")

    alert, *_ = found([*growing, *after_days])

    assert alert.opened_at == "2026-11-23T06:00:45Z"
    assert alert.revision == alert.counts["failures"] == 15


@given(some=runs(), ahead=st.integers(2, 5000), strays=st.integers(1, 7))
@settings(deadline=None)
def test_a_few_wrong_clocks_blind_nobody(some: list[Run], ahead: int, strays: int) -> None:
    """Attempts dated days or years ahead, before all others, change no alert of the present."""
    events = events_of(some)
    future = [
        login(ahead * DAY + n, f"future{n}", ip=ip, system=system)
        for n in range(strays)
        for ip in ADDRESSES[::2]  # one of each subject
        for system in ("web", "app")
    ]

    seen = {expected(a) for a in monotone(found([*future, *events]))}

    assert seen >= by_brute_force(events)


def test_quiet_times_of_one_storm_are_alerts_of_their_own() -> None:
    """An attack that never rests is one alert in every quiet time, whatever the batches."""
    storm = series(18 * 60, every=MINUTE)

    alerts = [a for a in found(storm, cut=77) if a.rule == "ip_fail_daily"]

    assert len(alerts) == 3
    assert alerts == [a for a in found(storm) if a.rule == "ip_fail_daily"]
