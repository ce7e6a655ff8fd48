"""The live screen: one picture in, what is drawn out. Pure: no Kafka, no clock, no terminal."""

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

from .live_lines import LONGEST, age, login_cells, rate, spark, tally
from .picture import Picture, SubjectRow

STYLES: dict[Severity, str] = {
    "critical": "bold white on red",
    "high": "bold red",
    "medium": "bold yellow",
    "low": "cyan",
}
"""Colour is a help only: the severity always stands there as a word."""

_WIDE = 130
"""Columns from which an alert's sentence fits beside its counts."""

_TALL = 34
"""Rows from which everything that can be tried is listed."""

_HEADER = 1
_TOP = 8
_TOP_TALL = 13
_FRAME = 2
_FEWEST = 4
"""Rows of a panel: its frame, a head and one line."""

_MOST_LAGS = 4
_LABEL, _NUMBER = 13, 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What stands around the picture: what runs where, and what to try.

    `logins`: show them as they pass. `alarmed`: the phase is bad news.
    """

    title: str
    phase: str
    hint: str
    parts: Sequence[tuple[str, str]] = ()
    places: Sequence[tuple[str, str]] = ()
    commands: Sequence[str] = ()
    alarmed: bool = False
    logins: bool = False


def render(picture: Picture, around: Surroundings, *, width: int, height: int) -> RenderableType:
    """The whole screen in at most `width` columns and `height` rows (80 by 24 at the least)."""
    tall = height >= _TALL
    footer = _footer(around, tall=tall)
    top = _TOP_TALL if tall else _TOP
    rest = height - _HEADER - top - len(footer)
    passing: list[RenderableType] = []
    if around.logins:
        rows = max(_FEWEST, rest // 2)
        passing.append(_passing(picture, rows))
        rest -= rows
    return Group(
        _header(picture, around, width),
        _top(picture, width, top),
        _alerts(picture, width, max(_FEWEST, rest)),
        *passing,
        *footer,
    )


def _header(picture: Picture, around: Surroundings, width: int) -> Text:
    left = Text.assemble(
        (f" {escaped(around.title)}  ", "bold"),
        (escaped(around.phase), "bold red" if around.alarmed else "bold green"),
    )
    if picture.problem:
        left.append(f"  {escaped(picture.problem)}", "bold yellow")
    hint = f"{escaped(around.hint)} "
    left.truncate(max(0, width - len(hint) - 1), overflow="ellipsis")
    left.append(" " * max(1, width - left.cell_len - len(hint)))
    left.append(hint, "dim")
    left.no_wrap, left.overflow = True, "crop"
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
    bars = max(8, width - _FRAME * 2 - _LABEL - _NUMBER - 3)
    highest = max(1, *rates.failed_history, *rates.succeeded_history)
    failed, succeeded = rates.failed_history[-bars:], rates.succeeded_history[-bars:]
    table = Table.grid(padding=(0, 1))
    table.add_column(width=_LABEL, no_wrap=True)
    table.add_column(width=_NUMBER, justify="right", no_wrap=True)
    table.add_column(no_wrap=True, overflow="ellipsis")
    table.add_row("failed", rate(rates.failed), Text(spark(failed, highest), "red"))
    table.add_row(" no such user", rate(rates.unknown), Text("of these", "dim"))
    table.add_row("succeeded", rate(rates.succeeded), Text(spark(succeeded, highest), "green"))
    total = Text(f"of {picture.in_kafka:,}", "dim")
    table.add_row("judged", f"{picture.counts.read:,}", total)
    table.add_row("waiting", f"{picture.lag:,}", Text(_lags(picture), "dim"))
    table.add_row("sealed", f"{picture.sealed:,}", total)
    return _panel(table, "Logins", height)


def _lags(picture: Picture) -> str:
    """`0+0+6+0`: each partition's share, or the largest one where there are many."""
    lags = [row.lag for row in picture.partitions]
    if len(lags) > _MOST_LAGS:
        return f"at most {max(lags):,} of one"
    return "+".join(f"{lag:,}" for lag in lags)


def _addresses(picture: Picture, height: int) -> Panel:
    table = _table()
    table.add_column("ADDRESS", no_wrap=True, overflow="ellipsis", ratio=1)
    table.add_column("FAILED", justify="right", no_wrap=True, width=6)
    table.add_column("OK", justify="right", no_wrap=True, width=4)
    table.add_column("ALERT", no_wrap=True, width=8)
    for row in picture.addresses[: height - _FRAME - 1]:
        table.add_row(
            Text(escaped(row.address)),
            f"{row.failed:,}",
            f"{row.succeeded:,}",
            Text("-", "dim") if row.severity is None else _severity(row.severity),
        )
    return _panel(table, "Most failures, last minute", height)


def _alerts(picture: Picture, width: int, height: int) -> Panel:
    subjects = picture.subjects
    shown = subjects[: height - _FRAME - 1]
    title = Text(tally(picture), "bold")
    if len(subjects) > len(shown):
        title.append(f"; the first {len(shown)}", "dim")
    if not shown:
        return _panel(Text("\n  None yet.", "dim"), title, height)
    return _panel(_alert_table(shown, wide=width >= _WIDE), title, height)


def _alert_table(subjects: Sequence[SubjectRow], *, wide: bool) -> Table:
    table = _table()
    table.add_column("SEVERITY", no_wrap=True, width=8)
    table.add_column("WHO", no_wrap=True, overflow="ellipsis", min_width=15, ratio=3)
    if wide:
        table.add_column("SYSTEM", no_wrap=True, overflow="ellipsis", width=14)
    table.add_column("DETECTED BY", no_wrap=True, overflow="ellipsis", ratio=5)
    for name, room in (("FAILED", 7), ("ACCOUNTS", 8), ("OPENED", 6), ("GREW", 5)):
        table.add_column(name, justify="right", no_wrap=True, width=room)
    if wide:
        table.add_column("WHAT", no_wrap=True, overflow="ellipsis", ratio=6)
    for subject in subjects:
        table.add_row(*_cells(subject, wide=wide))
    return table


def _cells(subject: SubjectRow, *, wide: bool) -> list[RenderableType]:
    worst = subject.worst
    more = "+" if worst.at_least else ""
    rules = ", ".join(subject.rules) if wide else subject.rules[0]
    if not wide and len(subject.rules) > 1:
        rules += f" +{len(subject.rules) - 1}"
    if worst.staged:
        rules = f"staged: {rules}"
    cells: list[RenderableType] = [
        _severity(worst.severity),
        Text(escaped(worst.subject)),
        Text(escaped(rules)),
        Text(f"{subject.failures:,}{more}"),
        Text(f"{subject.accounts:,}{more}"),
        Text(age(subject.opened_s)),
        Text(age(subject.grew_s)),
    ]
    if wide:
        cells.insert(2, Text(escaped(worst.system)))
        cells.append(Text(escaped(worst.summary, LONGEST), "dim"))
    return cells


def _passing(picture: Picture, height: int) -> Panel:
    table = Table.grid(padding=(0, 2, 0, 0))
    for _ in range(5):
        table.add_column(no_wrap=True, overflow="ellipsis")
    for login in picture.logins[-max(1, height - _FRAME) :]:
        table.add_row(*(Text(cell) for cell in login_cells(login)))
    return _panel(table, "As they pass", height)


def _footer(around: Surroundings, *, tall: bool) -> list[Text]:
    running = Text(" ")
    for name, state in around.parts:
        running.append(f"{escaped(name)} ", "dim")
        running.append(f"{escaped(state)}  ", "green" if state == "up" else "bold red")
    lines = [running]
    if tall:
        lines += [
            Text.assemble((f" {escaped(label):<7} ", "dim"), escaped(place, LONGEST))
            for label, place in around.places
        ]
    lines += [
        Text.assemble((" $ ", "dim"), (escaped(command, LONGEST), "bold"))
        for command in (around.commands if tall else around.commands[:2])
    ]
    for text in lines:
        text.no_wrap, text.overflow = True, "ellipsis"
    return lines


def _severity(severity: Severity) -> Text:
    return Text(severity.upper(), STYLES[severity])


def _table() -> Table:
    return Table(box=None, expand=True, padding=(0, 1, 0, 0), header_style="dim")


def _panel(body: RenderableType, title: str | Text, height: int) -> Panel:
    return Panel(body, title=title, title_align="left", height=height, box=box.SQUARE)
