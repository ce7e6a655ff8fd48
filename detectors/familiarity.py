"""How familiar a login's device and place are to its account: marks for the entries of logs.

No verdict from an absent fact: without a device, country or AS nothing is said of it, and while a
memory is cold (the account's first three successes, the system's first thousand, after a loss of
state) nothing is ever called new.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from .account_memory import COUNTRY, DEVICE, NETWORK, OLD_MS, AccountMemory, rewritten
from .attempts import (
    COLD,
    KNOWN_DEVICE,
    NEW_ASN,
    NEW_COUNTRY,
    NEW_DEVICE,
    OLD_DEVICE,
    place_of,
    short_hash,
)
from .census import Census, Shares, Success, take
from .events import AS_OF_MS, DAY_MS, LoginEvent
from .facts import Facts
from .pseudonyms import Pseudonyms
from .windows import WindowStore


class Login(Protocol):
    """An accepted login with its facts, as `familiarity` asks for it."""

    @property
    def event(self) -> LoginEvent:
        """What the source told."""
        ...

    @property
    def identity(self) -> bytes:
        """Its keyed identity."""
        ...

    @property
    def at_ms(self) -> int:
        """The time rules use."""
        ...

    @property
    def offset(self) -> int:
        """Where it stood in its partition."""
        ...

    @property
    def known(self) -> Facts | None:
        """What is known beside the event."""
        ...


@dataclass(slots=True)
class Familiar:
    """The memories that a batch touches, with the batch in them."""

    memories: dict[bytes, AccountMemory] = field(default_factory=dict)
    shares: Mapping[tuple[str, int], Shares] = field(default_factory=dict)
    warm_from: Mapping[str, int | None] = field(default_factory=dict)
    cold_until_ms: int = 0

    def marks(self, login: Login, owner: bytes | None) -> int:
        """The marks of an entry of this login."""
        event, now = login.event, login.at_ms
        country, asn = place_of(event, login.known)
        marks = 0 if now >= self.cold_until_ms else COLD
        shares = self.shares.get((event.system, now // DAY_MS))
        if shares is not None and not marks:
            marks = shares.marks(country, asn)
        memory = None if owner is None else self.memories.get(owner)
        if memory is None:
            return marks
        device = event.device_id
        if device is not None:
            used = memory.usage(DEVICE, short_hash(device))
            if used is not None and memory.known(DEVICE, short_hash(device), now):
                marks |= KNOWN_DEVICE
                marks |= OLD_DEVICE if used.first_ms <= now - OLD_MS else 0
        if not self._is_warm(event.system, memory, now):
            return marks
        if device is not None and not marks & KNOWN_DEVICE:
            marks |= NEW_DEVICE
        if country is not None and not memory.known(COUNTRY, short_hash(country), now):
            marks |= NEW_COUNTRY
        if asn is not None and not memory.known(NETWORK, short_hash(str(asn)), now):
            marks |= NEW_ASN
        return marks

    def _is_warm(self, system: str, memory: AccountMemory, now_ms: int) -> bool:
        warm_from = self.warm_from.get(system)
        return (
            warm_from is not None
            and warm_from <= now_ms - AS_OF_MS
            and now_ms >= self.cold_until_ms
            and memory.is_warm(now_ms)
        )

    def additions(self) -> dict[bytes, bytes]:
        """What each memory gains by this batch."""
        return {owner: bytes(one.fresh) for owner, one in self.memories.items() if one.fresh}

    def too_long(self) -> dict[bytes, tuple[bytes, int]]:
        """Memories worth rewriting: their new content in place of what was read."""
        return {
            owner: (rewritten(one.blob), one.read)
            for owner, one in self.memories.items()
            if one.is_long
        }


class Familiarity:
    """Reads and feeds the memories of accounts, batch by batch."""

    def __init__(self, names: Pseudonyms) -> None:
        self._names = names
        self._census = Census()
        self._warm_from: dict[str, int] = {}

    async def read(self, logins: Sequence[Login], store: WindowStore) -> Familiar:
        """The memories of all who log in or try with a device, the batch's successes included."""
        asked: dict[bytes, list[Login]] = {}
        for login in logins:
            event = login.event
            if event.action == "login" and (
                event.outcome == "success" or event.device_id is not None
            ):
                owner = owner_of(login, self._names)
                if owner is not None:
                    asked.setdefault(owner, []).append(login)
        shares = {
            (system, day): await self._census.shares(system, day * DAY_MS, store)
            for system, day in {(one.event.system, one.at_ms // DAY_MS) for one in logins}
        }
        if not asked:
            return Familiar(shares=shares, cold_until_ms=await store.cold_until())
        blobs = await store.recall(list(asked))
        memories = {owner: AccountMemory.of(blobs.get(owner, b"")) for owner in asked}
        for owner, theirs in asked.items():
            for login in theirs:
                if login.event.outcome == "success":
                    _remember(memories[owner], login)
        warm = await self._warm(logins, store)
        return Familiar(memories, shares, warm, await store.cold_until())

    async def count(
        self, logins: Sequence[Login], partition: int, first: int, end: int, store: WindowStore
    ) -> None:
        """Let the census count where the successes of offsets [first, end) came from."""
        await take(
            [
                Success(
                    login.event.system,
                    login.offset,
                    login.at_ms,
                    *place_of(login.event, login.known),
                )
                for login in logins
                if login.event.outcome == "success" and login.event.action == "login"
            ],
            partition,
            first,
            end,
            store,
        )

    async def _warm(self, logins: Sequence[Login], store: WindowStore) -> Mapping[str, int | None]:
        """Since when each system has had its thousand successes; asked only while that may move."""
        counted: dict[str, list[tuple[int, bytes]]] = {}
        for login in logins:
            system = login.event.system
            since = self._warm_from.get(system)
            if login.event.outcome == "success" and (since is None or login.at_ms < since):
                counted.setdefault(system, []).append((login.at_ms, login.identity))
            else:
                counted.setdefault(system, [])
        asked = {
            system: found
            for system, found in counted.items()
            if found or system not in self._warm_from
        }
        for system, since in (await store.warm(asked)).items() if asked else ():
            if since is not None:
                self._warm_from[system] = since
        return {system: self._warm_from.get(system) for system in counted}

    def forget(self) -> None:
        """State was lost: what this process has seen of it no longer holds."""
        self._warm_from.clear()
        self._census.forget()


def owner_of(login: Login, names: Pseudonyms) -> bytes | None:
    """Whose memory: the customer's where the directory tells, else the account's."""
    known = login.known
    if known is not None and known.customer is not None:
        return known.customer
    account = login.event.account
    return None if account is None else names.account_bytes(account)


def _remember(memory: AccountMemory, login: Login) -> None:
    event, at, identity = login.event, login.at_ms, login.identity
    memory.add_success(at, identity)
    if event.device_id is not None:
        memory.add(DEVICE, short_hash(event.device_id), at, identity)
    country, asn = place_of(event, login.known)
    if country is not None:
        memory.add(COUNTRY, short_hash(country), at, identity)
    if asn is not None:
        memory.add(NETWORK, short_hash(str(asn)), at, identity)
