"""What must stay quiet: carriers' addresses, new systems, imports, floods, a loss of state."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from datetime import datetime, timedelta
from itertools import chain, islice
from typing import Any

import redis

from detectors.engine import Arrival
from detectors.events import milliseconds
from stream import keys_in_redis
from tests.builders import START, arrivals, engine, login
from tests.contracts.keepers import InRedis
from tests.end_to_end.simulated import BATCH, customers, judge, judged

SEEN = 400
ON_THE_WEB: dict[str, Any] = {"system": "trading-web", "outcome": "success"}
NEED_FACTS = {"new_device_and_place", "password_known", "unknown_origin_ip"}
LEARNING = timedelta(days=10)
"""A device speaks for its address from the 7th day on."""


def test_an_address_of_a_thousand_customers_raises_nothing_above_low() -> None:
    """A carrier's NAT whose customers are known by their devices: none of its alerts is more.

    Ten days to learn, then a day with four times as many logins: three a customer.
    """
    behind: defaultdict[str, set[str | None]] = defaultdict(set)
    coming = list(customers(days=10, people=5_000, scale=0.1, seed=3))
    busy: dict[str, Any] = {"scale": 0.4, "seed": 3, "after_days": 10, "offset": len(coming)}
    coming += customers(days=1, people=5_000, **busy)
    for arrival in coming:
        if arrival.event.ip is not None:
            behind[arrival.event.ip].add(arrival.event.account)
    # Of the thousand behind each, those who log in within these days.
    shared = {ip for ip, accounts in behind.items() if len(accounts) >= SEEN}

    alerts, _ = judged(coming)

    known = [
        alert
        for alert in alerts
        if alert.subject.value in shared
        and datetime.fromisoformat(alert.opened_at) >= START + LEARNING
    ]
    assert shared
    assert known
    assert {alert.severity for alert in known} == {"low"}


def test_a_new_installation_asks_nobody() -> None:
    """A thousand mixed logins of an empty system: rules that need facts are silent, and so are
    verdicts.
    """
    alerts, told = judged(islice(customers(days=1, people=2_000, scale=0.2), 1_000))

    assert not [a for a in alerts if a.rule in NEED_FACTS or a.part == "account"]
    assert told == []


def test_an_import_of_the_past_fills_memory_and_tells_nobody() -> None:
    """Of a hundred thousand old logins devices are learnt; nobody is paged, nobody is asked."""
    past = [one._replace(backfill=True) for one in customers(days=8, people=20_000, scale=0.3)]
    alice = [
        login(
            -DAY * n,
            f"old{n}",
            account="alice",
            device_id="phone",
            outcome="success",
            system="trading-web",
        )
        for n in range(3, 9)
    ]
    old = [one._replace(backfill=True) for one in arrivals(alice, offset=len(past))]

    alerts, told = judged(chain(past, old))

    assert len(past) > 90_000
    assert (alerts, told) == ([], [])
    assert _asked_on_a_new_device(past, old)


DAY = 86_400


def _asked_on_a_new_device(past: list[Arrival], old: list[Arrival]) -> bool:
    """Whether the import is remembered: a login on a new device from abroad is asked about."""
    later = login(
        9 * DAY,
        "new",
        account="alice",
        **ON_THE_WEB,
        device_id="other",
        origin={"country": "JP", "asn": 64501},
    )
    at = milliseconds(later.occurred_at)
    new = Arrival(later, 0, len(past) + len(old), at)
    _, told = judged(chain(past, old, [new]))
    return [one.notice_risk for one in told] == ["ask"]


def test_floods_of_wrong_passwords_and_unknown_accounts_ask_nobody() -> None:
    """Ten thousand of each: alerts for the SOC, and not a word to a customer."""
    wrong = [
        login(n / 10, f"w{n}", account=f"a{n % 3_000}", reason="bad_password", device_id="d")
        for n in range(10_000)
    ]
    nobody = [
        login(n / 10, f"u{n}", account=f"x{n}", reason="unknown_account", ip="198.51.100.9")
        for n in range(10_000)
    ]

    alerts, told = judged(arrivals([*wrong, *nobody]))

    assert alerts
    assert told == []


def test_a_loss_of_state_asks_nobody(fresh_redis_url: str, fresh_redis: redis.Redis) -> None:
    """FLUSHALL among customers' logins: what was known is gone, so nothing is called new."""
    keeper = InRedis(fresh_redis_url)
    lost: list[bool] = []

    async def scenario() -> int:
        async with keeper.open() as (store,):
            worker = engine()

            def noticed() -> None:
                lost.append(True)
                worker.familiarity.forget()

            store._on_loss = noticed
            await store.announce([0])
            coming = customers(days=3, people=3_000, scale=0.1)
            before = await judge(worker, store, islice(coming, 2 * BATCH))
            fresh_redis.flushdb()
            return before and await judge(worker, store, coming)

    after = asyncio.run(scenario())

    assert lost
    assert after > 3 * BATCH
    outboxes: list[Any] = [
        fresh_redis.xrange(keys_in_redis.outbox(shard)) for shard in range(keeper.shards)
    ]
    kinds = [fields[b"kind"] for entries in outboxes for _, fields in entries]
    assert kinds.count(b"verdict") == 0
