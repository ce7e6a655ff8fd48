"""Changes of the rule book as the ledger tells them: which was in force when, and what is owed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from detectors.errors import LoginwardError, escaped

from .people import APPROVAL_DUE, must_differ
from .records import Adopted, Approved, Line, Withdrawn

NOTICE = timedelta(minutes=1)
"""Between an approval and the time from which it holds: every worker has noticed it by then, so
that a replay of that minute gives what was judged live."""

AT_ONCE = timedelta(seconds=15)
"""The same for an emergency and its withdrawal: workers look every 5 seconds (stream/rule_watch).
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One proposed rule book and what became of it."""

    id: str
    line: Line
    adopted: Adopted
    approved: Line | None = None
    withdrawn: Line | None = None
    since: datetime | None = None
    """The event time from which it is or was in force; None: never."""

    def overdue(self, now: datetime) -> bool:
        """Whether it is an emergency that nobody approved in time."""
        owed = self.adopted.emergency and self.approved is None and self.withdrawn is None
        return owed and now > self.line.at + APPROVAL_DUE

    def state(self, now: datetime) -> str:
        """In a word, for lists."""
        if self.withdrawn is not None:
            return "withdrawn"
        if self.approved is not None:
            return (
                "approved" if self.since is None or self.since <= now else "approved, not yet due"
            )
        if self.adopted.emergency:
            return "OVERDUE" if self.overdue(now) else "emergency, to be approved"
        return "to be approved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spell:
    """From `since` on this rule book was in force, until the next spell."""

    since: datetime
    rules: str
    change: str


def changes(lines: Iterable[Line]) -> dict[str, Change]:
    """All changes by id, in the order of the ledger."""
    found: dict[str, Change] = {}
    for line in lines:
        what = line.what
        if isinstance(what, Adopted):
            identity = f"C{line.number}"
            since = line.at + AT_ONCE if what.emergency else None
            found[identity] = Change(id=identity, line=line, adopted=what, since=since)
        elif isinstance(what, Approved) and what.id in found:
            known = found[what.id]
            found[what.id] = replace(known, approved=line, since=known.since or what.effective)
        elif isinstance(what, Withdrawn) and what.id in found:
            found[what.id] = replace(found[what.id], withdrawn=line)
    return found


def spells(found: Iterable[Change]) -> list[Spell]:
    """What was in force from when, oldest first; a withdrawn emergency gives way to what it had
    replaced.
    """
    begun: list[Spell] = []
    for time, change in sorted(_turns(found), key=lambda turn: turn[0]):
        ended = change.withdrawn is not None and time == change.withdrawn.at + AT_ONCE
        if not ended:
            begun.append(Spell(since=time, rules=change.adopted.rules, change=change.id))
        elif begun and begun[-1].change == change.id:
            back = next((s for s in reversed(begun) if s.change != change.id), None)
            base = Spell(since=time, rules=change.adopted.base, change="")
            begun.append(base if back is None else replace(back, since=time))
    return begun


def _turns(found: Iterable[Change]) -> Iterable[tuple[datetime, Change]]:
    for change in found:
        if change.since is not None:
            yield change.since, change
            if change.withdrawn is not None:
                yield change.withdrawn.at + AT_ONCE, change


def in_force(found: Sequence[Spell], time: datetime) -> Spell | None:
    """The spell that holds at `time`."""
    return next((spell for spell in reversed(found) if spell.since <= time), None)


def approve_change(found: dict[str, Change], identity: str, *, by: str, now: datetime) -> Approved:
    """The approval of a change. Raises LoginwardError where it may not be given."""
    change = _open(found, identity)
    must_differ(change.line, by)
    if change.adopted.emergency:
        return Approved(id=identity)
    newest = spells(found.values())
    base = newest[-1].rules if newest else change.adopted.base
    if base != change.adopted.base:
        raise LoginwardError(
            f"{identity}: was compared with another rule book than the one now in force "
            f"({newest[-1].change}); adopt the file again, so that what was looked at is approved"
        )
    return Approved(id=identity, effective=_whole_minute(now + NOTICE))


def withdraw_change(found: dict[str, Change], identity: str) -> Withdrawn:
    """Take back a change that nobody approved. Raises LoginwardError."""
    _open(found, identity)
    return Withdrawn(id=identity)


def _open(found: dict[str, Change], identity: str) -> Change:
    change = found.get(identity)
    if change is None:
        raise LoginwardError(f"{escaped(identity)}: no such change; see `loginward rules history`")
    if change.withdrawn is not None:
        raise LoginwardError(f"{identity}: was withdrawn by {change.withdrawn.by}; adopt it again")
    if change.approved is not None:
        raise LoginwardError(
            f"{identity}: was approved by {change.approved.by}; adopt another file to change it"
        )
    return change


def _whole_minute(time: datetime) -> datetime:
    floor = time.replace(second=0, microsecond=0)
    return floor if floor == time else floor + timedelta(minutes=1)
