"""A calendar day as a span of time, and its hours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from archive.times import microseconds

HOUR_US = 3_600_000_000


@dataclass(frozen=True, slots=True)
class DaySpan:
    """One day of `zone`; 23 or 25 hours long where clocks are changed."""

    day: date
    zone: ZoneInfo

    @property
    def start(self) -> datetime:
        """Its first instant, UTC."""
        return datetime.combine(self.day, time(), self.zone).astimezone(UTC)

    @property
    def end(self) -> datetime:
        """The first instant after it, UTC."""
        return DaySpan(self.day + timedelta(days=1), self.zone).start

    @property
    def start_us(self) -> int:
        """`start` in microseconds since 1970 UTC."""
        return microseconds(self.start)

    @property
    def end_us(self) -> int:
        """`end` in microseconds since 1970 UTC."""
        return microseconds(self.end)

    @property
    def hours(self) -> int:
        """How many hours it has; a part of one counts."""
        return -((self.start_us - self.end_us) // HOUR_US)

    def holds(self, at: datetime) -> bool:
        """Whether the aware time `at` lies in it."""
        return self.start <= at < self.end

    def clock(self, us: int) -> str:
        """The local time of day, HH:MM:SS, of an instant in microseconds; its end is 24:00:00."""
        if us >= self.end_us:
            return "24:00:00"
        at = datetime.fromtimestamp(us // 1_000_000, UTC).astimezone(self.zone)
        return at.strftime("%H:%M:%S")

    def before(self, count: int) -> Iterator[DaySpan]:
        """The `count` days before it, oldest first."""
        for back in range(count, 0, -1):
            yield DaySpan(self.day - timedelta(days=back), self.zone)
