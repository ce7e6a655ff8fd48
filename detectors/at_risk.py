"""Which accounts had a risky login in the last five days: the register that orders are held to.

Orders are most of a broker's traffic, so an ordinary one must cost nothing: no key, no call of its
own. The register is a list a system and day, read once a batch that has orders, in which an account
is looked up; only orders of accounts that are in it are written anywhere.

    account 12 bytes · at 6 · device 8 (zeros: not told) · told 1

It lies among the memories of accounts (same calls, same expiry) and only grows, so late, doubled
and reordered logins change nothing. An order counts from the login on; one that arrives before its
login is missed, since nothing is kept of orders of accounts that are not at risk.
"""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Final, NamedTuple

from .attempts import account_of, flags_of
from .caps import at_ms
from .deeds import COUNTS, TOLD, deed_mark, deed_of, device_of, is_order, one_device
from .errors import escaped
from .events import DAY_MS, LoginEvent
from .intake import Accepted, entry_of
from .pseudonyms import Pseudonyms
from .windows import Observed, Subject, WindowStore

RISK_MS: Final = 5 * DAY_MS
"""How long a risky login counts (DETECTIONS.md 5, 16; Auth0 looks back as long)."""
WATCHED_MS: Final = RISK_MS + 5 * DAY_MS
"""So long after its first thousand successes a system's usual orders are known: unseen devices were
seen as such for five days, and another five days of their orders lie before.
"""
_FACT = struct.Struct(">12sHI8sB")
_LONGEST_PAPER: Final = 80


class Risk(NamedTuple):
    """One risky login. `told`: the customer is asked or told; else only its device was unseen."""

    at_ms: int
    device: bytes
    told: bool


class AtRisk:
    """The register as read, and what a batch adds to it."""

    def __init__(
        self,
        names: Pseudonyms,
        orders: Sequence[Accepted] = (),
        read: Mapping[str, Sequence[bytes]] | None = None,
        warm_from: Mapping[str, int | None] | None = None,
    ) -> None:
        self._names = names
        self._orders = orders
        self._given: set[bytes] = set()
        self._warm_from = warm_from or {}
        self._risks: defaultdict[tuple[str, bytes], list[Risk]] = defaultdict(list)
        self._fresh: defaultdict[bytes, bytearray] = defaultdict(bytearray)
        for system, lists in (read or {}).items():
            for blob in lists:
                for account, high, low, device, is_told in _FACT.iter_unpack(blob):
                    risk = Risk((high << 32) | low, device, bool(is_told))
                    self._risks[system, account].append(risk)

    def seeing(self, observed: Observed) -> Observed:
        """What is observed, with the risky logins in it taken in, and the orders by accounts at
        risk that have not been given yet.
        """
        for subject, entries in observed.entries.items():
            if subject.kind == "deeds":
                for entry in entries:
                    if deed_of(entry) is None:
                        self._add(subject.system, entry)
        pages = {page: bytes(facts) for page, facts in self._fresh.items()}
        self._fresh.clear()
        orders = self._orders_at_risk() if self._orders else {}
        if not pages and not orders:
            return observed
        return replace(
            observed,
            entries={**observed.entries, **orders},
            remembered={**observed.remembered, **pages},
        )

    def _add(self, system: str, login: bytes) -> None:
        """A risky login, by its entry in the log of its account's deeds."""
        account, at = account_of(login), at_ms(login)
        if account is None:
            return
        risk = Risk(at, device_of(login), bool(flags_of(login) & TOLD))
        known = self._risks[system, account]
        if risk in known:
            return
        known.append(risk)
        page = page_of(self._names, system, at // DAY_MS)
        self._fresh[page] += _FACT.pack(account, at >> 32, at & 0xFFFFFFFF, risk.device, risk.told)

    def _of(self, order: Accepted) -> Risk | None:
        """The risky login that an order may be the fruit of: on the same device, where both are
        told, at most five days before it; one that the customer is told of before any other.
        """
        found: Risk | None = None
        device = order.device or bytes(8)
        for risk in self._risks.get((order.event.system, order.account or b""), ()):
            fruit = 0 <= order.at_ms - risk.at_ms < RISK_MS and one_device(risk.device, device)
            if fruit and (found is None or risk.told > found.told):
                found = risk
        return found

    def _orders_at_risk(self) -> dict[Subject, list[bytes]]:
        """Each for the log of its paper.

        Of accounts on a device that was merely unseen they count once the system has been watched
        for long enough: before, nobody can tell which papers everybody buys.
        """
        found: dict[Subject, list[bytes]] = {}
        for order in self._orders:
            risk = self._of(order)
            if risk is None:
                continue
            since = self._warm_from.get(order.event.system)
            counts = risk.told or (since is not None and since <= order.at_ms - WATCHED_MS)
            entry = entry_of(order, deed_mark("order") | (COUNTS if counts else 0))
            if entry not in self._given:
                self._given.add(entry)
                paper = Subject(order.event.system, "paper", paper_of(order.event))
                found.setdefault(paper, []).append(entry)
        return found


def page_of(names: Pseudonyms, system: str, day: int) -> bytes:
    """Under whose name a day of the register lies among the memories of accounts: eight keyed bytes
    (an account has twelve).
    """
    return names.subject(f"at risk\0{system}\0{day}")


async def read_register(
    accepted: Sequence[Accepted],
    names: Pseudonyms,
    store: WindowStore,
    warm_from: Mapping[str, int | None],
) -> AtRisk:
    """The register as far as the orders of a batch may ask for it; one call, or none."""
    orders = [one for one in accepted if is_order(one.event) and not one.backfill]
    pages: dict[bytes, str] = {}
    days = {(order.event.system, order.at_ms // DAY_MS): None for order in orders}
    for system, last in days:
        for day in range(last - RISK_MS // DAY_MS, last + 1):
            pages[page_of(names, system, day)] = system
    read: defaultdict[str, list[bytes]] = defaultdict(list)
    if pages:
        for page, blob in (await store.recall(list(pages))).items():
            read[pages[page]].append(blob)
    return AtRisk(names, orders, read, warm_from)


@lru_cache(maxsize=4_096)
def _paper(market: str, instrument: str) -> str:
    # Both come from outside, and stand in keys and alerts.
    return escaped(f"{market}:{instrument}".upper(), _LONGEST_PAPER)


def paper_of(event: LoginEvent) -> str:
    """What an order is for, as one subject: market and instrument."""
    return _paper(event.market or "-", event.instrument or "-")
