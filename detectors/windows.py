"""What is remembered of a subject, and the port through which it is remembered.

A subject (an address of a system, later an account, a subnet, ...) has one *log*: its failed
attempts as
a set. Every window of every rule is computed from that set, so a redelivered, late or reordered
event
changes nothing and a new window costs no new key. A store keeps logs; it decides nothing.

The contract (tests/contracts/test_window_store.py holds every store to it):
* a log is a set of events: the same one twice is there once;
* trimming goes by event time: attempts older than RETENTION behind the log's present (its 8th
newest attempt: a few wrong clocks age nothing) may
go, but only after they have been judged, however many days one batch holds;
* of one hour the first HOUR_CAP attempts by (time, identity) are kept, in every order of arrival;
* an event that comes later than LATENESS behind the newest of its subject may not be counted;
* expiry by wall clock is garbage collection only: never before RETENTION has passed since the last
write.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, Protocol

from .attempts import HEAD_BYTES, account_of, distinct

HOUR_MS: Final = 3_600_000
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
STRAYS: Final = 8
"""Fewer attempts than this, dated ahead of all others, do not move a log's present."""
SLOT_MS: Final = 600_000
"""Successes of an address are remembered by ten-minute slots of event time: one bit each."""

Kind = Literal["ip", "subnet", "asn", "account", "fingerprint", "global"]


class Subject(NamedTuple):
    """Whom a log is about. The system is part of it: two systems' failures are two stories."""

    system: str
    kind: Kind
    value: str


class Claim(NamedTuple):
    """An event's claim to its identity: who comes second with the same content is a duplicate.

    `identity` 8 bytes; `content` a 32-bit check of what the event says; `position` is (partition,
    offset)
    in the topic; `appended_ms` the broker's time, which chooses the registry's page.
    """

    identity: bytes
    content: int
    partition: int
    offset: int
    appended_ms: int


Standing = Literal["first", "duplicate", "conflict"]


@dataclass(frozen=True, slots=True)
class Observed:
    """What a batch adds: entries of `attempts.pack` by subject, and who succeeded in which slot."""

    failures: Mapping[Subject, Sequence[bytes]]
    successes: Mapping[int, Collection[Subject]]


class Reading(NamedTuple):
    """A log as read back: `blob` as appended, `seen` its length then, `generation` counts its
    compactions.
    """

    blob: bytes
    seen: int
    generation: int


class AlertDraft(NamedTuple):
    """An alert as it stands now. `size` grows with every change of its content and is its revision.

    `rank` orders severities; `final`: nothing has been added for a while. `body` makes the alert's
    bytes:
    most drafts are not told again, so only the store that tells one asks for them.
    """

    alert_id: str
    size: int
    rank: int
    final: bool
    body: Callable[[], bytes]


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
    pending: bool = False
    """An `as_of` part may see something here as soon as the other partitions have come as far."""


class WindowStore(Protocol):
    """Keeps identities, logs, episodes and the outbox. Every method may be repeated."""

    async def claim(self, claims: Sequence[Claim]) -> list[Standing]:
        """Whether each claim holds its identity, repeats it, or contradicts its holder."""
        ...

    async def record(self, observed: Observed, first_look: int) -> dict[Subject, Reading]:
        """Append a batch; return the logs that have grown to where a judgement may change.

        `first_look` is the number of attempts at which a log is looked at for the first time.
        """
        ...

    async def succeeded(
        self, asked: Mapping[Subject, Collection[int]]
    ) -> dict[Subject, frozenset[int]]:
        """Which of the slots asked hold a success of the subject."""
        ...

    async def advance(self, partition: int, frontier_ms: int) -> None:
        """Say that `partition` is recorded up to an event time.

        FOR_EVER_MS: read to its end. A partition of which nobody has spoken holds nothing back.
        """
        ...

    async def announce(self, partitions: Iterable[int]) -> None:
        """Partitions of which nothing is known yet hold `as_of` parts back until they are read."""
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

    entries: tuple[bytes, ...]
    at: tuple[int, ...]
    accounts: tuple[bytes | None, ...]
    capped_hours: frozenset[int]
    success_slots: frozenset[int]
    settled_ms: int
    """Later instants may still get earlier company from a partition that lags behind."""

    @classmethod
    def of(
        cls,
        blob: bytes,
        success_slots: frozenset[int] = frozenset(),
        settled_ms: int = FOR_EVER_MS,
    ) -> SubjectLog:
        """The set behind an appended blob. Not trimmed: what is old has to be judged once."""
        kept, capped = cap(distinct(blob))
        return cls(
            tuple(kept),
            tuple(map(at_ms, kept)),
            tuple(map(account_of, kept)),
            frozenset(capped),
            success_slots,
            settled_ms,
        )

    def __len__(self) -> int:
        return len(self.entries)


def at_ms(entry: bytes) -> int:
    """The event time of an entry, milliseconds since 1970."""
    return int.from_bytes(entry[:6], "big")


def present_ms(at: Sequence[int]) -> int:
    """How late it is in a log, by its STRAYS-th newest attempt; the oldest, where there are fewer.

    One event from the future must not age what is remembered of an address (RELIABILITY.md 3).
    """
    if not at:
        return 0
    return at[-STRAYS] if len(at) >= STRAYS else at[0]


def compacted(blob: bytes, oldest_ms: int = 0) -> bytes:
    """A judged log without duplicates, what is older than `oldest_ms`, and what its caps leave out.

    It is deduplicated before it is trimmed (RELIABILITY.md 2.2). Of an hour one more than HOUR_CAP
    stays, so that the log still knows that there were more.
    """
    kept, _ = cap(distinct(blob), HOUR_CAP + 1)
    return b"".join(entry for entry in kept if at_ms(entry) >= oldest_ms)


def cap(entries: list[bytes], most: int = HOUR_CAP) -> tuple[list[bytes], set[int]]:
    """The first `most` sorted entries of each hour, and the hours that had more."""
    if len(entries) <= most:
        return entries, set()
    kept: list[bytes] = []
    full: set[int] = set()
    hour, count = -1, 0
    for entry in entries:
        of = at_ms(entry) // HOUR_MS
        if of != hour:
            hour, count = of, 0
        count += 1
        if count <= most:
            kept.append(entry)
        else:
            full.add(of)
    return kept, full


def least_frontier(frontiers: Mapping[int, int], besides: int | None) -> int:
    """How far all partitions have come, or all but one; 0 while nobody has said anything."""
    least = min((at for number, at in frontiers.items() if number != besides), default=None)
    if least is None:
        return 0 if besides is None else FOR_EVER_MS
    return least


def look_bytes(attempts: int) -> int:
    """How many bytes `attempts` more entries take at least; a store looks again no later than
    that.
    """
    return attempts * HEAD_BYTES
