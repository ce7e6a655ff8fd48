"""The live screen: one picture in, lines of text out. Pure: no Kafka, no clock, no terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from detectors.errors import escaped
from detectors.rule import Severity

from .read_model import AlertRow, LoginRow, Picture

STYLES: dict[Severity, str] = {
    "critical": "bold white on red",
    "high": "bold red",
    "medium": "bold yellow",
    "low": "cyan",
}
"""Colour is a help only: the severity always stands there as a word."""

_BARS = " ▁▂▃▄▅▆▇█"
_LONGEST = 200
_WIDE = 130
"""Columns from which an alert's sentence fits beside its counts."""

_TALL = 34
"""Rows from which everything that can be tried is listed."""

_PSEUDONYM_SHOWN = 13
"""Characters of a pseudonym on the screen: its key and 32 bits, enough for the last minute."""

_HEADER = 1
_TOP = 8
_ADDRESS_ROWS_TALL = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What is shown around the picture: what runs where, for how long, and what to try."""

    title: str
    phase: str
    hint: str
    seconds: float
    parts: Sequence[tuple[str, str]] = ()
    places: Sequence[tuple[str, str]] = ()
    commands: Sequence[str] = ()
    alarmed: bool = False
    logins: bool = False


def render(picture: Picture, around: Surroundings, *, width: int, height: int) -> RenderableType:
    """The whole screen in at most `width` columns and `height` rows (80 by 24 at the least)."""
    footer = _footer(around, width, tall=height >= _TALL)
    top = _TOP if height < _TALL else _ADDRESS_ROWS_TALL + 3
    rest = height - _HEADER - top - len(footer)
    passing: list[RenderableType] = []
    if around.logins:
        rows = rest // 2
        passing.append(_passing(picture, rows))
        rest -= rows
    return Group(
        _header(picture, around, width),
        _top(picture, width, top),
        _alerts(picture, width, rest),
        *passing,
        *footer,
    )


def line(picture: Picture, around: Surroundings) -> str:
    """The same in one line, for a log."""
    rates = picture.rates
    said = (
        f"{clock(around.seconds)}  {rates.failed + rates.succeeded:.0f} logins/s: "
        f"{rates.failed:.0f} failed, {rates.unknown:.0f} of them on unknown accounts; "
        f"waiting {picture.lag}, sealed {picture.sealed:,}; {_tally(picture)}"
    )
    return f"{said}; {picture.problem}" if picture.problem else said


def alert_line(alert: AlertRow) -> str:
    """One alert in one line, for a log; what came from outside is escaped."""
    rule, summary = escaped(alert.rule), escaped(alert.summary, _LONGEST)
    return f"ALERT {alert.severity.upper():<8}  {rule:<18}  {summary}"


def login_line(login: LoginRow) -> str:
    """One login in one line, for a log; its account is a pseudonym."""
    return "  ".join(_login_cells(login))


def clock(seconds: float) -> str:
    """Minutes and seconds since the start, `0:07`."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def age(seconds: float) -> str:
    """How long ago, short: `7 s`, `3 m`, `2 h`."""
    if seconds < 100:  # noqa: PLR2004 (two digits of seconds still read quicker than minutes)
        return f"{int(seconds)} s"
    minutes = int(seconds) // 60
    return f"{minutes} m" if minutes < 100 else f"{minutes // 60} h"  # noqa: PLR2004


def spark(values: Sequence[int], highest: int) -> str:
    """One bar a value, as high as its share of `highest`; anything above nothing is seen."""
    steps = len(_BARS) - 1
    return "".join(
        _BARS[min(steps, max(1, round(value / highest * steps)))] if value and highest else " "
        for value in values
    )


def _header(picture: Picture, around: Surroundings, width: int) -> Text:
    left = Text.assemble(
        (f" {around.title}  {clock(around.seconds)}  ", "bold"),
        (around.phase, "bold red" if around.alarmed else "bold green"),
    )
    if picture.problem:
        left.append(f"  {escaped(picture.problem)}", "bold yellow")
    hint = f"{around.hint} "
    left.truncate(max(0, width - len(hint) - 1), overflow="ellipsis")
    left.append(" " * max(1, width - left.cell_len - len(hint)))
    left.append(hint, "dim")
    left.truncate(width)
    return left


def _top(picture: Picture, width: int, height: int) -> Table:
    grid = Table.grid(expand=True)
    left = width // 2
    grid.add_column(width=left)
    grid.add_column(width=width - left)
    grid.add_row(_logins(picture, left, height), _addresses(picture, height))
    return grid


def _logins(picture: Picture, width: int, height: int) -> Panel:
    rates = picture.rates
    bars = max(8, width - 4 - 27)
    highest = max(1, *rates.failed_history, *rates.succeeded_history)
    table = Table.grid(padding=(0, 1))
    table.add_column(width=15, no_wrap=True)
    table.add_column(width=9, justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    failed, succeeded = rates.failed_history[-bars:], rates.succeeded_history[-bars:]
    table.add_row("failed", _rate(rates.failed), Text(spark(failed, highest), "red"))
    table.add_row(" unknown account", _rate(rates.unknown), Text("of these", "dim"))
    table.add_row("succeeded", _rate(rates.succeeded), Text(spark(succeeded, highest), "green"))
    lags = " ".join(str(row.lag) for row in picture.partitions) or "-"
    table.add_row("judged", f"{picture.counts.read:,}", Text(f"of {picture.in_kafka:,}", "dim"))
    table.add_row("waiting", f"{picture.lag:,}", Text(f"by partition {lags}", "dim"))
    table.add_row("sealed archive", f"{picture.sealed:,}", Text(f"of {picture.in_kafka:,}", "dim"))
    return Panel(table, title="Logins", title_align="left", height=height, box=box.SQUARE)


def _rate(value: float) -> str:
    return f"{value:,.1f}/s" if value < 1000 else f"{value:,.0f}/s"  # noqa: PLR2004


def _addresses(picture: Picture, height: int) -> Panel:
    table = Table(box=None, expand=True, padding=(0, 1, 0, 0), header_style="dim")
    table.add_column("ADDRESS", no_wrap=True, overflow="ellipsis", ratio=1)
    table.add_column("FAILED", justify="right", no_wrap=True, width=6)
    table.add_column("OK", justify="right", no_wrap=True, width=4)
    table.add_column("ALERT", no_wrap=True, width=8)
    for row in picture.addresses[: height - 3]:
        table.add_row(
            escaped(row.address),
            f"{row.failed:,}",
            f"{row.succeeded:,}",
            Text("-", "dim") if row.severity is None else _severity(row.severity),
        )
    title = "Most failures, last minute"
    return Panel(table, title=title, title_align="left", height=height, box=box.SQUARE)


def _severity(severity: Severity) -> Text:
    return Text(severity.upper(), STYLES[severity])


def _alerts(picture: Picture, width: int, height: int) -> Panel:
    room = max(1, height - 3)
    shown = picture.alerts[:room]
    title = Text(_tally(picture), "bold")
    if len(picture.alerts) > len(shown):
        title.append(f" - the first {len(shown)} shown", "dim")
    body: RenderableType = Text("\n  None yet.", "dim")
    if shown:
        body = _alert_table(shown, wide=width >= _WIDE)
    return Panel(body, title=title, title_align="left", height=height, box=box.SQUARE)


def _alert_table(alerts: Sequence[AlertRow], *, wide: bool) -> Table:
    table = Table(box=None, expand=True, padding=(0, 1, 0, 0), header_style="dim")
    table.add_column("SEVERITY", no_wrap=True, width=8)
    table.add_column("DETECTION", no_wrap=True, overflow="ellipsis", width=18)
    table.add_column("WHO", no_wrap=True, overflow="ellipsis", ratio=2, min_width=15)
    if wide:
        table.add_column("SYSTEM", no_wrap=True, overflow="ellipsis", width=14)
    table.add_column("FAILED", justify="right", no_wrap=True, width=7)
    table.add_column("ACCOUNTS", justify="right", no_wrap=True, width=8)
    table.add_column("OPENED", justify="right", no_wrap=True, width=6)
    table.add_column("GREW", justify="right", no_wrap=True, width=6)
    if wide:
        table.add_column("WHAT", no_wrap=True, overflow="ellipsis", ratio=5)
    for alert in alerts:
        table.add_row(*_alert_cells(alert, wide=wide))
    return table


def _alert_cells(alert: AlertRow, *, wide: bool) -> list[RenderableType]:
    more = "+" if alert.at_least else ""
    name = f"{alert.rule} (staged)" if alert.staged else alert.rule
    cells: list[RenderableType] = [
        _severity(alert.severity),
        Text(escaped(name)),
        Text(escaped(alert.subject)),
        Text(f"{alert.failures:,}{more}"),
        Text(f"{alert.accounts:,}{more}"),
        Text(age(alert.opened_s)),
        Text(age(alert.grew_s)),
    ]
    if wide:
        cells.insert(3, Text(escaped(alert.system)))
        cells.append(Text(escaped(alert.summary, _LONGEST), "dim"))
    return cells


def _passing(picture: Picture, height: int) -> Panel:
    table = Table.grid(padding=(0, 2, 0, 0))
    for _ in range(5):
        table.add_column(no_wrap=True, overflow="ellipsis")
    for login in picture.logins[-max(1, height - 2) :]:
        table.add_row(*(Text(cell) for cell in _login_cells(login)))
    return Panel(table, title="Logins", title_align="left", height=height, box=box.SQUARE)


def _login_cells(login: LoginRow) -> list[str]:
    """Time of day, system, outcome, address, the beginning of the account's pseudonym."""
    return [
        login.at[11:23].rstrip("Z"),
        escaped(login.system),
        escaped(login.outcome),
        escaped(login.address or "no address"),
        escaped(login.account[:_PSEUDONYM_SHOWN] or "no account"),
    ]


def _tally(picture: Picture) -> str:
    """`7 alerts: 2 critical, 5 high`."""
    found = picture.by_severity
    total = len(picture.alerts)
    if not total:
        return "no alerts"
    parts = ", ".join(f"{number} {severity}" for severity, number in found.items())
    return f"{total} alert{'' if total == 1 else 's'}: {parts}"


def _footer(around: Surroundings, width: int, *, tall: bool) -> list[Text]:
    parts = Text(" runs  ", "dim")
    for name, state in around.parts:
        parts.append(f"{name} ")
        parts.append(f"{state}  ", "green" if state == "up" else "bold red")
    lines = [parts]
    lines += [
        Text.assemble((f" {label}  ", "dim"), escaped(place, _LONGEST))
        for label, place in (around.places if tall else around.places[:1])
    ]
    lines += [
        Text.assemble((" try   ", "dim"), (escaped(command, _LONGEST), "bold"))
        for command in (around.commands if tall else around.commands[:1])
    ]
    for text in lines:
        text.no_wrap = True
        text.truncate(width, overflow="ellipsis")
    return lines
