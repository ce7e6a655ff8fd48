"""Stores in which memory is warm: accounts that have logged in before, systems long in use.

Written through the store's own calls, so that a test needs no thousand logins.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence

from detectors.account_memory import (
    COUNTRY,
    DEVICE,
    NETWORK,
    WARM_AFTER,
    WARM_SUCCESSES,
    AccountMemory,
    key_of,
)
from detectors.events import DAY_MS, LoginEvent, Origin, milliseconds
from detectors.facts import Facts, facts_of
from detectors.memory import MemoryStore
from detectors.networks import Networks
from detectors.rates import Tallies
from detectors.windows import Observed
from tests.builders import NAMES, START

START_MS = milliseconds(START)
HOME = Origin(country="TW", asn=3462)
"""Where every account of these stores has logged in from."""
PHONE, OLD_PHONE = "phone", "old phone"
"""The device of every account for thirty days, and one that was last used 200 days ago."""
NEWCOMER, YOUNG = "carol", "young"
"""An account that has had two successes, and a system that has had 999."""
CUSTOMERS = {"S": 10_000, "C:TW": 9_900, "C:JP": 10, "C:KP": 9, "A:3462": 5_000, "A:17421": 100}
"""Where the logins of `web` came from ten days ago: networks of more than 1 % are common, countries
of less than 0.1 % rare.
"""
HOSTING = Origin(country="TW", asn=64500)
"""A network for rent, where `hosting` says what is known."""


def hosting(event: LoginEvent) -> Facts:
    """The facts of an event where AS 64500 is known to be for rent."""
    return facts_of(event, networks=Networks({64500: frozenset({"hosting"})}))


def memory(*, successes: int = WARM_SUCCESSES, days_ago: float = 30) -> bytes:
    """The memory of an account that logged in so often, from HOME with its PHONE."""
    at = START_MS - round(days_ago * DAY_MS)
    kept = AccountMemory(b"")
    kept.add(START_MS - 200 * DAY_MS, b"oldphone", [key_of(DEVICE, OLD_PHONE)])
    for number in range(successes):
        identity = number.to_bytes(8, "big")
        kept.add_success(at + number, identity)
        kept.add(at + number, identity, [key_of(COUNTRY, "TW")])
        kept.add(at + number, identity, [key_of(NETWORK, "3462")])
        kept.add(at + number, identity, [key_of(DEVICE, PHONE)])
    return bytes(kept.fresh)


def warm(
    accounts: Sequence[str] = ("alice", "bob"), *, days_ago: float = 30, watched_days: float = 60
) -> MemoryStore:
    """A store in which these accounts, `web` and `app` have logged in before; the systems have been
    watched for `watched_days`.
    """
    store = MemoryStore()
    blob = memory(days_ago=days_ago)
    at, start_day = START_MS - round(watched_days * DAY_MS), START_MS // DAY_MS
    earliest = [(at + n, n.to_bytes(8, "big")) for n in range(WARM_AFTER)]

    async def fill() -> None:
        remembered = {NAMES.account_bytes(account): blob for account in accounts}
        remembered[NAMES.account_bytes(NEWCOMER)] = memory(successes=2)
        await store.record(Observed({}, remembered=remembered), {})
        await store.count("web", 9, 0, 1, Tallies({start_day - 10: Counter(CUSTOMERS)}))
        await store.warm({"web": earliest, "app": earliest, YOUNG: earliest[:-1]})

    asyncio.run(fill())
    return store
