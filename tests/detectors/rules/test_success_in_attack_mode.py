"""success_in_attack_mode: who does not look like the customer, while everybody is attacked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from detectors.events import LoginEvent, Origin
from detectors.memory import MemoryStore
from tests.builders import (
    DAY,
    HOUR,
    IP,
    MINUTE,
    NAMES,
    OTHER_IP,
    QUIET,
    arrivals,
    changed,
    engine,
    final,
    finish,
    found,
    judged,
    login,
    rules,
    words,
)
from tests.detectors.attacked import START_MS, attacked, drifting
from tests.detectors.warm import HOME, NEWCOMER, OLD_PHONE, PHONE, YOUNG

from .timelines import Seen, Shape, basic, case, seen

RULE = "success_in_attack_mode"
ALICE = NAMES.account("alice")
UNKNOWN = (NEWCOMER, "dora")
ABROAD = Origin(country="VN", asn=45899)
ELSEWHERE = Origin(country="TH", asn=45758)


def strange(at: float, name: str, **fields: Any) -> LoginEvent:
    """Alice logs in on a new device from abroad."""
    said: dict[str, Any] = {"outcome": "success", "device_id": name, "origin": ABROAD}
    return login(at, name, **said | fields)


def crossing(start: float, **fields: Any) -> list[LoginEvent]:
    """Two such logins within the minute in which neither knows of the other."""
    name = fields.pop("name", "e")
    return [strange(start + 30 * n, f"{name}{n}", **fields) for n in range(2)]


def stretched(seconds: float) -> list[LoginEvent]:
    """Two such logins, `seconds` apart; the second from elsewhere again."""
    return [strange(0, "first"), strange(seconds, "second", origin=ELSEWHERE)]


def others(*at: float, **fields: Any) -> list[LoginEvent]:
    """Failures of Bob from the same address."""
    said: dict[str, Any] = {"account": "bob", "device_id": "thief"} | fields
    return [login(when, f"other{when}", **said) for when in at]


def at_home(at: float, name: str = "e", **fields: Any) -> LoginEvent:
    """Alice logs in on a new device from the network she is used to."""
    return strange(at, name, **{"origin": HOME} | fields)


SHAPE = Shape(
    rule=RULE,
    threshold=2,
    severity="high",
    window=DAY,
    accounts=1,
    crossing=crossing,
    stretched=stretched,
    subject=ALICE,
    counts=lambda events: {"successes": events},
    others_off={"logins": 2},
    beside=("global_attack_mode",),
    store=attacked,
)
ONE = Shape(
    rule=RULE,
    threshold=1,
    severity="high",
    window=DAY,
    accounts=1,
    crossing=crossing,
    stretched=stretched,
    subject=ALICE,
    beside=("global_attack_mode",),
    store=attacked,
)


def one(at: float, successes: int = 1) -> Seen:
    """The alert of logins of which the last is at `at`."""
    return Seen("high", at, at, 0, 1, ALICE, successes=successes)


TIMELINES = [
    *basic(SHAPE),
    case(
        "a second quiet time is a second alert",
        # Abroad is known by then: the second time it is another country.
        crossing(0) + crossing(QUIET, name="again", origin=ELSEWHERE),
        one(30, 2),
        Seen("high", QUIET, QUIET + 30, 0, 1, ALICE, successes=3),
    ),
    case(
        "one alert grows within a quiet time",
        crossing(0) + crossing(HOUR, name="again", origin=ELSEWHERE),
        one(30, 4)._replace(updated=HOUR + 30),
    ),
    case("two accounts are two subjects", changed(crossing(0), 1, account="bob")),
]
ONE_TIMELINES = [
    case("a new device from a new country and network", [strange(0, "e")], one(0)),
    case(
        "a new device from a new network full of customers",
        [strange(0, "e", origin=Origin(country="TW", asn=17421))],
        one(0),
    ),
    case("a new device from home", [at_home(0)]),
    case(
        "a new device from home with another program",
        [at_home(0, device_id=PHONE, user_agent="App/5.2"), at_home(90, "f", user_agent="Web/9")],
        one(90),
    ),
    case(
        "a new device from home with a new version of the program",
        [at_home(0, device_id=PHONE, user_agent="App/5.2"), at_home(90, "f", user_agent="App/6")],
    ),
    case("a new device from home with the first program ever told", [at_home(0, user_agent="A")]),
    case("a new device from a place that nobody knows", [strange(0, "e", origin=None)]),
    case("a failure on a new device from abroad", [strange(0, "e", outcome="failure")]),
    case("a login without an account", [strange(0, "e", account=None)]),
    case("on a device known to the account", [strange(0, "e", device_id=PHONE)]),
    case(
        "on a device known for less than a minute",
        [strange(0, "e"), strange(59.999, "f", device_id="e")],
        Seen("high", 0, 59.999, 0, 1, ALICE, successes=2),
    ),
    case(
        "on a device last used more than 180 days ago",
        [strange(0, "e", device_id=OLD_PHONE)],
        one(0),
    ),
    case("no device is told", [strange(0, "e", device_id=None)]),
    case(
        "the account has had two successes",
        [strange(0, "e", account=NEWCOMER)],
        one(0)._replace(subject=NAMES.account(NEWCOMER)),
    ),
    case(
        "nobody has ever seen the account",
        [strange(0, "e", account="dora")],
        one(0)._replace(subject=NAMES.account("dora")),
    ),
    case("the system has had 999 successes", [strange(0, "e", system=YOUNG)]),
]
ADDRESS_TIMELINES = [
    case("another account failed there a minute before", [*others(0), at_home(60)], one(60)),
    case("its own failure is no other account's", [login(0, "own"), at_home(60)]),
    case("another account failed there later", [at_home(0), *others(60)]),
    case("a day before, less a moment", [*others(0), at_home(DAY - 0.001)], one(DAY - 0.001)),
    case("a day before", [*others(0), at_home(DAY)]),
    case("another account failed there less than a minute before", [*others(0), at_home(59.999)]),
    case("the failure arrives late", [at_home(90), *others(31)]),
    case(
        "a failure of more than a minute before",
        [*others(0), at_home(90), *others(31)],
        one(90),
    ),
    case("from another address", [*others(0, ip=OTHER_IP), at_home(60)]),
    case(
        "from another address of its /64",
        [*others(0, ip="2001:db8::1"), at_home(60, ip="2001:db8::2")],
        one(60),
    ),
    case("from another /64", [*others(0, ip="2001:db8::1"), at_home(60, ip="2001:db8:0:1::1")]),
    case("on the device she is used to", [*others(0), at_home(60, device_id=PHONE)]),
    case(
        "where a customer logs in on a device known for a week",
        [
            login(0, "known", account="bob", outcome="success", device_id=PHONE, origin=HOME),
            *others(0, account="carl"),
            at_home(120),
        ],
    ),
    case(
        "where more accounts fail than customers are known",
        [
            login(0, "known", account="bob", outcome="success", device_id=PHONE, origin=HOME),
            *others(0, account="carl"),
            *others(1, account="dan"),
            at_home(120),
        ],
        one(120),
    ),
]


@pytest.mark.parametrize(("events", "expected"), TIMELINES)
def test_timeline_of_two(events: list[LoginEvent], expected: list[Seen]) -> None:
    """Two strange logins (the limit set to two), each timeline as its name says."""
    assert SHAPE.judged(events) == expected


@pytest.mark.parametrize(("events", "expected"), ONE_TIMELINES)
def test_timeline(events: list[LoginEvent], expected: list[Seen]) -> None:
    """Who is strange and who is not, each timeline as its name says."""
    assert ONE.judged(events) == expected


@pytest.mark.parametrize("cut", [1, 100])
@pytest.mark.parametrize(("events", "expected"), ADDRESS_TIMELINES)
def test_timeline_of_an_address(events: list[LoginEvent], expected: list[Seen], cut: int) -> None:
    """On a new device, where others failed; one batch or an event at a time."""
    active = (*rules(only=RULE), *rules(only="global_attack_mode"))
    told = found(events, cut=cut, active=active, store=attacked())

    assert sorted(map(seen, told)) == expected
    assert {ip for alert in told for ip in alert.ips} <= {IP, "2001:db8::2"}


def test_without_an_attack_nobody_is_named() -> None:
    """Half an hour after the last hot minute, and a minute more, it is over."""
    active = (*rules(only=RULE), *rules(only="global_attack_mode"))
    events = [strange(at, f"e{at}", account=f"a{at}") for at in (30 * MINUTE + 59, 31 * MINUTE)]

    told = found(events, active=active, store=attacked(range(-60, 0)))

    assert [alert.event_ids for alert in told] == [["e1859"]]


@pytest.mark.parametrize(
    ("store", "named"),
    [
        pytest.param(attacked, {"alice", *UNKNOWN}, id="burst"),
        pytest.param(partial(drifting, 1), {"alice", *UNKNOWN}, id="drift of a day"),
        pytest.param(partial(drifting, 3), {"alice"}, id="drift of three days"),
    ],
)
def test_accounts_that_are_not_known_are_named_while_the_attack_is_news(
    store: Callable[[], MemoryStore], named: set[str]
) -> None:
    """A drift may last for weeks, in which every customer's first login is strange."""
    active = (*rules(only=RULE), *rules(only="global_attack_mode"))
    events = [strange(n, f"e{n}", account=name) for n, name in enumerate(("alice", *UNKNOWN))]

    told = found(events, active=active, store=store())

    assert {alert.subject.value for alert in told} == {*map(NAMES.account, named)}


def test_without_the_rule_that_tells_the_mode_nobody_is_named() -> None:
    """A mode that is only staged, or off, moves nothing."""
    assert found([strange(0, "e")], active=rules(only=RULE), store=attacked()) == []


@pytest.mark.parametrize(("account", "risk"), [("alice", "ask"), (NEWCOMER, None)])
def test_the_customer_is_asked_where_the_account_is_known(account: str, risk: str | None) -> None:
    """Nobody is asked on the first three logins (promise 7); the SOC is told in any case."""
    active = (*rules(only=RULE), *rules(only="global_attack_mode"))

    store = judged(arrivals([strange(0, "e", account=account)]), active=active, store=attacked())

    assert [word.notice_risk for word in words(store)] == ([risk] if risk else [])
    assert len(store.alerts) == 1


def test_a_look_at_failures_alone_does_not_lose_a_login_that_waits() -> None:
    """While another partition lags the login waits; then failures of its address are looked at."""
    active = (*rules(only=RULE), *rules(only="global_attack_mode"), *rules(only="ip_fail_daily"))
    judge, store = engine(active), attacked()
    events = [*others(0), at_home(60)]
    flood = [login(61 + n, f"f{n}", account="bob", device_id="thief") for n in range(5)]

    async def run() -> None:
        await store.advance(1, START_MS)
        await judge.handle(arrivals(events), store)
        await judge.handle(arrivals(flood, offset=2), store)
        await finish(judge, store, START_MS + 100_000)

    asyncio.run(run())

    assert [alert.event_ids for alert in final(store) if alert.rule == RULE] == [["e"]]
