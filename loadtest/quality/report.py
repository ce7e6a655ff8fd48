"""The measurement as a page: `docs/quality.md` with its plots beside it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from loadtest import profile

from . import hub, measures
from .courses import VARIANTS
from .figures import Figures, as_text
from .goals import GOALS, Goal
from .harness import Quality
from .plots import PLOTS, Series, svg
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
    Column("p50 s", "detect_p50_s"),
    Column("p95 s", "detect_p95_s"),
    Column("p50 s from the first attempt", "detect_from_first_p50_s"),
)


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


def write(quality: Quality, docs: Path) -> None:
    """Write the page and, in a folder of its name, its plots."""
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
        events=f"{quality.events:,}",
        run=_span(quality.run_s),
        speed=f"{quality.replay_events_per_s:,}",
        seeds=quality.seeds,
        titles=_titles(quality),
        goals=[_goal_row(goal, quality) for goal in GOALS],
        plots=plots,
        folder=folder.name,
        tables=list(_tables(quality)),
        columns=COLUMNS,
        detections=list(_detections(series)),
        definitions=_definitions(),
        hub=[] if quality.hub is None else list(hub.told(quality.hub)),
        not_run=quality.not_run,
    )
    docs.write_text(page.rstrip() + "\n", encoding="utf-8")


def _titles(quality: Quality) -> list[tuple[str, str]]:
    return [(letter, profile.parse(letter)[0].profile.title) for letter in quality.profiles]


def _definitions() -> list[str]:
    """The definitions as measures.py gives them: one place, so that they cannot part."""
    text = (measures.__doc__ or "").partition("):\n")[2]
    return [" ".join(part.split()) for part in text.removeprefix("- ").split("\n- ")]


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
            rows=_rows({OURS: quality.tuning}),
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


def _goal_row(goal: Goal, quality: Quality) -> dict[str, str]:
    figures = quality.profiles.get(goal.letter)
    title = next(column.title for column in COLUMNS if column.key == goal.key)
    row = {
        "letter": goal.letter,
        "figure": title,
        "wanted": f"{goal.sense} {as_text(goal.key, goal.value)}",
    }
    met = None if figures is None else goal.met(figures)
    if figures is None or met is None:
        return row | {"value": "-", "interval": "-", "mark": "not measured"}
    interval = figures.intervals[goal.key]
    return row | {
        "value": as_text(goal.key, getattr(figures, goal.key)),
        "interval": f"{as_text(goal.key, interval.low)} to {as_text(goal.key, interval.high)} "
        f"({interval.n:,})",
        "mark": "yes" if met else "**no**",
    }


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
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
