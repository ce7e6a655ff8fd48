"""asn_attack: fifty failures of thirty accounts and addresses of a network, most attempts bad."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from detectors.alerts import Alert
from detectors.events import LoginEvent, Origin, milliseconds
from detectors.memory import MemoryStore
from tests.builders import (
    HOUR,
    MINUTE,
    QUIET,
    START,
    arrivals,
    changed,
    engine,
    final,
    finish,
    found,
    login,
    rules,
)
from tests.detectors.attacked import attacked
from tests.detectors.warm import PHONE, warm

from .timelines import Seen, Shape, basic, case

RULE = "asn_attack"
HOST = Origin(country="NL", asn=64510)
CARRIER = Origin(country="TW", asn=64496)
EVERY = 10.0
LAST = 49 * EVERY


def flood(
    count: int = 50,
    *,
    every: float = EVERY,
    start: float = 0,
    name: str = "f",
    accounts: int = 50,
    addresses: int = 50,
    **fields: Any,
) -> list[LoginEvent]:
    """So many attempts from HOST, by accounts and from addresses in turn."""
    return [
        login(
            start + n * every,
            f"{name}{n}",
            **{
                "account": f"{name}{n % accounts}",
                "ip": f"198.51.100.{n % addresses}",
                "origin": HOST,
            }
            | fields,
        )
        for n in range(count)
    ]


def customers(count: int, start: float = 0, **fields: Any) -> list[LoginEvent]:
    """So many successes, one each ten seconds."""
    return flood(count, start=start, **{"name": "c", "outcome": "success"} | fields)


def crossing(start: float, **fields: Any) -> list[LoginEvent]:
    """Fifty failures within eight minutes."""
    return flood(start=start, **fields)


SHAPE = Shape(
    rule=RULE,
    threshold=50,
    severity="high",
    window=HOUR,
    accounts=50,
    crossing=crossing,
    stretched=lambda seconds: flood(every=seconds / 49),
    subject="64510",
    store=lambda: warm(["f3"]),
)


def alert(at: float = LAST, **other: Any) -> Seen:
    """The alert of a flood."""
    return Seen("high", at, at, 50, 50, "64510")._replace(**other)


def spread(addresses: int, pattern: str) -> list[LoginEvent]:
    """The flood from addresses in turn."""
    events = crossing(0)
    for index in range(50):
        events = changed(events, index, ip=pattern.format(index % addresses))
    return events


TIMELINES = [
    *basic(SHAPE),
    case(
        "a second quiet time is a second alert",
        crossing(0) + crossing(QUIET, name="again"),
        alert(),
        alert(QUIET + LAST),
    ),
    case(
        "one alert grows within a quiet time",
        crossing(0) + crossing(2 * HOUR, name="again"),
        alert(updated=2 * HOUR + LAST, failures=100, accounts=100),
    ),
    case("two networks are two subjects", changed(crossing(0), 3, origin=CARRIER)),
    case("nobody tells the network", flood(origin=None)),
    case("too few accounts", flood(accounts=29)),
    case("just enough accounts", flood(accounts=30), alert(accounts=30)),
    case("too few addresses", flood(addresses=29)),
    case("just enough addresses", flood(addresses=30), alert()),
    case("many /64 of one /48 are many addresses", spread(30, "2001:db8:0:{}::1"), alert()),
    case("many addresses of one /64 are one address", spread(50, "2001:db8::{}")),
    case(
        "an address mapped into IPv6 is the IPv4 address",
        [*spread(29, "192.0.2.{}")[:49], changed(crossing(0), -1, ip="::ffff:192.0.2.7")[-1]],
    ),
    case(
        "an event without an address is no further address",
        changed(flood(addresses=29), -1, ip=None),
    ),
    case("a login without an account", changed(flood(accounts=29), -1, account=None)),
    case("a success does not count", changed(crossing(0), 3, outcome="success")),
    case("a failure on a known device does not count", changed(crossing(0), 3, device_id=PHONE)),
    case("a carrier whose customers log in beside", crossing(0) + customers(40)),
    case(
        "a carrier that is worse than the others",
        crossing(0) + customers(33),
        alert(severity="medium", successes=33),
    ),
    case(
        "as bad as everywhere",
        crossing(0)
        + customers(33)
        + flood(name="o", origin=CARRIER)
        + customers(33, name="d", origin=CARRIER),
    ),
    case(
        "bad beyond doubt though it is so everywhere",
        crossing(0) + customers(5) + flood(name="o", origin=CARRIER),
        alert(successes=5),
        alert(subject="64496"),
    ),
    case("many users behind one address", flood(addresses=1)),
]


@pytest.mark.parametrize(("events", "expected"), TIMELINES)
def test_timeline(events: list[LoginEvent], expected: list[Seen]) -> None:
    """Fifty failures of one network within an hour, each timeline as its name says."""
    assert SHAPE.judged(events) == expected


def test_what_is_usual_is_not_bad() -> None:
    """Of ten customers one fails even so: with that known, 60 % of attempts are not 60 % bad."""
    events = crossing(0) + customers(33)

    assert found(events, cut=7, active=rules(only=RULE), store=attacked(())) == []
    assert found(events, cut=7, active=rules(only=RULE)) != []


def test_the_alert_says_how_many_there_were_beside_its_sample() -> None:
    """Of five minutes forty failures are listed; the counts are whole, however it is cut."""
    events = flood(600, every=0.5)
    told = [found(events, cut=cut, active=rules(only=RULE)) for cut in (1, 77, 600)]
    (one,) = told[0]

    assert told[0] == told[1] == told[2]
    assert one.counts == {
        "failures": 600,
        "successes": 0,
        "accounts": one.counts["accounts"],
        "ips": one.counts["ips"],
        "capped": 1,
    }
    assert one.counts["accounts"] >= 30 <= one.counts["ips"]
    assert one.subject.type == "asn"
    assert "network AS64510 attacks: at least 50 failed logins within 1 hour" in one.summary


def test_a_sample_that_is_full_is_told_again_when_there_were_more() -> None:
    """Silence in the midst of five minutes has the alert told early; what comes then counts too."""
    events = arrivals(flood(600, every=0.5))
    store, judge = MemoryStore(), engine(rules(only=RULE))

    async def run() -> None:
        for part in (events[:500], events[500:]):
            await judge.handle(part, store)
            await finish(judge, store, 0)

    asyncio.run(run())

    assert final(store) == found([arrival.event for arrival in events], active=rules(only=RULE))


def test_it_is_judged_when_its_five_minutes_are_over() -> None:
    """What has the numbers is seen by a sweep, whatever the number of failures by then."""
    events = [*flood(40, accounts=40, addresses=40), *flood(10, start=20 * MINUTE, name="g")]
    (one,) = found(events, active=rules(only=RULE))

    assert one.opened_at == "2026-11-23T06:21:30Z"


def test_five_minutes_that_are_not_over_are_not_judged() -> None:
    """Also where every partition is read to its end: customers may still log in."""
    store, judge = MemoryStore(), engine(rules(only=RULE))
    events = flood(every=1) + customers(120, start=60, every=1)

    async def run() -> list[Alert]:
        for n in range(0, 170, 10):
            batch = arrivals(events[n : n + 10], offset=n)
            await judge.handle(batch, store, caught_up=True)
            await judge.sweep(store, [0], batch[-1].appended_ms, idle=False)
        await finish(judge, store, milliseconds(START))
        return final(store)

    assert asyncio.run(run()) == []
