"""The measurement as a page: `docs/quality.md` with its plots beside it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from loadtest import profile

from . import hub, measures, memory, spray
from .courses import VARIANTS
from .crowdsec import CrowdSec
from .fail2ban import Fail2ban
from .figures import Figures, as_text
from .goals import GOALS, Goal
from .plots import PLOTS, Series, svg
from .result import Quality
from .trial import OURS


class Column(NamedTuple):
    """A figure of the tables."""

    title: str
    key: str


COLUMNS: Final = (
    Column("campaigns caught", "campaign_recall"),
    Column("takeovers flagged", "takeover_recall"),
    Column("by look-back", "takeovers_by_look_back"),
    Column("attempts attributed", "attempt_attribution"),
    Column("false campaigns / 5 days", "false_campaigns_per_5_days"),
    Column("good logins stepped up", "stepped_up_share"),
    Column("pages / 12 h", "pages_per_12h"),
    Column("notices / 1,000 good logins", "notices_per_1000_good_logins"),
    Column("seconds to detect, p50", "detect_p50_s"),
    Column("seconds to detect, p95", "detect_p95_s"),
    Column("from the first attempt, p50", "detect_from_first_p50_s"),
)


PEERS: Final = (CrowdSec.name, Fail2ban.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A contender on a profile, its cells as text."""

    name: str
    who: str
    cells: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table of contenders and profiles."""

    title: str
    text: str
    rows: list[Row]


def write(quality: Quality, docs: Path, command: str) -> None:
    """Write the page and, in a folder of its name, its plots; `command` measures the same again."""
    environment = Environment(
        loader=PackageLoader("loadtest.quality"),
        autoescape=select_autoescape(enabled_extensions=("svg",), default=False),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    folder = docs.with_suffix("")
    folder.mkdir(parents=True, exist_ok=True)
    series: Series = {OURS: quality.profiles} | quality.baselines
    plots = []
    for plot in PLOTS:
        drawn = svg(environment, plot, series)
        if drawn is not None:
            (folder / f"{plot.key}.svg").write_text(drawn, encoding="utf-8")
            plots.append(plot)
    page = environment.get_template("quality.md").render(
        command=command,
        quality=quality,
        run=_span(quality.run_s),
        processor=_span(quality.cpu_s),
        measured=list(_measured(quality)),
        goals=[_goal_row(goal, quality) for goal in sorted(GOALS, key=lambda one: one.letter)],
        plots=plots,
        folder=folder.name,
        tables=list(_tables(quality)),
        columns=COLUMNS,
        detections=list(_detections(series)),
        definitions=_definitions(),
        hub=list(_hub(quality)),
        memory=[] if quality.memory is None else list(memory.lines(quality.memory)),
    )
    docs.write_text(page.rstrip() + "\n", encoding="utf-8")


def _measured(quality: Quality) -> Iterator[list[str]]:
    """What the figures of a profile stand on: runs, days after learning, attempts, logins."""
    for letter, figures in quality.profiles.items():
        tuning = quality.tuning.get(letter)
        takeovers = figures.intervals.get("takeover_recall")
        days = figures.hours / 24
        yield [
            letter,
            profile.parse(letter)[0].profile.title,
            f"{figures.runs} + {0 if tuning is None else tuning.runs}",
            f"{days:,.1f}",
            f"{figures.good_logins:,}",
            f"{figures.good_logins / days:,.0f}" if days else "-",
            f"{figures.attack_attempts:,}",
            "-" if takeovers is None else f"{takeovers.n:,}",
        ]


def _definitions() -> list[str]:
    """The definitions as measures.py gives them: one place, so that they cannot part."""
    text = (measures.__doc__ or "").partition("):\n")[2]
    return [" ".join(part.split()) for part in text.removeprefix("- ").split("\n- ")]


def _hub(quality: Quality) -> Iterator[str]:
    if quality.hub is not None:
        yield from hub.told(quality.hub)
    if quality.spray is not None:
        yield spray.told(quality.spray)


def _tables(quality: Quality) -> Iterator[Table]:
    yield Table(
        title="Reported seeds",
        text="Nothing was tuned on these.",
        rows=_rows({OURS: quality.profiles} | quality.baselines),
    )
    for variant in VARIANTS:
        side = quality.variants.get(variant.name)
        if side is not None:
            yield Table(
                title=f"Variant {variant.name}",
                text=f"{variant.title} (reported seeds).",
                rows=_rows({OURS: side.profiles} | side.baselines),
            )
    if quality.tuning:
        yield Table(
            title="Tuning seeds",
            text="The seeds that limits may be tuned on.",
            rows=_rows({OURS: quality.tuning} | quality.tuning_baselines),
        )


def _rows(series: Series) -> list[Row]:
    return [
        Row(name=letter, who=who, cells=[cell(table[letter], c.key) for c in COLUMNS])
        for letter in series[OURS]
        for who, table in series.items()
        if letter in table
    ]


def cell(figures: Figures, key: str) -> str:
    """A figure with its interval and its n, as a cell of a table."""
    value: float | None = getattr(figures, key)
    if value is None:
        return "-"
    interval = figures.intervals[key]
    ends = f"{as_text(key, interval.low)} to {as_text(key, interval.high)}, n {interval.n:,}"
    return f"**{as_text(key, value)}** ({ends})"


def _goal_row(goal: Goal, quality: Quality) -> list[str]:
    """A goal, the figure of both halves beside it, those of the peers, and whether it is met."""
    figures = quality.profiles.get(goal.letter)
    met = None if figures is None else goal.met(figures)
    return [
        goal.letter,
        next(column.title for column in COLUMNS if column.key == goal.key),
        f"{goal.sense} {as_text(goal.key, goal.value)}",
        _cell_of(figures, goal.key),
        {None: "not measured", True: "met", False: "**not met**"}[met],
        _cell_of(quality.tuning.get(goal.letter), goal.key),
        *(_value_of(quality.baselines.get(peer, {}).get(goal.letter), goal.key) for peer in PEERS),
    ]


def _cell_of(figures: Figures | None, key: str) -> str:
    return "-" if figures is None else cell(figures, key)


def _value_of(figures: Figures | None, key: str) -> str:
    value: float | None = None if figures is None else getattr(figures, key)
    return "-" if value is None else as_text(key, value)


def _detections(series: Series) -> Iterator[list[str]]:
    for letter in series[OURS]:
        for who, table in series.items():
            if letter not in table:
                continue
            for name, one in table[letter].detections.items():
                shares = (one.precision, one.campaign_recall, one.takeover_recall)
                yield [
                    letter,
                    who,
                    name,
                    f"{one.alerts:,}",
                    *(
                        "-" if share is None else as_text("campaign_recall", share)
                        for share in shares
                    ),
                    "-"
                    if one.pages_per_12h is None
                    else as_text("pages_per_12h", one.pages_per_12h),
                    "-" if one.detect_p50_s is None else as_text("detect_p50_s", one.detect_p50_s),
                ]


def _span(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
