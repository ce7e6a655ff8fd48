"""The roster: people with their channels, shifts by weekday and hour, levels of escalation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, time, timedelta
from typing import Annotated, Final, Literal, get_args
from zoneinfo import ZoneInfo

import msgspec

from detectors.events import Name

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: Final[tuple[Day, ...]] = get_args(Day)
Way = Literal["sms", "phone", "push", "webhook"]
_LOOKED_AT: Final = timedelta(minutes=30)


class Channel(msgspec.Struct, frozen=True):
    """One way to reach a person; `address` is a number, a URL or a file with a token."""

    way: Way
    address: str

    def __repr__(self) -> str:
        """Without the address: numbers of people stand in no log and no traceback."""
        return f"Channel({self.way})"


class Person(msgspec.Struct, frozen=True):
    """Somebody who is paged, over the channels in this order."""

    name: str
    channels: tuple[Channel, ...]


class Shift(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"since": "from"}
):
    """Hours of the week and who is on duty; `to` not after `from` ends on the next day."""

    days: tuple[Day, ...] = DAYS
    since: time
    to: time
    people: Annotated[tuple[Name, ...], msgspec.Meta(min_length=1)]

    def covers(self, local: datetime) -> bool:
        """Whether somebody of it is on duty at `local`, a time of the roster's zone."""
        at, today = local.time(), DAYS[local.weekday()]
        if self.since < self.to:
            return today in self.days and self.since <= at < self.to
        yesterday = DAYS[(local.weekday() - 1) % 7]
        return (today in self.days and at >= self.since) or (
            yesterday in self.days and at < self.to
        )


class Level(msgspec.Struct, frozen=True, kw_only=True):
    """One step of escalation."""

    name: str
    escalate_after: timedelta
    shifts: tuple[Shift, ...]


class Roster(msgspec.Struct, frozen=True, kw_only=True):
    """Everybody; `first` gives the number of the level that a severity wakes."""

    zone: str
    people: Mapping[str, Person]
    levels: tuple[Level, ...]
    first: Mapping[str, int]

    def on_duty(self, level: int, at: datetime) -> tuple[Person, ...]:
        """Who of `level` is on duty at `at` (aware), in the order of the file."""
        local = at.astimezone(ZoneInfo(self.zone))
        names = [
            name
            for shift in self.levels[level].shifts
            if shift.covers(local)
            for name in shift.people
        ]
        return tuple(self.people[name] for name in dict.fromkeys(names))

    def gaps(self, level: int, week: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Spans of the seven days from `week` (aware, rounded to half hours) without anybody."""
        local = week.astimezone(ZoneInfo(self.zone))
        since: datetime | None = None
        for step in range(7 * 48 + 1):
            at = local + step * _LOOKED_AT
            if step < 7 * 48 and not self.on_duty(level, at):
                since = since or at
            elif since is not None:
                yield since, at
                since = None
