"""global_attack_mode: too many attempts of a minute are nobody's, however few of an address."""

from __future__ import annotations

from typing import Any

import pytest

from detectors.alerts import Alert
from detectors.events import LoginEvent
from detectors.memory import MemoryStore
from tests.builders import DAY, HOUR, MINUTE, QUIET, arrivals, final, found, judged, login, rules
from tests.detectors.attacked import attacked

from .timelines import Seen, case, seen

RULE = "global_attack_mode"
LIMIT = 30


def quiet() -> MemoryStore:
    """Ten days of customers, and no attack."""
    return attacked(())


def flood(
    minutes: int, number: int = 20, *, start: float = 0, name: str = "f", **fields: Any
) -> list[LoginEvent]:
    """So many minutes of failures, each by an account and from an address of its own."""
    return [
        login(
            start + minute * MINUTE + n * MINUTE / number,
            f"{name}{minute}.{n}",
            **{"account": f"{name}{minute}.{n}", "ip": f"198.51.{minute % 90}.{n}"} | fields,
        )
        for minute in range(minutes)
        for n in range(number)
    ]


def customers(minutes: int, number: int, start: float = 0) -> list[LoginEvent]:
    """So many successes in each of these minutes."""
    return [
        login(
            start + minute * MINUTE + n,
            f"c{start}.{minute}.{n}",
            account=f"c{n}",
            outcome="success",
        )
        for minute in range(minutes)
        for n in range(number)
    ]


def alerted(events: list[LoginEvent]) -> list[Seen]:
    """What the rule finds behind quiet days."""
    ordered = sorted(events, key=lambda event: event.occurred_at)
    return sorted(map(seen, found(ordered, cut=50, active=rules(only=RULE), store=quiet())))


THREE = flood(3)
LAST = 2 * MINUTE + 57.0
BURST = Seen("high", LAST, LAST, 20, 48, "all")
TIMELINES = [
    case("fires exactly at the limit", THREE, BURST),
    case("stays quiet one below the limit", flood(3, number=9)),
    case("stays quiet when the first has just left the window", flood(2)),
    case(
        "stays quiet when a minute between is usual",
        flood(2) + flood(1, start=3 * MINUTE, name="g"),
    ),
    case("duplicates count once", flood(2) * 3),
    case("a redelivered crossing is one alert", THREE * 2, BURST),
    case("two systems are two subjects", flood(2) + flood(1, start=120, name="g", system="app")),
    case(
        "an action that is no login does not count",
        flood(2) + flood(1, start=120, name="g", action="order_refused"),
    ),
    case(
        "a second quiet time is a second alert",
        THREE + flood(3, start=QUIET, name="g"),
        BURST,
        Seen("high", QUIET + LAST, QUIET + LAST, 20, 48, "all"),
    ),
    case("a flood from one address", flood(3, ip="192.0.2.7")),
    case("a flood on one account", flood(3, account="alice")),
    case("beside as many customers as it takes", THREE + customers(3, 31)),
    case(
        "beside too few customers to hide it",
        THREE + customers(3, 11),
        BURST._replace(successes=11),
    ),
    case("successes alone", customers(10, 40)),
    case("many users behind one address", customers(3, 40) + flood(3, 5, ip="192.0.2.7")),
    case(
        "many /64 of one /48 are many addresses",
        [
            *(
                login(n * 3.0, f"six{n}", account=f"six{n}", ip=f"2001:db8:0:{n:x}::1")
                for n in range(60)
            ),
        ],
        BURST._replace(opened=177.0, updated=177.0),
    ),
]


@pytest.mark.parametrize(("events", "expected"), TIMELINES)
def test_timeline(events: list[LoginEvent], expected: list[Seen]) -> None:
    """Behind ten quiet days, each timeline as its name says."""
    assert alerted(events) == expected


def _alert(events: list[LoginEvent], cut: int, *, store: MemoryStore | None = None) -> Alert:
    told = found(
        events, cut=cut, active=rules(only=RULE), store=quiet() if store is None else store
    )
    (one,) = [alert for alert in told if alert.part == "burst"]
    return one


def test_a_late_event_is_counted_where_it_belongs() -> None:
    """Whatever the order within a minute of disorder, the same alert, to the byte."""
    events = flood(5)
    mixed = [*events[1::2], *events[::2]]

    assert _alert(events, 1) == _alert(mixed, len(mixed)) == _alert(events[::-1], len(events))


def test_one_alert_grows_within_a_quiet_time() -> None:
    """It counts all that failed since it opened, not the sample; the evidence is a sample."""
    alert = _alert(flood(30, number=40), 100)

    assert alert.subject.type == "global"
    assert alert.counts["failures"] == 28 * 40
    assert alert.counts["capped"] == 1
    assert len(alert.event_ids) == 100
    assert alert.summary == (
        "attack on all accounts: in each minute of 3 minutes too many attempts are nobody's, by at "
        "least 30 accounts; a sample is listed"
    )
    assert (alert.opened_at, alert.window_s, alert.threshold) == (
        "2026-11-23T06:02:58.500Z",
        180,
        LIMIT,
    )


def test_a_known_device_is_the_owners_own_mistake() -> None:
    """The same flood on devices that the accounts know is none."""
    accounts = ["alice", "bob"]
    events = [
        login(n, f"e{n}", account=accounts[n % 2], device_id="phone", ip=f"198.51.100.{n}")
        for n in range(180)
    ]

    assert found(events, active=rules(only=RULE), store=quiet()) == []


def test_a_cold_start_says_nothing() -> None:
    """Without days of customers nothing is usual."""
    assert found(flood(10), active=rules(only=RULE)) == []


def test_a_slow_drift_is_seen_though_no_minute_is() -> None:
    """Forty failures an hour where ten are usual: within hours, of medium severity."""
    events = [
        login(600 + n * 90, f"e{n}", account=f"a{n}", ip=f"198.51.{n % 200}.{n % 250}")
        for n in range(320)
    ]
    events += [login(n * 36, f"c{n}", account=f"c{n}", outcome="success") for n in range(800)]
    events.sort(key=lambda event: event.occurred_at)

    told = final(judged(arrivals(events), cut=20, active=rules(only=RULE), store=quiet()))

    assert {(alert.part, alert.severity) for alert in told} == {("drift", "medium")}
    assert told[0].opened_at < "2026-11-23T10:00"
    assert HOUR * 24 == DAY == told[0].window_s
