"""The oracle against its definitions, read literally, and against timelines worked out by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from detectors.events import LoginEvent, instant, milliseconds
from loadtest.oracle import QUIET_MS, Expected, expected, judge
from tests.effort import times

_T0 = 1_794_758_400_000
_SECOND, _MINUTE, _HOUR = 1_000, 60_000, 3_600_000


def failure(
    at_ms: int, n: int, account: str | None = "A", ip: str | None = "192.0.2.1"
) -> LoginEvent:
    """A failed login at `_T0` + at_ms with identity n."""
    return LoginEvent(
        schema=1,
        event_id=str(n),
        occurred_at=instant(_T0 + at_ms),
        system="trading-web",
        account=account,
        ip=ip,
        outcome="failure",
    )


def failures(times: list[int], accounts: Callable[[int], str | None]) -> list[LoginEvent]:
    """Failures at those times, the n-th on account accounts(n)."""
    return [failure(at, n, accounts(n)) for n, at in enumerate(times)]


def one(_n: int) -> str:
    """Always the same account."""
    return "A"


def each(n: int) -> str:
    """Another account each time."""
    return f"A{n}"


def rules(events: list[LoginEvent]) -> dict[str, tuple[int, int, int]]:
    """What fires: rule -> (opened, updated) after `_T0`, and failures."""
    return {
        a.rule: (a.opened_at - _T0, a.updated_at - _T0, a.failures) for a in judge(iter(events))
    }


def every(step_ms: int, n: int) -> list[int]:
    """N times, step_ms apart, from 0."""
    return [k * step_ms for k in range(n)]


BURST, DAILY, SPRAY = "ip_fail_burst", "ip_fail_daily", "ip_account_spray"


@pytest.mark.parametrize(
    ("events", "found"),
    [
        pytest.param(failures(every(_SECOND, 9), one), {}, id="one below the burst"),
        pytest.param(
            failures(every(_SECOND, 10), one), {BURST: (9_000, 9_000, 10)}, id="the tenth opens"
        ),
        pytest.param(
            failures([0, *every(_SECOND, 10)[1:9], 120_000], one), {}, id="the first has just left"
        ),
        pytest.param(
            failures([1, *every(_SECOND, 10)[1:9], 120_000], one),
            {BURST: (120_000, 120_000, 10)},
            id="the first is just still in",
        ),
        pytest.param(
            failures(every(30 * _SECOND, 20), one),
            {BURST: (570_000, 570_000, 20)},
            id="20 in 10 min",
        ),
        pytest.param(
            failures(every(40 * _MINUTE, 30), one),
            {DAILY: (29 * 40 * _MINUTE, 29 * 40 * _MINUTE, 30)},
            id="30 in a day",
        ),
        pytest.param(failures(every(50 * _MINUTE, 30), one), {}, id="30 in more than a day"),
        pytest.param(
            failures([*every(20 * _SECOND, 9), *(400_000 + k for k in every(_SECOND, 11))], one),
            {BURST: (409_000, 410_000, 20)},
            id="a long window reaches back before a short one",
        ),
        pytest.param(
            failures(every(25 * _SECOND, 10), each), {SPRAY: (225_000, 225_000, 10)}, id="spray"
        ),
        pytest.param(
            failures(every(60 * _SECOND, 15), each), {SPRAY: (840_000, 840_000, 15)}, id="long"
        ),
        pytest.param(
            failures([*every(170 * _MINUTE, 8), 7 * 170 * _MINUTE + 3 * _HOUR + 1], each),
            {},
            id="nine in two chains",
        ),
        pytest.param(
            failures(every(34 * _SECOND, 28), lambda n: f"A{n % 14}"),
            {},
            id="14 accounts are too few",
        ),
        pytest.param(
            failures(every(3 * _HOUR + 1, 40), each), {}, id="gaps just too long for a chain"
        ),
        pytest.param(
            failures(every(_SECOND, 40), lambda _n: None),
            {BURST: (9_000, 39_000, 40), DAILY: (29_000, 39_000, 40)},
            id="no account counts for no account rule",
        ),
        pytest.param(
            [failure(k * _SECOND, k, each(k), None) for k in range(60)], {}, id="no address"
        ),
    ],
)
def test_timelines(events: list[LoginEvent], found: dict[str, tuple[int, int, int]]) -> None:
    """Each limit fires at the event that crosses it, and not one before."""
    assert rules(events) == found


def test_a_chain_of_just_three_hours_holds() -> None:
    """A gap of exactly 3 h does not break a chain, and only its last 24 h count."""
    evening = every(_MINUTE, 8)
    morning = [evening[-1] + 3 * _HOUR + at for at in every(_MINUTE, 7)]

    assert rules(failures(evening + morning, each)) == {SPRAY: (morning[-1], morning[-1], 15)}
    assert rules(failures(evening + [at + 1 for at in morning], each)) == {}
    assert rules(failures(every(3 * _HOUR, 40), each)) == {}
    assert SPRAY in rules(failures(every(96 * _MINUTE, 15), each))


def test_successes_and_other_actions_count_for_nothing() -> None:
    """Only failed logins are counted."""
    tries = failures(every(_SECOND, 50), each)
    good = [replace(event, outcome="success") for event in tries]
    orders = [replace(event, event_id=f"o{event.event_id}", action="order") for event in tries]

    assert rules(good + orders) == {}


def test_subjects_are_kept_apart() -> None:
    """Systems, IPv4 addresses and /64s count alone; a /64 counts as one."""
    spread = [failure(n, n, each(n), f"192.0.2.{n}") for n in range(60)]
    house = [failure(n, n, "A", f"2001:db8:1:2::{n:x}") for n in range(1, 11)]

    assert rules(spread) == {}
    assert {a.subject for a in judge(iter(house))} == {"2001:db8:1:2::/64"}


def test_each_quiet_time_has_its_own_alert() -> None:
    """A burst across the border of six hours is two alerts, each with its own windows."""
    border = QUIET_MS - _T0 % QUIET_MS
    found = sorted(judge(iter(failures([border - 5_000 + n * 1_000 for n in range(15)], one))))
    bursts = [a for a in found if a.rule == BURST]

    assert [(a.opened_at - _T0 - border, a.failures) for a in bursts] == [(4_000, 15)]
    more = failures([border - 5_000 + n * 250 for n in range(40)], one)
    bursts = [a for a in sorted(judge(iter(more))) if a.rule == BURST]
    assert [(a.opened_at - _T0 - border, a.updated_at - _T0 - border) for a in bursts] == [
        (-2_750, -250),
        (0, 4_750),
    ]
    assert [a.failures for a in bursts] == [20, 40]


_ATTEMPTS = st.lists(
    st.tuples(
        st.one_of(
            st.integers(0, 30 * _HOUR),
            st.integers(0, 400).map(lambda k: k * 30_000),
            st.integers(0, 40).map(lambda k: 5 * _HOUR + k * 1_000),
        ),
        st.one_of(st.none(), st.integers(0, 18).map(str)),
    ),
    min_size=1,
    max_size=90,
)


@settings(max_examples=times(80, 600), deadline=None)
@given(_ATTEMPTS, st.randoms(use_true_random=False))
def test_any_history_is_judged_as_the_text_says(
    attempts: list[tuple[int, str | None]], random: Random
) -> None:
    """For any history, in any order, with redelivery, two readings of the definitions agree."""
    events = [failure(at, n, account) for n, (at, account) in enumerate(attempts)]
    delivered = events + random.sample(events, len(events) // 3)
    random.shuffle(delivered)

    assert judge(iter(delivered)) == set(_literally(events))


Try = tuple[int, str, str | None]


def _within(tries: set[Try], t: int, span: int) -> set[Try]:
    return {x for x in tries if t - span < x[0] <= t}


def _chain(tries: set[Try], t: int) -> set[Try]:
    found: set[Try] = set()
    oldest = t
    for x in sorted(_within(tries, t, 24 * _HOUR), key=lambda x: -x[0]):
        if oldest - x[0] > 3 * _HOUR:
            break
        oldest = x[0]
        found.add(x)
    return found


def _tries_by_account(some: set[Try]) -> dict[str, int]:
    names = [x[2] for x in some if x[2] is not None]
    return {name: names.count(name) for name in names}


def _hot_windows(rule: str, tries: set[Try], t: int) -> list[set[Try]]:
    if rule == BURST:
        short, long = _within(tries, t, 2 * _MINUTE), _within(tries, t, 10 * _MINUTE)
        return [short] * (len(short) >= 10) + [long] * (len(long) >= 20)
    if rule == DAILY:
        day = _within(tries, t, 24 * _HOUR)
        return [day] * (len(day) >= 30)
    quarter, five, chain = (
        _within(tries, t, 15 * _MINUTE),
        _within(tries, t, 5 * _MINUTE),
        _chain(tries, t),
    )
    tried = _tries_by_account(quarter)
    stuffing = len(tried) >= 15 and sum(min(n, 2) for n in tried.values()) >= 25
    return (
        [quarter] * stuffing
        + [five] * (len(_tries_by_account(five)) >= 10)
        + [chain] * (len(_tries_by_account(chain)) >= 15)
    )


def _literally(events: list[LoginEvent]) -> Iterator[Expected]:
    """The definitions again, one subject, quadratic: sets and nothing else."""
    tries = {(milliseconds(e.occurred_at), e.event_id, e.account) for e in events}
    for rule in (BURST, DAILY, SPRAY):
        buckets: dict[int, dict[int, set[Try]]] = {}
        for t in {x[0] for x in tries}:
            if windows := _hot_windows(rule, tries, t):
                buckets.setdefault(t // QUIET_MS, {})[t] = set().union(*windows)
        for hots in buckets.values():
            yield Expected(
                rule=rule,
                system="trading-web",
                subject="192.0.2.1",
                opened_at=min(hots),
                updated_at=max(hots),
                failures=len(set().union(*hots.values())),
            )


def test_undecodable_records_count_for_nothing() -> None:
    """Bytes that are no event neither count nor stop the oracle."""
    assert expected([b"", b"nonsense", b"\xff\xfe"]) == set()
