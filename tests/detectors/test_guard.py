"""The NAT guard lowers what an address's own customers outweigh, and nobody can buy its silence."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.attempts import KNOWN_DEVICE, OLD_DEVICE, PLACED, RISKY_NETWORK, SUCCESS, pack
from detectors.counting import Hot
from detectors.events import AS_OF_MS, DAY_MS, LoginEvent
from detectors.guard import weighed
from detectors.rule import SEVERITIES, Clause, Severity, Sighting
from detectors.windows import FOR_EVER_MS, SubjectLog
from tests.builders import DAY, NAMES, found, login, rules, series

from .warm import HOSTING, PHONE, hosting, warm

RULE = "ip_fail_burst"


def attack(**fields: Any) -> list[LoginEvent]:
    """Ten failures on five accounts, 90 s: medium."""
    return series(10, every=10, accounts=5, **fields)


def customers(count: int, *, at: float = -300, **fields: Any) -> list[LoginEvent]:
    """So many customers log in from the same address with the telephones they always use."""
    said: dict[str, Any] = {"outcome": "success", "device_id": PHONE} | fields
    return [login(at + n, f"own{n}", **{"account": f"c{n}"} | said) for n in range(count)]


def severity(events: list[LoginEvent], *, days_ago: float = 30, facts: Any = None) -> Severity:
    """The severity of the one alert."""
    store = warm([f"c{n}" for n in range(20)], days_ago=days_ago)
    (alert,) = found(events, active=rules(only=RULE), store=store, facts=facts)
    return alert.severity


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        pytest.param(customers(5), "low", id="as many known accounts as failing ones"),
        pytest.param(customers(4), "medium", id="one fewer"),
        pytest.param(customers(20), "low", id="many more lower it by one, and silence nothing"),
        pytest.param(customers(5, device_id=None), "medium", id="no device is told"),
        pytest.param(customers(5, device_id="new"), "medium", id="devices never seen"),
        pytest.param(customers(20, account="c0"), "medium", id="repeats of one account"),
        pytest.param(customers(5, ip="192.0.2.8"), "medium", id="from a neighbour"),
        pytest.param(customers(5, system="app"), "medium", id="in another system"),
        pytest.param(customers(5, at=-DAY - 10), "medium", id="more than a day before"),
        pytest.param(customers(5, at=26), "low", id="the last a minute before the limit"),
        pytest.param(customers(5, at=26.001), "medium", id="the last less than a minute before"),
        pytest.param(customers(5, action="order"), "medium", id="what is no login"),
    ],
)
def test_who_speaks_for_an_address(events: list[LoginEvent], expected: str) -> None:
    """Accounts that log in there with a device of theirs, each once, as of a minute before."""
    ordered = sorted([*events, *attack()], key=lambda event: event.occurred_at)

    assert severity(ordered) == expected


@pytest.mark.parametrize(("days", "expected"), [(6.99, "medium"), (7.01, "low")])
def test_a_device_speaks_after_a_week(days: float, expected: str) -> None:
    """An attacker's accounts, opened and used yesterday, say nothing for an address."""
    assert severity([*customers(5, at=-60), *attack()], days_ago=days) == expected


def test_an_attacker_cannot_feed_it() -> None:
    """Profile H: between his tries he logs in to accounts of his own, each tried first here."""
    poisoned: list[LoginEvent] = []
    for n, event in enumerate(attack()):
        poisoned += [
            event,
            login(10 * n + 1, f"mine{n}", account=f"mine{n}", outcome="success", device_id="his"),
            login(10 * n + 2, f"more{n}", account="mine0", outcome="success", device_id="his"),
        ]

    assert severity(poisoned) == severity(attack()) == "medium"


def test_a_network_for_rent_raises_and_both_cancel() -> None:
    """One step up for one attempt from such a network; with known customers it stays as it is."""
    rented = [*attack()[:4], *attack(origin=HOSTING)[4:5], *attack()[5:]]

    assert severity(rented, facts=hosting) == "high"
    assert severity([*customers(5), *rented], facts=hosting) == "medium"


def test_the_severest_stays_and_the_least_stays() -> None:
    """There is nothing above critical and nothing below low."""
    entries = [_entry(0, b"a" * 12, RISKY_NETWORK)]
    steps: list[tuple[Severity, Severity]] = [
        ("critical", "critical"),
        ("high", "critical"),
        ("low", "medium"),
    ]
    for given_, raised in steps:
        (seen,) = weighed([_sighting(given_, [Hot(0, 0)])], SubjectLog.holding(entries))
        assert seen.clause.severity == raised

    calm = replace(
        SubjectLog.holding([_entry(DAY_MS, b"a" * 12, 0)]),
        logins=SubjectLog.holding([_entry(1, b"a" * 12, OLD_DEVICE)], kind="logins"),
    )
    (seen,) = weighed([_sighting("low", [Hot(0, 0)])], calm)
    assert seen.clause.severity == "low"


def test_what_is_not_settled_waits() -> None:
    """An instant whose minute before is not recorded everywhere is judged when it is."""
    entries = [_entry(at, b"a" * 12, 0) for at in (0, AS_OF_MS, 2 * AS_OF_MS)]
    log = SubjectLog.holding(entries, settled_ms=AS_OF_MS - 1)

    (seen,) = weighed([_sighting("high", [Hot(0, 0), Hot(1, 1), Hot(2, 2)])], log)
    assert (seen.hot, seen.pending) == ([Hot(0, 0), Hot(1, 1)], True)

    (waits,) = weighed([_sighting("high", [Hot(2, 2)])], log)
    assert (waits.hot, waits.pending) == ([], True)

    (all_,) = weighed([_sighting("high", [Hot(2, 2)])], replace(log, settled_ms=FOR_EVER_MS))
    assert (all_.hot, all_.pending) == ([Hot(2, 2)], False)


def test_what_sees_nothing_is_handed_on() -> None:
    """Without a hot instant there is nothing to weigh."""
    cold = [_sighting("high", [])]

    assert weighed(cold, SubjectLog.of(b"")) == cold


ATTEMPTS = st.lists(
    st.tuples(
        st.integers(0, 3 * DAY_MS // 3_600_000),
        st.sampled_from([b"a" * 12, b"b" * 12, b"c" * 12, None]),
        st.booleans(),
    ),
    min_size=1,
    max_size=12,
)


@given(ATTEMPTS, ATTEMPTS, st.integers(0, 80))
def test_it_equals_a_brute_force(
    failed: list[tuple[int, bytes | None, bool]],
    entered: list[tuple[int, bytes | None, bool]],
    settled: int,
) -> None:
    """Every instant beside a count from the definition alone."""
    hour = 3_600_000
    entries = sorted(
        _entry(at * hour, who, RISKY_NETWORK if mark else 0, n)
        for n, (at, who, mark) in enumerate(failed)
    )
    logins = sorted(
        _entry(at * hour, who, SUCCESS | (OLD_DEVICE | KNOWN_DEVICE if mark else 0), n)
        for n, (at, who, mark) in enumerate(entered)
    )
    log = replace(SubjectLog.holding(entries, settled * hour), logins=SubjectLog.holding(logins))
    hot = [Hot(n, n) for n in range(len(entries))]

    said = {
        one: seen.clause.severity
        for seen in weighed([_sighting("medium", hot)], log)
        for one in seen.hot
    }

    expected = {}
    for n, now in enumerate(log.at):
        if now - AS_OF_MS > settled * hour:
            continue
        failing = {
            who
            for at, who in zip(log.at[: n + 1], log.accounts, strict=False)
            if who is not None and now - DAY_MS < at
        }
        known = {
            who
            for at, who, mark in entered
            if who is not None and mark and now - AS_OF_MS - DAY_MS < at * hour <= now - AS_OF_MS
        }
        step = bool(entries[n][28] << 8 & RISKY_NETWORK) - (
            bool(known) and len(known) >= len(failing)
        )
        expected[Hot(n, n)] = SEVERITIES[1 + step]
    assert said == expected


def _sighting(severity: Severity, hot: list[Hot]) -> Sighting:
    clause = Clause(
        part="",
        order="monotone",
        severity=severity,
        window=timedelta(minutes=1),
        threshold=1,
        says="",
    )
    return Sighting(clause, hot, 0)


def _entry(at: int, account: bytes | None, marks: int, number: int = 0) -> bytes:
    """An entry at `at` ms, of an account given by its pseudonym."""
    event = login(0, f"e{number}", account=None if account is None else "x")
    packed = pack(event, "192.0.2.7", number.to_bytes(8, "big"), at, NAMES, None, marks | PLACED)
    return packed if account is None else packed[:14] + account + packed[26:]
