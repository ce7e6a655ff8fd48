"""How familiar a login's device and place are to its account: marks for the entries of logs.

No verdict from an absent fact: without a device, country or AS nothing is said of it, and while a
memory is cold (the account's first three successes, the system's first thousand, after a loss of
state) nothing is ever called new.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from .account_memory import (
    COUNTRY,
    DEVICE,
    FOR_EVER,
    NETWORK,
    OLD_MS,
    PROGRAM,
    AccountMemory,
    key_of,
    place_keys,
    program_key,
    rewritten,
)
from .attempts import (
    COLD,
    DORMANT,
    ELSEWHERE,
    KNOWN_DEVICE,
    LEARNING,
    NEW_ASN,
    NEW_COUNTRY,
    NEW_DEVICE,
    OLD_DEVICE,
    UNFAMILIAR,
    YOUNG,
)
from .census import Census, Shares
from .daily import CANARY
from .events import AS_OF_MS, DAY_MS, LoginEvent
from .facts import Facts, address_of, is_non_customer
from .name_dictionary import Names, Place, Slot, place_of, source_of
from .windows import WindowStore

_NO_SHARES = Shares()


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
    def known(self) -> Facts | None:
        """What is known of it beside what it says."""
        ...

    @property
    def account(self) -> bytes | None:
        """The pseudonym of its account; None where the source has none."""
        ...

    @property
    def owner(self) -> bytes | None:
        """Whose memory it belongs to; None where the source has no account."""
        ...

    @property
    def device(self) -> bytes | None:
        """A hash of its device, where it is told."""
        ...

    @property
    def country(self) -> str | None:
        """Where it came from, as far as known."""
        ...

    @property
    def asn(self) -> int | None:
        """The network it came from, as far as known."""
        ...


@dataclass(slots=True)
class Familiar:
    """The memories that a batch touches, with the batch in them."""

    memories: dict[bytes, AccountMemory] = field(default_factory=dict)
    shares: Mapping[tuple[str, int], Shares] = field(default_factory=dict)
    warm_from: Mapping[str, int | None] = field(default_factory=dict)
    cold_until_ms: int = 0
    names: Names = field(default_factory=Names)
    """Names that are no customer's."""
    _placed: dict[tuple[str, int, str | None, int | None], int] = field(default_factory=dict)

    def marks(self, login: Login) -> int:
        """The marks of an entry of this login."""
        now, owner, system = login.at_ms, login.owner, login.event.system
        memory = None if owner is None else self.memories.get(owner)
        device = 0 if memory is None else _device(memory, login)
        if now < self.cold_until_ms:
            return COLD | device
        warm_from = self.warm_from.get(system)
        if warm_from is None or warm_from > now - AS_OF_MS:
            # Whether a device that is told is the account's own, nobody can know yet.
            unasked = 0 if login.device is None else COLD
            return unasked | device
        marks = device | self._place(system, now // DAY_MS, login.country, login.asn)
        if warm_from > now - OLD_MS:
            marks |= YOUNG
        if memory is None:
            return marks
        news = _news(memory, login, marks)
        watched = news & NEW_DEVICE and not marks & YOUNG
        if watched and (news & (NEW_COUNTRY | NEW_ASN) or _is_other_program(memory, login)):
            marks |= UNFAMILIAR
        if news & NEW_DEVICE and _is_learning(memory, login):
            marks |= LEARNING
        if _tells_nothing_known(news, marks, login) and memory.is_dormant(now):
            marks |= DORMANT
        if not memory.is_warm(now):
            return marks
        success = login.event.outcome == "success"
        if success and memory.was_new_elsewhere(login.country, now):
            marks |= ELSEWHERE
        return marks | news

    def knows_device(self, login: Login) -> bool:
        """Whether the account has logged in with this device before."""
        memory = None if login.owner is None else self.memories.get(login.owner)
        return memory is not None and _device(memory, login) != 0

    def lists(self, login: Login) -> bool:
        """Whether a failure is on a name that many have tried and no customer has."""
        place = _nobody(login)
        return place is not None and self.names.lists(place, login.at_ms)

    def old_device(self, deed: Login) -> int:
        """OLD_DEVICE where a device that is bound has been the account's for a week, else 0."""
        memory = None if deed.owner is None else self.memories.get(deed.owner)
        return 0 if memory is None else _device(memory, deed) & OLD_DEVICE

    def _place(self, system: str, day: int, country: str | None, asn: int | None) -> int:
        """What the shares of a system say of a place, reckoned once a batch."""
        place = system, day, country, asn
        marks = self._placed.get(place)
        if marks is None:
            shares = self.shares.get((system, day), _NO_SHARES)
            marks = self._placed[place] = shares.marks(country, asn)
        return marks

    def additions(self) -> dict[bytes, bytes]:
        """What each memory gains by this batch."""
        gained = {owner: bytes(one.fresh) for owner, one in self.memories.items() if one.fresh}
        return gained | self.names.additions()

    def too_long(self) -> dict[bytes, tuple[bytes, int]]:
        """Memories worth rewriting: their new content in place of what was read."""
        long = {
            owner: (rewritten(one.blob), one.read)
            for owner, one in self.memories.items()
            if one.is_long
        }
        return long | self.names.too_long()


def _device(memory: AccountMemory, login: Login) -> int:
    """What a memory, warm or not, says of a login's device."""
    if login.device is None:
        return 0
    since = memory.known_since(DEVICE + login.device, login.at_ms)
    if since is None:
        return 0
    return KNOWN_DEVICE | OLD_DEVICE if since <= login.at_ms - OLD_MS else KNOWN_DEVICE


def _tells_nothing_known(news: int, marks: int, login: Login) -> bool:
    """Whether a success has no device, country or network that its account used of late: only then
    need its memory be asked for its last login.
    """
    return (
        login.event.outcome == "success"
        and not marks & KNOWN_DEVICE
        and (login.country is None or bool(news & NEW_COUNTRY))
        and (login.asn is None or bool(news & NEW_ASN))
    )


def _news(memory: AccountMemory, login: Login, marks: int) -> int:
    """What of a login a memory does not know."""
    now, country, asn = login.at_ms, login.country, login.asn
    news = 0
    if login.device is not None and not marks & KNOWN_DEVICE:
        news |= NEW_DEVICE
    if country is not None and memory.known_since(key_of(COUNTRY, country), now) is None:
        news |= NEW_COUNTRY
    if asn is not None and memory.known_since(key_of(NETWORK, asn), now) is None:
        news |= NEW_ASN
    return news


def _is_other_program(memory: AccountMemory, login: Login) -> bool:
    """Whether it is none of the account's programs, where any is known (Freeman et al., NDSS 2016:
    address and user agent alone find most takeovers).
    """
    agent, now = login.event.user_agent, login.at_ms
    if agent is None or memory.known_since(program_key(agent), now) is not None:
        return False
    return memory.knows_any(PROGRAM, now)


def _is_learning(memory: AccountMemory, login: Login) -> bool:
    """Whether too little is known of the account's places, and the program is its own; one that is
    not told, or the first one, speaks for nobody.
    """
    agent, now = login.event.user_agent, login.at_ms
    if agent is None or memory.is_settled(now):
        return False
    return memory.known_since(program_key(agent), now) is not None


class Familiarity:
    """Reads and feeds the memories of accounts, batch by batch."""

    def __init__(self) -> None:
        self._census = Census()
        self._warm_from: dict[str, int] = {}

    async def read(self, logins: Sequence[Login], store: WindowStore) -> Familiar:
        """The memories of all who log in or try with a device, the batch's successes included."""
        asked: dict[bytes, None] = {}
        successes: list[Login] = []
        tries: list[tuple[Place, Login]] = []
        days: set[tuple[str, int]] = set()
        for login in logins:
            event, owner = login.event, login.owner
            if event.action == "device_bind" and owner is not None:
                asked[owner] = None
            if event.action != "login":
                continue
            days.add((event.system, login.at_ms // DAY_MS))
            if owner is None:
                continue
            if event.outcome == "success":
                asked[owner] = None
                successes.append(login)
                continue
            if login.device is not None:
                asked[owner] = None
            if (place := _nobody(login)) is not None:
                tries.append((place, login))
        shares = {
            (system, day): await self._census.shares(system, day * DAY_MS, store)
            for system, day in sorted(days)
        }
        slots = dict.fromkeys(place.slot for place, _ in tries)
        blobs = await store.recall([*asked, *slots]) if asked or slots else {}
        memories = {owner: AccountMemory(blobs.get(owner, b"")) for owner in asked}
        for login in successes:
            _remember(memories[login.owner or b""], login)
        warm = await self._warm(logins, store)
        names = _tried(tries, {slot: Slot(blobs.get(slot, b"")) for slot in slots})
        return Familiar(memories, shares, warm, await store.cold_until(), names)

    async def _warm(self, logins: Sequence[Login], store: WindowStore) -> Mapping[str, int | None]:
        """Since when each system has had its thousand successes; asked only while that may move."""
        counted: dict[str, list[tuple[int, bytes]]] = {}
        warm_from = self._warm_from
        for login in logins:
            event = login.event
            system = event.system
            if system not in counted:
                counted[system] = []
            success = event.outcome == "success" and event.action == "login"
            if success and login.at_ms < warm_from.get(system, FOR_EVER):
                counted[system].append((login.at_ms, login.identity))
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


def _remember(memory: AccountMemory, login: Login) -> None:
    at, identity, device = login.at_ms, login.identity, login.device
    memory.add_success(at, identity)
    keys = place_keys(login.country, login.asn)
    if device is not None:
        keys = (DEVICE + device, *keys)
    if login.event.user_agent is not None:
        keys = (*keys, program_key(login.event.user_agent))
    memory.add(at, identity, keys)


def _nobody(login: Login) -> Place | None:
    """The place of a name that was tried and is known to be no customer's; else None."""
    event, account = login.event, login.account
    if account is None or event.outcome == "success" or event.action != "login":
        return None
    if event.system == CANARY or not is_non_customer(event, login.known):
        return None
    return place_of(event.system, account)


def _tried(tries: Sequence[tuple[Place, Login]], slots: dict[bytes, Slot]) -> Names:
    """Names as read, with those of a batch that came from an address."""
    for place, login in tries:
        address = address_of(login.event, login.known)
        if address is not None:
            slots[place.slot].add(place.name, login.at_ms, source_of(address))
    return Names(slots)
