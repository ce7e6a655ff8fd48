"""hit_accounts_same_order: accounts that were perhaps broken into buy one paper together."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from detectors.at_risk import RISK_MS, AtRisk, paper_of
from detectors.attempts import PLACED, SUCCESS, pack
from detectors.deeds import COUNTS, deed_mark, risky
from detectors.events import DAY_MS, LoginEvent, Origin, milliseconds
from detectors.memory import MemoryStore
from detectors.rule import Sighting
from detectors.rules import hit_accounts_same_order
from detectors.windows import Observed, Subject, SubjectLog
from tests.builders import (
    DAY,
    HOUR,
    IP,
    MINUTE,
    NAMES,
    QUIET,
    arrivals,
    changed,
    final,
    judged,
    login,
    rules,
)
from tests.detectors.warm import HOME, START_MS, warm

from .timelines import Seen, Shape, basic, case

RULE = "hit_accounts_same_order"
HIT = tuple(f"hit{n}" for n in range(9))
"""Accounts of whose login, an hour before START, the customer was asked."""
LOGIN = -HOUR
PAPER = "HKEX:H0123"
ABROAD = Origin(country="VN", asn=45899)


def order(at: float, name: str, account: str = HIT[0], **fields: Any) -> LoginEvent:
    """An order for a paper that few hold."""
    said = {"outcome": "success", "action": "order", "instrument": "H0123", "market": "HKEX"}
    return login(at, name, account=account, **said | {"device_id": "thief"} | fields)


def at_risk(accounts: Sequence[str] = HIT, *, at: float = LOGIN) -> MemoryStore:
    """A store in which these accounts have had a risky login in two systems."""
    store = warm(accounts)
    risks = AtRisk(NAMES)
    entries = {
        Subject(system, "deeds", NAMES.account(account)): [_login(account, at)]
        for system in ("web", "app")
        for account in accounts
    }
    pages = risks.seeing(Observed(entries)).remembered
    asyncio.run(store.record(Observed({}, remembered=pages), {}))
    return store


def _login(account: str, at: float) -> bytes:
    event = login(at, account, account=account, outcome="success", device_id="thief")
    now = milliseconds(event.occurred_at)
    entry = pack(event, IP, bytes(8), now, NAMES, marks=SUCCESS | PLACED)
    return risky(entry, "ask")


def orders(
    accounts: Sequence[str], *, start: float = 0, name: str = "e", **fields: Any
) -> list[LoginEvent]:
    """An order of each, a minute apart."""
    return [
        order(start + MINUTE * n, f"{name}{n}", account, **fields)
        for n, account in enumerate(accounts)
    ]


def crossing(start: float, **fields: Any) -> list[LoginEvent]:
    """Three accounts, a minute apart."""
    return orders(HIT[:3], start=start, **fields)


def stretched(seconds: float) -> list[LoginEvent]:
    """Three accounts over `seconds`."""
    return [order(seconds * n / 2, f"e{n}", HIT[n]) for n in range(3)]


SHAPE = Shape(
    rule=RULE,
    threshold=3,
    severity="critical",
    window=HOUR / 2,
    accounts=3,
    crossing=crossing,
    stretched=stretched,
    subject=PAPER,
    counts=lambda _: {},
    store=at_risk,
)


def alert(at: float = 120, **other: Any) -> Seen:
    """The alert of three accounts."""
    return Seen("critical", at, at, 0, 3, PAPER)._replace(**other)


TIMELINES = [
    *basic(SHAPE),
    case(
        "a second quiet time is a second alert",
        crossing(0) + crossing(QUIET, name="again"),
        alert(),
        alert(QUIET + 120),
    ),
    case(
        "one alert grows within a quiet time",
        crossing(0) + orders(HIT[3:6], start=HOUR, name="more"),
        alert(updated=HOUR + 120, accounts=6),
    ),
    case("one account that orders three times", orders([HIT[0], HIT[1], HIT[1]])),
    case("two papers are two subjects", changed(crossing(0), 2, instrument="H0124")),
    case("two markets are two subjects", changed(crossing(0), 2, market="TWSE")),
    case("a paper that is written otherwise", changed(crossing(0), 2, instrument="h0123"), alert()),
    case("an order for nothing that is named", changed(crossing(0), 2, instrument=None)),
    case("an order that was refused", changed(crossing(0), 2, outcome="failure")),
    case("accounts that are not at risk", orders(["dora", "emil", "fred", "gina"])),
    case("an order on another device", changed(crossing(0), 2, device_id="own")),
    case("an order that tells no device", changed(crossing(0), 2, device_id=None), alert()),
    case("an order without an account", changed(crossing(0), 2, account=None)),
    case("many customers behind one address", orders([f"c{n}" for n in range(20)])),
    case("an address of IPv6", crossing(0, ip="2001:db8::7"), alert()),
    case("without an address", crossing(0, ip=None), alert()),
    case(
        "five days after the risky logins",
        crossing(5 * DAY - HOUR),
    ),
    case(
        "just within five days of them",
        crossing(5 * DAY - HOUR - 121),
        alert(5 * DAY - HOUR - 1),
    ),
    case(
        "a paper that as many bought two days before",
        crossing(0) + crossing(2 * DAY, name="again"),
        alert(),
    ),
    case(
        "twice as many as two days before",
        crossing(0) + orders(HIT[:6], start=2 * DAY, name="again"),
        alert(),
    ),
    case(
        "two more than twice as many as two days before",
        crossing(0) + orders(HIT[:8], start=2 * DAY, name="again"),
        alert(),
    ),
    case(
        "three more than twice as many as two days before",
        crossing(0) + orders(HIT[:9], start=2 * DAY, name="again"),
        alert(),
        alert(2 * DAY + 480, accounts=9),
    ),
    case(
        "three of a paper that one bought two days before",
        orders(HIT[:1]) + orders(HIT[:4], start=2 * DAY, name="again"),
    ),
    case(
        "five of a paper that one bought two days before",
        orders(HIT[:1]) + orders(HIT[:5], start=2 * DAY, name="again"),
        alert(2 * DAY + 240, accounts=5),
    ),
    case(
        "as many as within the day before",
        crossing(0) + crossing(DAY - HOUR, name="again"),
        alert(),
        alert(DAY - HOUR + 120),
    ),
]


@pytest.mark.parametrize(("events", "expected"), TIMELINES)
@pytest.mark.parametrize("cut", [1, 100])
def test_timeline(events: list[LoginEvent], expected: list[Seen], cut: int) -> None:
    """Three accounts at risk in half an hour, each timeline as its name says."""
    assert SHAPE.judged(events, cut) == expected


@pytest.mark.parametrize("cut", [1, 2, 5, 100])
def test_from_the_logins_on(cut: int) -> None:
    """The same alert however a batch is cut: logins and orders may come in one."""
    thieves = [
        login(n, f"in{n}", account=account, outcome="success", device_id="thief", origin=ABROAD)
        for n, account in enumerate(HIT[:3])
    ]
    active = (*rules(only=RULE), *rules(only="new_device_and_place"))

    store = judged(arrivals([*thieves, *crossing(100)]), cut=cut, active=active, store=warm(HIT))

    (found,) = (one for one in final(store) if one.rule == RULE)
    assert found.event_ids == ["e0", "e1", "e2"]
    assert (found.subject.type, found.subject.value) == ("global", PAPER)
    assert found.counts == {"failures": 0, "accounts": 3, "ips": 1, "actions": 3}
    assert found.accounts == [NAMES.account(account) for account in HIT[:3]]
    assert found.summary == (
        f"3 accounts with a risky login in five days ordered {PAPER} (3 orders): "
        "at least 3 within 30 minutes"
    )


@pytest.mark.parametrize(("days", "alerts"), [(9.9, 0), (10.1, 1)])
def test_unseen_devices_count_once_a_system_is_known(days: float, alerts: int) -> None:
    """Where only the device was new, everybody's favourite papers must be known first."""
    thieves = [
        login(n, f"in{n}", account=account, outcome="success", device_id="thief", origin=HOME)
        for n, account in enumerate(HIT[:3])
    ]
    store = warm(HIT)
    since = START_MS - round(days * DAY_MS)
    store._earliest["web"] = [(since + n, n.to_bytes(8, "big")) for n in range(1_000)]

    judged(arrivals([*thieves, *crossing(100)]), active=rules(only=RULE), store=store)

    assert len(final(store)) == alerts


def test_what_lost_its_days_before_is_not_judged_again() -> None:
    """A log is trimmed: orders whose usual days are gone must not look unusual afterwards."""
    old = [_order(n, HIT[n]) for n in range(3)]
    new = [_order(11 * DAY + HOUR * n, HIT[n]) for n in range(8)]

    (alone,) = _judged(SubjectLog.of(b"".join(old), kind="paper"))
    (trimmed,) = _judged(SubjectLog.of(b"".join([*old, *new]), kind="paper"))

    assert (len(alone.hot), len(trimmed.hot)) == (1, 0)


def _judged(log: SubjectLog) -> list[Sighting]:
    return hit_accounts_same_order.judge(log, hit_accounts_same_order.Limits())


def _order(at: float, account: str) -> bytes:
    event = order(at, f"{account}{at}", account)
    now = milliseconds(event.occurred_at)
    identity = NAMES.event("web", event.event_id)
    return pack(event, IP, identity, now, NAMES, marks=PLACED | COUNTS | deed_mark("order"))


def test_ordinary_orders_leave_nothing_behind() -> None:
    """Of an account that is not at risk no order is kept anywhere, whatever it is for."""
    store, before = warm(["alice"]), warm(["alice"])

    judged(arrivals(orders(["alice"] * 5)), store=store)

    assert store._logs == before._logs
    assert store._memories == before._memories


def test_a_paper_is_untrusted_text() -> None:
    """Market and instrument come from outside: in keys and alerts they are escaped and bounded."""
    event = order(0, "e", instrument="x" * 500, market="\x1b[31m")

    assert "\x1b" not in paper_of(event)
    assert len(paper_of(event)) < 100
    assert RISK_MS == 5 * DAY_MS
