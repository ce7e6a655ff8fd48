"""What a batch brings: identities to claim, what became of each event, what each subject gains."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from .addresses import counted_as
from .attempts import pack
from .errors import Rejected
from .events import LoginEvent, milliseconds
from .facts import Joiner
from .pseudonyms import Pseudonyms
from .windows import HOUR_CAP, HOUR_MS, SLOT_MS, Claim, Observed, Standing, Subject, cap
from .wire import content


class Arrival(NamedTuple):
    """A decoded event and where it stood in the topic; `appended_ms` is the broker's time."""

    event: LoginEvent
    partition: int
    offset: int
    appended_ms: int


class Accepted(NamedTuple):
    """An event that came first under its identity; `at_ms` is the time the rules use."""

    event: LoginEvent
    identity: bytes
    at_ms: int


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
        Claim(identity(event.source or event.system, event.event_id), content(event), *place)
        for event, *place in arrivals
    ]


def sort_out(
    arrivals: Sequence[Arrival], claimed: Sequence[Claim], standings: Sequence[Standing]
) -> Tally:
    """Tell first from repeated and contradicting events."""
    tally = Tally()
    latest = 0
    cells: list[Cell] = []
    for arrival, claim, standing in zip(arrivals, claimed, standings, strict=True):
        event = arrival.event
        at = milliseconds(event.judged_at)
        cell = (at - at % HOUR_MS, event.source or event.system)
        if standing == "first":
            cells.append(cell)
            tally.accepted.append(Accepted(event, claim.identity, at))
            # One future event must not move the clock by which alerts are closed.
            latest = max(latest, min(arrival.appended_ms, at))
        elif standing == "duplicate":
            tally.duplicates[cell] += 1
        else:
            told = f"event_id {event.event_id!r} of {cell[1]!r} has come with other content"
            tally.conflicts.append((cell, arrival, Rejected("id_conflict", told)))
    tally.judged.update(cells)
    tally.latest_ms = latest
    return tally


def observe(
    accepted: Sequence[Accepted], names: Pseudonyms, facts: Joiner | None = None
) -> Observed:
    """What logins add to their addresses: failures with evidence, slots with a success."""
    failures: defaultdict[Subject, list[bytes]] = defaultdict(list)
    successes: defaultdict[int, set[Subject]] = defaultdict(set)
    for event, identity, at in accepted:
        ip = event.ip
        if ip is None or event.action != "login":
            continue
        known = None if facts is None else facts(event)
        if known is not None and known.address is None:
            continue  # the source has only seen its own proxy
        subject = Subject(event.system, "ip", counted_as(ip))
        if event.outcome == "success":
            successes[at // SLOT_MS].add(subject)
        else:
            failures[subject].append(pack(event, ip, identity, at, names, known))
    for subject, entries in failures.items():
        if len(entries) > HOUR_CAP:
            # The smallest of each hour are the same whether capped here or in the log; one more
            # than those tells the log that there were more.
            failures[subject] = cap(sorted(set(entries)), HOUR_CAP + 1)[0]
    return Observed(dict(failures), dict(successes))
