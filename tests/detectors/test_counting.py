"""Windows are exact: beside a brute force that looks at every instant, ties and pauses included."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.counting import Hot, each_at, event_count, value_count
from detectors.rule import Sighting
from detectors.rules import RULES
from detectors.rules.ip_account_spray import Limits as SprayLimits
from detectors.rules.ip_fail_burst import Limits as BurstLimits
from detectors.rules.ip_fail_daily import Limits as DailyLimits
from detectors.rules.ip_unknown_accounts import Limits as UnknownLimits
from detectors.windows import SubjectLog
from tests.builders import login

from .logs import entry, log_of

Attempts = list[tuple[int, bytes | None]]

# Few instants and few names, so that ties, full windows and edges are common.
ATTEMPTS = st.lists(
    st.tuples(st.integers(0, 40), st.sampled_from([b"a", b"b", b"c", b"d", None])), max_size=40
)
LIMITS = st.fixed_dictionaries(
    {"limit": st.integers(1, 5), "span": st.integers(1, 15)},
    optional={
        "restart": st.integers(0, 6),
        "tries": st.integers(0, 8),
        "tries_a_value": st.integers(0, 3),
    },
)


def _columns(attempts: Attempts) -> tuple[list[int], list[bytes | None]]:
    ordered = sorted(attempts, key=lambda attempt: attempt[0])
    return [at for at, _ in ordered], [value for _, value in ordered]


def _window(at: list[int], now: int, span: int, restart: int | None) -> list[int]:
    """Which attempts the window at `now` holds, from the definition alone."""
    inside = [index for index, time in enumerate(at) if now - span < time <= now]
    if restart is not None:
        for index in reversed(inside[1:]):
            if at[index] - at[index - 1] > restart:
                return [other for other in inside if other >= index]
    return inside


def _brute(
    at: list[int],
    values: list[bytes | None],
    *,
    limit: int,
    span: int,
    restart: int | None = None,
    tries: int = 0,
    tries_a_value: int = 0,
) -> list[Hot]:
    hot = []
    for now in sorted(set(at)):
        held = _window(at, now, span, restart)
        seen = [values[index] for index in held if values[index] is not None]
        counted = sum(min(seen.count(value), tries_a_value) for value in set(seen))
        if len(set(seen)) >= limit and counted >= tries:
            hot.append(Hot(held[0], held[-1]))
    return hot


@given(ATTEMPTS, st.integers(1, 6), st.integers(1, 15))
@settings(deadline=None)
def test_counts_of_events_are_exact(attempts: Attempts, limit: int, span: int) -> None:
    """Every instant whose window holds `limit` attempts is found, and no other."""
    at, _ = _columns(attempts)
    expected = []
    for now in sorted(set(at)):
        held = _window(at, now, span, None)
        if len(held) >= limit:
            expected.append(Hot(held[0], held[-1]))

    swept = event_count(at, limit, span)

    assert swept.hot == expected
    assert bool(swept.lacking) != bool(swept.hot)


@given(ATTEMPTS, LIMITS)
@settings(deadline=None)
def test_counts_of_values_are_exact(attempts: Attempts, limits: dict[str, Any]) -> None:
    """Distinct values, tries capped a value, restarts and ties agree with the definition."""
    at, values = _columns(attempts)

    swept = value_count(at, values, **limits)

    assert swept.hot == _brute(at, values, **limits)
    assert bool(swept.lacking) != bool(swept.hot)


@given(ATTEMPTS, LIMITS, st.data())
@settings(deadline=None)
def test_fewer_than_lacking_more_never_make_a_first_hot_instant(
    attempts: Attempts, limits: dict[str, Any], data: st.DataObject
) -> None:
    """`lacking` is a lower bound wherever attempts are added: a store may look no earlier."""
    at, values = _columns(attempts)
    swept = value_count(at, values, **limits)
    counted = event_count(at, limits["limit"], limits["span"])
    fewest = min((s.lacking for s in (swept, counted) if not s.hot), default=0)
    more: Attempts = data.draw(
        st.lists(
            st.tuples(st.integers(0, 40), st.sampled_from([b"e", b"f", b"a", b"g", b"h"])),
            max_size=max(0, fewest - 1),
        )
    )

    at, values = _columns(attempts + more)

    if not swept.hot:
        assert not _brute(at, values, **limits)
    if not counted.hot:
        assert not event_count(at, limits["limit"], limits["span"]).hot


@given(ATTEMPTS, LIMITS, st.integers(0, 30))
@settings(deadline=None)
def test_what_was_seen_before_is_left_out(
    attempts: Attempts, limits: dict[str, Any], since: int
) -> None:
    """From an attempt on, the same instants with the same windows as in the whole."""
    at, values = _columns(attempts)
    since = min(since, len(at))
    whole = value_count(at, values, **limits), event_count(at, limits["limit"], limits["span"])

    rest = (
        value_count(at, values, since=since, **limits),
        event_count(at, limits["limit"], limits["span"], since),
    )

    for one, all_ in zip(rest, whole, strict=True):
        assert one.hot == [hot for hot in all_.hot if hot.last >= since]
        assert one.lacking >= all_.lacking


MINUTES = timedelta(minutes=1)
SMALL: dict[str, Any] = {
    "ip_fail_burst": BurstLimits(
        failures=3, window=2 * MINUTES, many_failures=5, long_window=5 * MINUTES
    ),
    "ip_fail_daily": DailyLimits(
        failures=6,
        window=12 * MINUTES,
        slow_failures=4,
        slow_gap=2 * MINUTES,
        slow_window=15 * MINUTES,
    ),
    "ip_account_spray": SprayLimits(
        stuffed_accounts=3,
        stuffed_tries=5,
        tries_an_account=2,
        stuffing_window=4 * MINUTES,
        sprayed_accounts=3,
        spray_window=2 * MINUTES,
        long_accounts=4,
        long_pause=3 * MINUTES,
    ),
    "ip_unknown_accounts": UnknownLimits(
        names=3,
        window=2 * MINUTES,
        tries=5,
        share_percent=50,
        share_window=12 * MINUTES,
    ),
}
SPARSE = st.lists(st.tuples(st.integers(0, 80), st.sampled_from("abcd")), max_size=14)


def _sightings(rule: str, attempts: list[tuple[int, str]]) -> list[Sighting]:
    """What a rule with small limits sees in attempts at multiples of half a minute."""
    log = log_of(
        entry(
            login(
                30 * half_minutes,
                f"{index}",
                account=account,
                reason="unknown_account" if account in "bdfh" else "bad_password",
            )
        )
        for index, (half_minutes, account) in enumerate(attempts)
    )
    (found,) = (r for r in RULES if r.id == rule)
    return found.judge(log, SMALL[rule])


def test_every_counting_rule_of_addresses_is_held_to_its_lacking() -> None:
    """A new rule needs small limits here, or its bound would go unproved. A log in which a name of
    the dictionary is tried is looked at for that: its rule says nothing of what is lacking.
    """
    assert {*SMALL, "unknown_name_dictionary"} == {rule.id for rule in RULES if rule.guarded}


@pytest.mark.parametrize("rule", SMALL)
@given(attempts=SPARSE, data=st.data())
@settings(deadline=None)
def test_no_rule_says_more_is_lacking_than_is(
    rule: str, attempts: list[tuple[int, str]], data: st.DataObject
) -> None:
    """What holds for the windows holds for every clause of every rule, the slow series included."""
    before = _sightings(rule, attempts)
    index = data.draw(st.integers(0, len(before) - 1))
    more = data.draw(
        st.lists(
            st.tuples(st.integers(0, 80), st.sampled_from("efgh")),
            max_size=max(0, before[index].lacking - 1),
        )
    )

    after = _sightings(rule, attempts + more)

    if not before[index].hot:
        assert before[index].lacking >= 1
        assert not after[index].hot


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_an_empty_log_lacks_no_more_than_its_limit(rule: Any) -> None:
    """The first look at a subject comes when its fewest attempts could fire, and not before. A
    crowd's failures are counted beside its log, which holds a sample: there the accounts decide.
    """
    limits = rule.limits()
    sightings = rule.judge(SubjectLog.of(b""), limits)

    assert all(not sighting.hot for sighting in sightings)
    for sighting in sightings:
        fewest = limits.accounts if rule.reads_crowd else sighting.clause.threshold
        assert sighting.lacking >= fewest


@given(st.lists(st.integers(0, 40), max_size=30).map(sorted), st.integers(1, 4), st.integers(1, 15))
def test_each_at_is_every_end_of_a_short_series(at: list[int], limit: int, span: int) -> None:
    """From the definition: it and the limit - 1 before it lie within less than the span."""
    expected = [
        Hot(last + 1 - limit, last)
        for last in range(len(at))
        if last + 1 >= limit and at[last] - at[last + 1 - limit] < span
    ]

    assert each_at(at, limit, span) == expected
    if limit == 1:
        assert [hot.last for hot in expected] == [*range(len(at))]
