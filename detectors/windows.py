"""What is remembered of a subject, and the port through which it is remembered.

A subject (an address of a system, an account, a network, ...) has one *log*: attempts as a set.
Every window of every rule is computed from that set, so a redelivered, late or reordered event
changes nothing and a new window costs no new key. A store keeps logs; it decides nothing.

The contract (tests/contracts/test_window_store.py holds every store to it):
* a log is a set of events: the same one twice is there once;
* trimming goes by event time: attempts older than `retention_ms` behind the log's present (its 8th
newest attempt: a few wrong clocks age nothing) may go, but only after they have been judged,
however many days one batch holds;
* of one hour the first `hour_cap` attempts by (time, identity) are kept, in every order of arrival;
* an event that comes later than LATENESS behind the newest of its subject may not be counted;
* expiry by wall clock is garbage collection only: never before RETENTION after the last write.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Literal, NamedTuple, Protocol

from .addresses import network_of
from .attack_mode import NEVER_ON, AttackMode
from .attempts import CONTEXT_BYTES, HEAD_BYTES, account_of, distinct, earliest
from .caps import at_ms, cap, sampled
from .census import CensusStore
from .crowds import NO_CROWD, Crowd
from .events import AS_OF_MS, HOUR_MS
from .rates import MINUTE_MS
from .slots import SLICE_MS, SLICES

LONGEST_WINDOW_MS: Final = 24 * HOUR_MS
LATENESS_MS: Final = 6 * HOUR_MS
"""A core system that was cut off for an afternoon is still detected when it comes back."""
LONGEST_QUIET_MS: Final = 6 * HOUR_MS
RETENTION_MS: Final = LONGEST_WINDOW_MS + LONGEST_QUIET_MS + LATENESS_MS
HOUR_CAP: Final = 512
"""Attempts of one subject in one hour that are told apart; beyond it alerts say ">= ". Far above
every limit.
"""
FOR_EVER_MS: Final = 1 << 53
"""Beyond every event time; a partition that is read to its end is known up to here."""
LOOK_BACK_MS: Final = 5 * 24 * HOUR_MS
"""How far back the successes of an address that turns bad are reopened (Auth0: 5 days)."""
PAPER_KEPT_MS: Final = 3 * LOOK_BACK_MS
"""Orders for one paper: those that are judged, and before each of them five days of usual ones."""
NETWORK_HOUR_CAP: Final = 4096
"""Successes of one network in one hour that are told apart."""
SAMPLE: Final = 16
"""Failures of one minute in the log of everybody: evidence of an attack that is seen in rates."""
SAMPLE_KEPT_MS: Final = 2 * HOUR_MS + LATENESS_MS
CROWD_SAMPLE: Final = 64
"""Failures of five minutes in the log of a network or program: more accounts and addresses than its
rules ask for.
"""
CROWD_KEPT_MS: Final = HOUR_MS + LONGEST_QUIET_MS + LATENESS_MS
EVERYBODY: Final = "all"
"""The subject of the log of kind `global`."""

Kind = Literal[
    "ip",
    "logins",
    "subnet",
    "asn",
    "account",
    "fingerprint",
    "name",
    "global",
    "deeds",
    "paper",
    "locked",
    "tool",
]
"""Whose attempts a log holds. ip, account: failed ones (of an account also notable successes).
logins: successes of a network, by which its addresses are judged; no rule watches it by itself.
subnet: its addresses that turned bad. fingerprint: successes on a device, of accounts to which it
is new. global: a sample of all failures of a system.
deeds: risky logins of an account, and the changes made in it. paper: orders for one instrument by
accounts at risk. locked: attempts of a network on accounts that are locked.
asn, tool: a sample of the failures from a provider's network, or by a program (fingerprint and user
agent).
"""
CROWDS: Final[frozenset[Kind]] = frozenset({"asn", "tool"})


class Subject(NamedTuple):
    """Whom a log is about. The system is part of it: two systems' failures are two stories."""

    system: str
    kind: Kind
    value: str


def retention_ms(kind: Kind) -> int:
    """How long a log of this kind is kept behind its present."""
    if kind == "global":
        return SAMPLE_KEPT_MS
    if kind in CROWDS:
        return CROWD_KEPT_MS
    if kind == "paper":
        return PAPER_KEPT_MS
    return LOOK_BACK_MS + LATENESS_MS if kind == "logins" else RETENTION_MS


def due_ms(kind: Kind, at_ms_: int) -> int:
    """When it is worth while to look at a log that has gained an attempt of this time: a crowd is
    judged by slices, each when it has been over for a minute.
    """
    if kind in CROWDS:
        return (at_ms_ // SLICE_MS + 1) * SLICE_MS + AS_OF_MS
    return at_ms_


def hour_cap(kind: Kind) -> int:
    """How many attempts of one hour a log of this kind tells apart."""
    if kind == "global":
        return 60 * (SAMPLE + 1)
    if kind in CROWDS:
        return SLICES * (CROWD_SAMPLE + 1)
    return NETWORK_HOUR_CAP if kind == "logins" else HOUR_CAP


@lru_cache(maxsize=65_536)
def placement(subject: Subject) -> Subject:
    """Beside whose log it is kept: addresses stand in the shard of their network, so that one
    call may append a success of the network and see whether the address is flagged.
    """
    if subject.kind == "ip":
        return Subject(subject.system, "logins", network_of(subject.value))
    return subject._replace(kind="logins") if subject.kind == "subnet" else subject


class Claim(NamedTuple):
    """An event's claim to its identity: who comes second with the same content is a duplicate.

    `identity` 8 bytes; `content` a 32-bit check of what the event says; `partition` and `offset`
    its place in the topic; `appended_ms` the broker's time, which chooses the registry's page.
    """

    identity: bytes
    content: int
    partition: int
    offset: int
    appended_ms: int


Standing = Literal["first", "duplicate", "conflict"]


@dataclass(frozen=True, slots=True)
class Observed:
    """What a batch adds: entries of `attempts.pack` by subject, and which logs to look at beside
    those that have grown to their look: `urgent` ones always, `watched` ones where flagged,
    `marked` ones from two attempts on. `entering`: by network, where a success came from.
    """

    entries: Mapping[Subject, Sequence[bytes]]
    urgent: frozenset[Subject] = frozenset()
    watched: frozenset[Subject] = frozenset()
    marked: frozenset[Subject] = frozenset()
    entering: Mapping[Subject, Collection[Subject]] = field(default_factory=dict)
    remembered: Mapping[bytes, bytes] = field(default_factory=dict)
    """What the memories of accounts gain (account_memory), by owner."""


class Reading(NamedTuple):
    """A log as read back: `blob` as appended, `seen` its length then, `generation` counts its
    compactions.
    """

    blob: bytes
    seen: int
    generation: int


Told = Literal["alert", "verdict"]
"""What goes out through the outbox, and so to which topic."""


class AlertDraft(NamedTuple):
    """An alert or a verdict as it stands now. `size` grows with every change of its content and is
    its revision.

    `rank` orders severities; `final`: nothing has been added for a while. `body` makes the alert's
    bytes: most drafts are not told again, so only the store that tells one asks for them.
    """

    alert_id: str
    size: int
    rank: int
    final: bool
    body: Callable[[], bytes]
    kind: Told = "alert"


def worth_telling(size: int, rank: int, told: tuple[int, int], *, final: bool) -> bool:
    """Whether an alert gets a revision over what was told of it: new, doubled, graver, or at
    rest.
    """
    told_size, told_rank = told
    return size > told_size and (final or size >= 2 * told_size or rank > told_rank)


class Settlement(NamedTuple):
    """What a judgement leaves with the store: when to look next, and the alerts found."""

    subject: Subject
    seen: int
    generation: int
    room: int
    flagged: bool
    compacted: bytes | None
    drafts: tuple[AlertDraft, ...]
    at_ms: int
    beside: int | None = None
    """How many bytes of its network's log were read beside it; None: none were needed. A flagged
    subject flags its network too, and is looked at again where the network has grown meanwhile.
    """
    partial: bool = False
    """Judged without the successes beside: what waits for a whole judgement goes on waiting."""
    pending: bool = False
    """An `as_of` part may see something here as soon as the other partitions have come as far."""


class WindowStore(CensusStore, Protocol):
    """Keeps identities, logs, episodes, census and the outbox. Every method may be repeated."""

    async def claim(self, claims: Sequence[Claim]) -> list[Standing]:
        """Whether each claim holds its identity, repeats it, or contradicts its holder."""
        ...

    async def record(
        self, observed: Observed, first_look: Mapping[Kind, int]
    ) -> dict[Subject, Reading]:
        """Append a batch; return the logs that have grown to where a judgement may change, the
        urgent and watched ones, and those of networks in which an address is flagged.

        `first_look`: the number of attempts at which a log is looked at for the first time.
        """
        ...

    async def recall(self, owners: Sequence[bytes]) -> dict[bytes, bytes]:
        """The memories of accounts (account_memory) as they stand; absent ones are left out."""
        ...

    async def rewrite(self, memories: Mapping[bytes, tuple[bytes, int]]) -> None:
        """Put a memory without what it repeats in place of its first so many bytes."""
        ...

    async def warm(
        self, successes: Mapping[str, Sequence[tuple[int, bytes]]]
    ) -> dict[str, int | None]:
        """Add successes (event time, identity) of systems; the time of each one's WARM_AFTER-th
        earliest, None where there are fewer.
        """
        ...

    async def cold_until(self) -> int:
        """The event time before which memory is incomplete, since state was lost; 0: never lost."""
        ...

    async def advance(self, partition: int, frontier_ms: int) -> None:
        """Say that `partition` is recorded up to an event time.

        FOR_EVER_MS: read to its end. A partition of which nobody has spoken holds nothing back.
        """
        ...

    async def announce(self, partitions: Iterable[int], *, lost: bool = False) -> None:
        """Partitions of which nothing is known yet hold `as_of` parts back until they are read.

        `lost`: events have been judged before, so where there is no state it was lost.
        """
        ...

    async def settled(self, besides: int | None = None) -> int:
        """The event time up to which every partition is recorded (less disorder inside it).

        `besides`: every other partition; FOR_EVER_MS where there is none.
        """
        ...

    async def settle(self, settlements: Sequence[Settlement]) -> list[str]:
        """Write when to look next, episodes and outbox; return the ids of alerts that got a
        revision.
        """
        ...

    async def unsettled(self, shards: Iterable[int], before_ms: int, most: int) -> list[Subject]:
        """Flagged subjects that have grown since their last settlement, touched before that event
        time.
        """
        ...

    async def read(self, subjects: Sequence[Subject]) -> dict[Subject, Reading]:
        """The logs of these subjects as they stand; absent ones are left out."""
        ...


@dataclass(frozen=True, slots=True)
class SubjectLog:
    """A log as rules see it: attempts in the order (time, identity), without duplicates, capped."""

    kind: Kind
    entries: tuple[bytes, ...]
    at: tuple[int, ...]
    accounts: tuple[bytes | None, ...]
    capped_hours: frozenset[int]
    settled_ms: int
    """Later instants may still get earlier company from a partition that lags behind."""
    logins: SubjectLog | None = None
    """The successes of an address or network, where a rule needs them."""
    flagged: tuple[int, ...] = ()
    """Instants at which an address or network was bad, in order; for rules that follow others."""
    flagged_high: tuple[int, ...] = ()
    """Those of them at which it was bad with severity high or more."""
    whole: bool = True
    """Whether nothing of it has been trimmed yet."""
    since: int = 0
    """Instants before this attempt were seen earlier (detectors/past): who resumes skips them."""
    kept_ms: int = 0
    """Of logins: what is older than this may have been trimmed."""
    mode: AttackMode = NEVER_ON
    """When an attack on everybody was on, around the log's attempts; for rules that read it."""
    crowd: Crowd = NO_CROWD
    """How many failed and got in of the network or program, where the log is of one."""

    @classmethod
    def of(cls, blob: bytes, settled_ms: int = FOR_EVER_MS, kind: Kind = "ip") -> SubjectLog:
        """The set behind an appended blob. Not trimmed: what is old has to be judged once."""
        kept, capped = capped_as(kind, _entries(blob, kind))
        return cls.holding(kept, settled_ms, kind, frozenset(capped))

    @classmethod
    def holding(
        cls,
        entries: Sequence[bytes],
        settled_ms: int = FOR_EVER_MS,
        kind: Kind = "ip",
        capped_hours: frozenset[int] = frozenset(),
    ) -> SubjectLog:
        """A log of entries that are distinct and in order."""
        return cls(
            kind,
            tuple(entries),
            tuple(map(at_ms, entries)),
            tuple(map(account_of, entries)),
            capped_hours,
            settled_ms,
        )

    def __len__(self) -> int:
        return len(self.entries)


def compacted(blob: bytes, oldest_ms: int = 0, kind: Kind = "ip") -> bytes:
    """A judged log without duplicates, what is older than `oldest_ms`, and what its caps leave out.

    It is deduplicated before it is trimmed (RELIABILITY.md 2.2). Of an hour one more than the cap
    stays, so that the log still knows that there were more.
    """
    kept, _ = capped_as(kind, _entries(blob, kind), spare=1)
    return b"".join(entry for entry in kept if at_ms(entry) >= oldest_ms)


def _entries(blob: bytes, kind: Kind) -> list[bytes]:
    if kind in {"deeds", "paper"}:
        return distinct(blob, fullest=True)
    return earliest(blob) if kind == "subnet" else distinct(blob)


def capped_as(kind: Kind, entries: list[bytes], *, spare: int = 0) -> tuple[list[bytes], set[int]]:
    """What a log of this kind keeps of sorted entries, `spare` more; the hours that had more."""
    if kind == "global":
        return sampled(entries, SAMPLE + spare, MINUTE_MS)
    if kind in CROWDS:
        return sampled(entries, CROWD_SAMPLE + spare, SLICE_MS)
    return cap(entries, hour_cap(kind) + spare)


def look_bytes(attempts: int, kind: Kind) -> int:
    """How many bytes `attempts` more entries take at least; a store looks again no later than
    that.
    """
    return attempts * (HEAD_BYTES if kind == "ip" else HEAD_BYTES + CONTEXT_BYTES)
