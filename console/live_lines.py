"""The live picture in single lines, for a log; and how times, rates and bars are written."""

from __future__ import annotations

from collections.abc import Sequence

from detectors.errors import escaped
from detectors.incidents import Incident

from .picture import AlertRow, LoginRow, Picture

LONGEST = 200
"""Characters of a text that came from outside."""

PSEUDONYM_SHOWN = 13
"""Of a pseudonym: its key and 32 bits, enough to tell the accounts of the last minute apart."""

ID_SHOWN = 8
"""Of an incident's id, as many digits as the command line needs."""

_BARS = " ▁▂▃▄▅▆▇█"
_MOST_SECONDS = 100
_MOST_MINUTES = 100
_WHOLE_FROM = 1000


def summary_line(picture: Picture, seconds: float) -> str:
    """What happens now, `seconds` after the start."""
    rates = picture.rates
    said = (
        f"{clock(seconds)}  {rates.failed + rates.succeeded:.0f} logins/s, {rates.failed:.0f} "
        f"failed, {rates.unknown:.0f} of them on accounts that nobody has; "
        f"{picture.lag:,} wait, {picture.sealed:,} sealed; {tally(picture)}"
    )
    return f"{said}; {picture.problem}" if picture.problem else said


def alert_line(alert: AlertRow) -> str:
    """One alert; what came from outside is escaped."""
    rule, summary = escaped(alert.rule), escaped(alert.summary, LONGEST)
    return f"ALERT {alert.severity.upper():<8}  {rule:<18}  {summary}"


def incident_line(incident: Incident) -> str:
    """One campaign: how grave, its id as far as the command line needs it, from how many addresses,
    how many accounts were tried and hit.
    """
    return (
        f"{incident.severity.upper()} {incident.kind} {incident.incident_id[:ID_SHOWN]}: "
        f"{_many(incident.counts.get('ips', 0), 'address', 'addresses')}, "
        f"{incident.accounts_tried:,} tried, {len(incident.accounts_hit):,} hit"
    )


def login_line(login: LoginRow) -> str:
    """One login; its account is a pseudonym."""
    return "  ".join(login_cells(login))


def login_cells(login: LoginRow) -> list[str]:
    """Time of day, system, outcome, address, the beginning of the account's pseudonym."""
    return [
        login.at[11:23].rstrip("Z"),
        escaped(login.system),
        escaped(login.outcome),
        escaped(login.address or "no address"),
        escaped(login.account[:PSEUDONYM_SHOWN] or "no account"),
    ]


def tally(picture: Picture) -> str:
    """`7 alerts on 3 subjects: 2 critical, 5 high`."""
    found = picture.by_severity
    if not found:
        return "no alerts"
    parts = ", ".join(f"{number} {severity}" for severity, number in found.items())
    alerts, subjects = len(picture.alerts), len(picture.subjects)
    said = f"{_many(alerts, 'alert')} on {_many(subjects, 'subject')}: {parts}"
    return f"{said}; {_many(len(picture.incidents), 'campaign')}" if picture.incidents else said


def _many(number: int, word: str, plural: str = "") -> str:
    return f"{number:,} {word if number == 1 else plural or f'{word}s'}"


def clock(seconds: float) -> str:
    """Minutes and seconds, `0:07`."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def age(seconds: float) -> str:
    """How long ago, short: `7 s`, `3 m`, `2 h`."""
    if seconds < _MOST_SECONDS:
        return f"{int(seconds)} s"
    minutes = int(seconds) // 60
    return f"{minutes} m" if minutes < _MOST_MINUTES else f"{minutes // 60} h"


def rate(value: float) -> str:
    """Logins a second: `13.2/s`, `12,345/s`."""
    return f"{value:,.1f}/s" if value < _WHOLE_FROM else f"{value:,.0f}/s"


def spark(values: Sequence[int], highest: int) -> str:
    """One bar a value, as high as its share of `highest`; anything above nothing is seen."""
    steps = len(_BARS) - 1
    return "".join(
        _BARS[min(steps, max(1, round(value / highest * steps)))] if value and highest else " "
        for value in values
    )
