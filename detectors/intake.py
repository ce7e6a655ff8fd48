"""What a batch brings: identities to claim, what became of each event, what each subject gains."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from heapq import nsmallest
from operator import itemgetter
from typing import Final, NamedTuple

from .addresses import counted_as, network_of
from .attempts import (
    DICTIONARY,
    DORMANT,
    ELSEWHERE,
    HIDDEN,
    KNOWN_DEVICE,
    LATE,
    NEW_COUNTRY,
    NEW_DEVICE,
    NO_ADDRESS,
    NON_CUSTOMER,
    PLACED,
    RISKY_NETWORK,
    SINGLE_FACTOR,
    SUCCESS,
    UNFAMILIAR,
    packed_address,
    place_of,
    placed,
    plain,
    short_hash,
)
from .caps import cap
from .census import Blamed
from .daily import CANARY
from .deeds import deed_mark, is_change
from .errors import Rejected
from .events import HOUR_MS, LoginEvent, milliseconds
from .facts import Facts, Joiner, address_of, is_non_customer
from .familiarity import Familiar
from .networks import HIDING_KINDS, RISKY_KINDS, NetworkKind
from .pseudonyms import Pseudonyms
from .rates import MINUTE_MS
from .slots import program
from .windows import (
    CROWD_SAMPLE,
    CROWDS,
    EVERYBODY,
    SAMPLE,
    Claim,
    Observed,
    Standing,
    Subject,
    capped_as,
    hour_cap,
)
from .wire import content

_OF_THE_ACCOUNT: Final = NEW_DEVICE | NEW_COUNTRY | UNFAMILIAR | SINGLE_FACTOR | DORMANT
"""Marks with which a success stands in the log of its account, and has it looked at."""

NOTICE_MS: Final = 24 * HOUR_MS
"""A login that is older when it arrives wakes nobody (promise 7)."""


class Arrival(NamedTuple):
    """A decoded event and where it stood in the topic; `appended_ms` is the broker's time.

    `backfill`: from an import of the past; it fills memory and archive, and tells nobody.
    """

    event: LoginEvent
    partition: int
    offset: int
    appended_ms: int
    backfill: bool = False


class Accepted(NamedTuple):
    """An event that came first under its identity, with what is known of it; `at_ms` is the time
    the rules use, `account` its pseudonym, `owner` whose memory it belongs to, `device` a hash.
    """

    event: LoginEvent
    identity: bytes
    at_ms: int
    known: Facts | None = None
    late: bool = False
    backfill: bool = False
    offset: int = 0
    owner: bytes | None = None
    country: str | None = None
    asn: int | None = None
    account: bytes | None = None
    device: bytes | None = None


Cell = tuple[int, str]


@dataclass(slots=True)
class Tally:
    """What became of one batch; a cell is (hour of event time in ms, emitter)."""

    judged: Counter[Cell] = field(default_factory=Counter)
    duplicates: Counter[Cell] = field(default_factory=Counter)
    conflicts: list[tuple[Cell, Arrival, Rejected]] = field(default_factory=list)
    accepted: list[Accepted] = field(default_factory=list)
    looked: int = 0
    revised: list[str] = field(default_factory=list)
    latest_ms: int = 0


def claims(arrivals: Sequence[Arrival], names: Pseudonyms) -> list[Claim]:
    """Each arrival's claim to its identity."""
    identity = names.event
    return [
        Claim(
            identity(event.source or event.system, event.event_id),
            content(event),
            partition,
            offset,
            appended_ms,
        )
        for event, partition, offset, appended_ms, _ in arrivals
    ]


def sort_out(
    arrivals: Sequence[Arrival],
    claimed: Sequence[Claim],
    standings: Sequence[Standing],
    names: Pseudonyms,
    facts: Joiner | None = None,
) -> Tally:
    """Tell first from repeated and contradicting events, and join what is known of the first."""
    tally = Tally()
    latest = 0
    cells: list[Cell] = []
    for arrival, claim, standing in zip(arrivals, claimed, standings, strict=True):
        event = arrival.event
        at = milliseconds(event.judged_at)
        cell = (at - at % HOUR_MS, event.source or event.system)
        if standing == "first":
            cells.append(cell)
            tally.accepted.append(accepted(arrival, claim.identity, at, names, facts))
            # One future event must not move the clock by which alerts are closed.
            if latest < at:
                latest = max(latest, min(arrival.appended_ms, at))
        elif standing == "duplicate":
            tally.duplicates[cell] += 1
        else:
            told = f"event_id {event.event_id!r} of {cell[1]!r} has come with other content"
            tally.conflicts.append((cell, arrival, Rejected("id_conflict", told)))
    tally.judged.update(cells)
    tally.latest_ms = latest
    return tally


def accepted(
    arrival: Arrival,
    identity: bytes,
    at: int,
    names: Pseudonyms,
    facts: Joiner | None = None,
) -> Accepted:
    """An arrival with all that is reckoned once and used often: hashes, place, facts."""
    event, _, offset, appended_ms, backfill = arrival
    account = None if event.account is None else names.account_bytes(event.account)
    known = None if facts is None else facts(event)
    country, asn = place_of(event, known)
    return Accepted(
        event,
        identity,
        at,
        known,
        appended_ms - at > NOTICE_MS,
        backfill,
        offset,
        account if known is None else known.customer or account,
        country,
        asn,
        account,
        None if event.device_id is None else short_hash(event.device_id),
    )


def observe(accepted: Sequence[Accepted], names: Pseudonyms, familiarity: Familiar) -> Observed:
    """What logins add to the logs of address, account and network, and which to look at now."""
    gains = _Gains(names)
    for login in accepted:
        action = login.event.action
        if login.backfill or action == "order":
            continue
        if action == "login":
            marks = _marks(login) | familiarity.marks(login)
            if login.event.outcome == "success":
                gains.success(login, marks)
            else:
                gains.failure(login, marks | DICTIONARY if familiarity.lists(login) else marks)
        elif is_change(login.event):
            gains.deed(login, _marks(login) | deed_mark(action) | familiarity.old_device(login))
    return gains.observed(familiarity.additions())


def blamed(accepted: Sequence[Accepted], familiarity: Familiar) -> list[Blamed]:
    """The failures that count against their address, as the census takes them."""
    return [
        Blamed(login, address_of_client(login))
        for login in accepted
        if login.event.outcome == "failure"
        and login.event.action == "login"
        and login.event.system != CANARY
        and not familiarity.knows_device(login)
    ]


def address_of_client(login: Accepted) -> str | None:
    """The client's address; None also where the source saw only its own proxy's."""
    return address_of(login.event, login.known)


def _marks(login: Accepted) -> int:
    marks = LATE if login.late else 0
    known = login.known
    if known is not None and known.kinds:
        marks |= _kind_marks(known.kinds)
    if known is not None and known.two_factors and login.event.mfa is False:
        marks |= SINGLE_FACTOR
    return marks


def _kind_marks(kinds: frozenset[NetworkKind]) -> int:
    risky = 0 if kinds.isdisjoint(RISKY_KINDS) else RISKY_NETWORK
    return risky if kinds.isdisjoint(HIDING_KINDS) else risky | HIDDEN


@lru_cache(maxsize=65_536)
def subjects(system: str, address: str) -> tuple[Subject, Subject, bytes]:
    """The address as rules count it, the log of its network's successes, and the address packed."""
    return (
        Subject(system, "ip", counted_as(address)),
        Subject(system, "logins", network_of(address)),
        packed_address(address),
    )


_Failed = tuple[bytes, bytes]


@lru_cache(maxsize=1_024)
def everybody(system: str) -> Subject:
    """The log of all failures of a system."""
    return Subject(system, "global", EVERYBODY)


@lru_cache(maxsize=16_384)
def crowds(
    system: str, asn: int | None, fingerprint: str | None, user_agent: str | None
) -> tuple[Subject, ...]:
    """The logs of the provider's network and of the program, as far as they are told."""
    name = program(fingerprint, user_agent)
    network = () if asn is None else (Subject(system, "asn", str(asn)),)
    return network if name is None else (*network, Subject(system, "tool", name))


class _Gains:
    """Entries by subject, as a batch is gone through."""

    def __init__(self, names: Pseudonyms) -> None:
        self._names = names
        self._entries: defaultdict[Subject, list[bytes]] = defaultdict(list)
        self._urgent: set[Subject] = set()
        self._entering: defaultdict[Subject, set[Subject]] = defaultdict(set)
        self._watched: set[Subject] = set()
        self._marked: set[Subject] = set()
        self._failed: defaultdict[tuple[str, int], list[_Failed]] = defaultdict(list)

    def success(self, login: Accepted, marks: int) -> None:
        """A success counts for its network, and on a new device for account and device."""
        address = address_of_client(login)
        elsewhere = marks & ELSEWHERE
        marks = marks - elsewhere | SUCCESS | PLACED
        where = NO_ADDRESS
        if address is not None:
            subject, network, where = subjects(login.event.system, address)
            self._entries[network].append(_placed(login, where, marks))
            self._entering[network].add(subject)
            if marks & (NEW_DEVICE | UNFAMILIAR) or (
                marks & RISKY_NETWORK and not marks & KNOWN_DEVICE
            ):
                self._urgent.add(subject)
        if elsewhere or marks & _OF_THE_ACCOUNT:
            self._account(login, _placed(login, where, marks), urgent=True)
        if marks & NEW_DEVICE and login.device is not None:
            device = Subject(login.event.system, "fingerprint", login.device.hex())
            self._entries[device].append(_placed(login, where, marks))
        if marks & NEW_DEVICE and login.account is not None:
            # An unseen device alone makes the login a risky one: changes that follow are seen.
            self.deed(login, marks)

    def deed(self, login: Accepted, marks: int) -> None:
        """A change, or a login that changes may follow, counts for the deeds of its account."""
        if login.account is not None:
            subject = Subject(login.event.system, "deeds", self._names.text(login.account))
            self._entries[subject].append(entry_of(login, marks))

    def failure(self, login: Accepted, marks: int) -> None:
        """A failure counts for its address and account, but never on a device the account knows."""
        event = login.event
        if marks & KNOWN_DEVICE:
            return
        address = address_of_client(login)
        stopped = event.reason == "mfa_failed"
        where = NO_ADDRESS if address is None else packed_address(address)
        entry = _placed(login, where, marks | PLACED)
        if event.system != CANARY:
            minute = event.system, login.at_ms // MINUTE_MS
            self._failed[minute].append((login.identity, entry))
            for crowd in crowds(event.system, login.asn, event.fingerprint, event.user_agent):
                self._entries[crowd].append(entry)
        if address is not None:
            subject, network, where = subjects(event.system, address)
            self._entries[subject].append(_plain(login, address, marks))
            if event.reason == "locked" and login.account is not None:
                locked = network._replace(kind="locked")
                self._entries[locked].append(entry)
            if stopped:
                self._watched.add(subject)
            if marks & DICTIONARY:
                self._marked.add(subject)
        if not _non_customer(login):
            urgent = stopped and bool(marks & NEW_DEVICE)
            self._account(login, entry, urgent=urgent)

    def _account(self, login: Accepted, entry: bytes, *, urgent: bool) -> None:
        if login.account is None:
            return
        subject = Subject(login.event.system, "account", self._names.text(login.account))
        self._entries[subject].append(entry)
        if urgent:
            self._urgent.add(subject)

    def observed(self, remembered: dict[bytes, bytes]) -> Observed:
        """The whole batch; no log gains more of an hour than its cap lets it keep."""
        # The same are kept whether capped here or in the log; one more than those tells the log
        # that there were more.
        for (system, _), failed in self._failed.items():
            chosen = nsmallest(SAMPLE + 1, failed, key=itemgetter(0))
            self._entries[everybody(system)] += [entry for _, entry in chosen]
        entries = dict(self._entries)
        for subject, added in entries.items():
            if subject.kind in CROWDS:
                if len(added) > CROWD_SAMPLE:
                    entries[subject] = capped_as(subject.kind, sorted(set(added)), spare=1)[0]
                continue
            most = hour_cap(subject.kind)
            if len(added) > most:
                entries[subject] = cap(sorted(set(added)), most + 1)[0]
        return Observed(
            entries,
            frozenset(self._urgent),
            frozenset(self._watched),
            frozenset(self._marked),
            self._entering,
            remembered,
        )


def _placed(login: Accepted, where: bytes, marks: int) -> bytes:
    """A login as an entry of a log that is not its address's."""
    event, identity, at, _, _, _, _, _, country, asn, account, device = login
    if _non_customer(login):
        marks |= NON_CUSTOMER
    return placed(event, where, (country, asn), device, account, identity, at, marks)


def entry_of(login: Accepted, marks: int) -> bytes:
    """What was done, as an entry that says where from, for a log that is not its address's."""
    address = address_of_client(login)
    where = NO_ADDRESS if address is None else packed_address(address)
    return _placed(login, where, marks | PLACED)


def _plain(login: Accepted, address: str, marks: int) -> bytes:
    """A login as an entry of the log of its address."""
    if _non_customer(login):
        marks |= NON_CUSTOMER
    return plain(login.event, address, login.account, login.identity, login.at_ms, marks)


def _non_customer(login: Accepted) -> bool:
    return is_non_customer(login.event, login.known)
