"""Whatever arrives first: an address that turns bad finds who logged in, and each is told once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors import alerts, verdicts
from detectors.engine import Arrival
from detectors.events import LoginEvent, Origin, milliseconds
from detectors.memory import MemoryStore
from detectors.rule import Mode
from tests.builders import (
    DAY,
    HOUR,
    NAMES,
    arrivals,
    engine,
    final,
    finish,
    judged,
    login,
    rules,
    series,
    words,
)

from .warm import HOME, PHONE, warm

ABROAD = Origin(country="VN", asn=45899)
SUCCESS: dict[str, Any] = {"outcome": "success"}


def attack(number: int, start: float = 0) -> list[LoginEvent]:
    """Ten failures that flag 203.0.113.<number> 45 s after `start`."""
    return series(10, every=5, start=start, name=f"a{number}-", ip=f"203.0.113.{number}")


def campaign() -> list[LoginEvent]:
    """Six addresses of a network within a minute, and logins from one of them and beside them."""
    return [
        *(event for n in range(6) for event in attack(n, start=2 * n)),
        login(56, "hit", ip="203.0.113.2", **SUCCESS),
        login(58, "beside", ip="203.0.113.99", account="bob", **SUCCESS),
        login(59, "stopped", ip="203.0.113.3", account="carl", reason="mfa_failed"),
        login(57, "own", ip="203.0.113.2", device_id=PHONE, account="bob", **SUCCESS),
    ]


def told(store: MemoryStore) -> tuple[list[alerts.Alert], list[verdicts.Verdict]]:
    """All that left the engine."""
    return final(store), words(store)


CAMPAIGN = campaign()
EXPECTED = told(judged(arrivals(CAMPAIGN), store=warm()))


def test_a_campaign_is_told_whole() -> None:
    """Addresses, network, both takeovers and the stopped one; a known device is no takeover."""
    found, said = EXPECTED

    assert {(one.rule, one.subject.value, one.counts.get("successes", 0)) for one in found} >= {
        *(("ip_fail_burst", f"203.0.113.{n}", 0) for n in range(6)),
        ("subnet_attack", "203.0.113.0/24", 0),
        ("success_after_attack", NAMES.account("alice"), 1),
        ("success_after_attack", NAMES.account("bob"), 1),
        ("password_known", NAMES.account("carl"), 0),
    }
    assert {(word.event_id, word.notice_risk, *word.rules) for word in said} == {
        ("hit", "high", "success_after_attack"),
        ("beside", "high", "success_after_attack"),
        ("stopped", "ask", "password_known"),
    }


@given(st.permutations(CAMPAIGN), st.sampled_from([1, 3, 100]))
@settings(max_examples=15, deadline=None)
def test_any_order_of_arrival_gives_the_same(events: list[LoginEvent], cut: int) -> None:
    """All of it lies within a minute: flagged first or entered first, one by one or at once."""
    assert told(judged(arrivals(events), cut=cut, store=warm())) == EXPECTED


def test_a_redelivered_batch_changes_nothing() -> None:
    """The same records once more, and a part of them a third time: not a byte of difference."""
    once = judged(arrivals(CAMPAIGN), cut=7, store=warm())
    again = judged(
        [*arrivals(CAMPAIGN), *arrivals(CAMPAIGN), *arrivals(CAMPAIGN)[20:]], cut=7, store=warm()
    )

    assert (again.alerts, again.verdicts) == (once.alerts, once.verdicts)


def test_an_address_flagged_days_later_finds_who_logged_in_within_the_day_after() -> None:
    """Late events flag the past; a login of that day is found although it came long before them."""
    late = [login(5 * n, f"late{n}", account=f"x{n}") for n in range(10)]
    events = [login(HOUR, "in", **SUCCESS), login(5 * HOUR, "newest", account="z"), *late]

    store = judged(arrivals(events))

    takeover = [one for one in final(store) if one.rule == "success_after_attack"]
    assert [one.event_ids for one in takeover] == [["in"]]
    assert [(word.event_id, word.notice_risk) for word in words(store)] == [("in", "high")]


@pytest.mark.parametrize(
    ("mode", "said"), [("live", {"high"}), ("staged", set[str]()), ("off", set[str]())]
)
def test_only_live_detections_speak_to_customers(mode: Mode, said: set[str]) -> None:
    """A staged one judges, and its alerts say so; the customer hears nothing of it."""
    active = [
        replace(one, mode=mode) if one.rule.id == "success_after_attack" else one for one in rules()
    ]
    events = [*attack(0), login(60, "hit", ip="203.0.113.0", **SUCCESS)]

    store = judged(arrivals(events), active=active)

    assert {word.notice_risk for word in words(store)} == said
    modes = {one.mode for one in final(store) if one.rule == "success_after_attack"}
    assert modes == ({mode} if mode != "off" else set())


def arriving(events: Sequence[LoginEvent], *, late: float = 0, **fields: Any) -> list[Arrival]:
    """Records appended `late` seconds after they happened."""
    return [
        Arrival(event, 0, offset, milliseconds(event.judged_at) + round(late * 1000), **fields)
        for offset, event in enumerate(events)
    ]


@pytest.mark.parametrize(("late", "said"), [(DAY, False), (DAY + 0.001, True)])
def test_a_login_that_arrives_after_a_day_is_marked(late: float, said: bool) -> None:
    """The notifier wakes nobody for it; the SOC is told all the same."""
    events = [*attack(0), login(60, "hit", ip="203.0.113.0", **SUCCESS)]

    store = judged(arriving(events, late=late))

    assert [word.late for word in words(store)] == [said]
    assert "success_after_attack" in {one.rule for one in final(store)}


def test_an_import_fills_memory_and_raises_nothing() -> None:
    """Logins come in by `--backfill`: no alert, no verdict, and devices are known after."""
    past = [
        login(
            -60 * DAY + n,
            f"p{n}",
            outcome="success",
            account=f"u{n % 300}",
            device_id="old",
            origin=HOME,
        )
        for n in range(1000)
    ]
    store = judged(arriving([*past, *CAMPAIGN], backfill=True), cut=500)
    assert (store.alerts, store.verdicts) == ({}, {})

    today = [
        login(0, "known", account="u1", device_id="old", origin=ABROAD, **SUCCESS),
        login(1, "new", account="u2", device_id="strange", origin=ABROAD, **SUCCESS),
    ]
    judge = engine()

    async def go_on() -> None:
        tally = await judge.handle(
            [one._replace(offset=5000 + one.offset) for one in arriving(today)], store
        )
        assert [word.event_id for word in judge.inbox(tally)] == ["known", "new"]
        await finish(judge, store, milliseconds(today[-1].judged_at))

    asyncio.run(go_on())
    assert [(word.event_id, word.notice_risk) for word in words(store)] == [("new", "ask")]


def test_failures_on_a_known_device_count_for_nothing() -> None:
    """A telephone that replays an old password all day flags nobody, and no account."""
    replayed = series(300, every=60, account="alice", accounts=1, device_id=PHONE)
    stranger = series(300, every=60, account="alice", accounts=1, device_id="strange")

    assert final(judged(arrivals(replayed), cut=50, store=warm())) == []
    assert final(judged(arrivals(stranger), cut=50, store=warm())) != []
