"""Time stamps of logs to instants: RFC 3339, ISO 8601 without zone, and syslog's without a year."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo

from detectors.errors import Rejected
from detectors.events import EPOCH

from .years import YearRule

_MONTHS = {
    name: number
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), 1
    )
}
_LEAP_YEAR = 2000
_LEAP_SECOND = 60

CLASSIC = r"[A-Z][a-z]{2} [ 0-9]?\d \d\d:\d\d:\d\d(?:\.\d{1,9})?"
"""`Dec 10 06:55:46`, day padded with a blank, a zero or not at all."""

ISO = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?"
"""`2026-11-22T14:08:00.123456+08:00`; without an offset it is local time."""

_CLASSIC = re.compile(
    r"(?P<month>[A-Z][a-z]{2}) +(?P<day>\d{1,2}) "
    r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)(?:\.(?P<fraction>\d{1,9}))?",
    re.ASCII,
)


class Stamps:
    """Reads time stamps of one log; a stamp without a zone is local to `zone`."""

    def __init__(self, zone: tzinfo, years: YearRule) -> None:
        self._zone = zone
        self._years = years
        # Neighbouring lines share their second: the last stamp is nearly always the next one.
        self._last: tuple[str, datetime] = ("", EPOCH)

    def read(self, text: str) -> datetime:
        """The instant, in UTC. Raises `Rejected` where `text` is no date."""
        last, at = self._last
        if text == last:
            return at
        try:
            at = self._iso(text) if text[0].isdigit() else self._classic(text)
        except (ValueError, OverflowError) as problem:
            raise Rejected("unparsable_line", f"time {text!r}: {problem}") from None
        if at < EPOCH:
            raise Rejected("bad_value", f"time {text!r} is before 1970")
        self._last = (text, at)
        return at

    def _iso(self, text: str) -> datetime:
        return self._instant(datetime.fromisoformat(text.replace(",", ".")))

    def _classic(self, text: str) -> datetime:
        match = _CLASSIC.fullmatch(text)
        month = _MONTHS.get(match["month"]) if match else None
        if match is None or month is None:
            raise ValueError("not a month, day and time")
        second = int(match["second"])
        bare = datetime(  # noqa: DTZ001 (local time; its year and zone follow)
            _LEAP_YEAR,
            month,
            int(match["day"]),
            int(match["hour"]),
            int(match["minute"]),
            second - (second == _LEAP_SECOND),
            int((match["fraction"] or "0")[:6].ljust(6, "0")),
        )
        return self._instant(self._years.complete(bare))

    def _instant(self, at: datetime) -> datetime:
        aware = at if at.tzinfo is not None else at.replace(tzinfo=self._zone)
        return aware.astimezone(UTC)


def from_microseconds(text: str) -> datetime:
    """The instant of journald's microseconds since 1970. Raises `Rejected` where it is none."""
    try:
        return EPOCH + timedelta(microseconds=int(text))
    except (ValueError, OverflowError) as problem:
        raise Rejected("unparsable_line", f"time {text!r}: {problem}") from None
