"""The measurement as a page: `docs/performance.md`, its charts and its figures beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, floor, log10
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from .harness import Bench, Measured
from .mixes import MIXES
from .record import Record, file_of, save
from .sizes import BUSY, RATES, Costs, costs, size

_OURS: Final = "#0b6e4f"
_THEIRS: Final = "#8a8fa3"
_LEFT, _RIGHT, _WIDTH, _ROW, _TOP = 120, 90, 760, 22, 32


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bar:
    name: str
    text: str
    colour: str
    y: int
    width: float
    low: float
    high: float


def write(record: Record, page: Path) -> None:
    """Write page, charts (in a folder of its name) and figures."""
    environment = Environment(
        loader=PackageLoader("loadtest.bench"),
        autoescape=select_autoescape(enabled_extensions=("svg",), default=False),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
    )
    folder = page.with_suffix("")
    folder.mkdir(parents=True, exist_ok=True)
    mixes = {} if record.bench is None else record.bench.mixes
    for name, measured in mixes.items():
        drawn = _chart(environment, f"{name}: events a second", measured)
        (folder / f"{name}.svg").write_text(drawn, encoding="utf-8")
    text = environment.get_template("performance.md").render(
        bench=record.bench,
        latency=record.latency,
        folder=folder.name,
        figures=file_of(page).name,
        mixes=[_mix(name, measured) for name, measured in mixes.items()],
    )
    page.write_text(text.rstrip() + "\n", encoding="utf-8")
    if record.bench is not None and (cost := costs(record.bench)) is not None:
        scaling = environment.get_template("scaling.md").render(_scaling(record.bench, cost, page))
        page.with_name("scaling.md").write_text(scaling.rstrip() + "\n", encoding="utf-8")
    save(record, page)


def _scaling(bench: Bench, cost: Costs, page: Path) -> dict[str, Any]:
    normal = bench.mixes.get("normal", {})
    one, two = normal.get("detect"), normal.get("detect_2_workers")
    detects = [(name, mix["detect"]) for name, mix in bench.mixes.items() if "detect" in mix]
    return {
        "bench": bench,
        "cost": cost,
        "folder": page.stem,
        "busy": BUSY,
        "sizes": [size(rate, cost) for rate in RATES],
        "flink": 1e6 / flink.events_per_cpu_s if (flink := normal.get("flink")) else None,
        "growth": two.events_per_s / one.events_per_s if one and two else None,
        "worker_mb": round(max(detect.rss_mb for _, detect in detects)),
        "memory": [(name, round(detect.valkey_mb)) for name, detect in detects],
    }


def _mix(name: str, measured: Mapping[str, Measured]) -> dict[str, Any]:
    titles = {mix.name: mix.title for mix in MIXES}
    detect = measured.get("detect")
    return {
        "name": name,
        "title": titles.get(name, ""),
        "rows": [_row(who, one, detect) for who, one in measured.items()],
        "processes": [
            (who, part, f"{process.cpu_s:.1f}", f"{process.rss_mb:.0f}")
            for who, one in measured.items()
            for part, process in one.processes.items()
        ],
    }


def _row(who: str, one: Measured, detect: Measured | None) -> tuple[str, ...]:
    return (
        who,
        f"{one.events_per_s:,.0f}",
        f"{one.lowest:,.0f} to {one.highest:,.0f}",
        "-" if detect is None or one is detect else f"{detect.events_per_s / one.events_per_s:.2f}",
        f"{one.events_per_cpu_s:,.0f}",
        f"{one.cpu_s:.1f}",
        *(f"{one.servers_cpu_s.get(server, 0.0):.1f}" for server in ("kafka", "valkey")),
        f"{one.rss_mb:.0f}",
    )


def _chart(environment: Environment, title: str, measured: Mapping[str, Measured]) -> str:
    """A bar for each contender on a logarithmic axis, its spread as a line."""
    span = _WIDTH - _LEFT - _RIGHT
    first = floor(log10(max(1.0, min(one.lowest for one in measured.values()))))
    last = max(first + 1, ceil(log10(max(1.0, *(one.highest for one in measured.values())))))

    def at(value: float) -> float:
        return round(_LEFT + span * (log10(max(value, 10.0**first)) - first) / (last - first), 1)

    bars = [
        _Bar(
            name=who,
            text=f"{one.events_per_s:,.0f}",
            colour=_OURS if who.startswith(("detect", "everything")) else _THEIRS,
            y=_TOP + _ROW * number,
            width=round(at(one.events_per_s) - _LEFT, 1),
            low=at(one.lowest),
            high=at(one.highest),
        )
        for number, (who, one) in enumerate(measured.items())
    ]
    return environment.get_template("bars.svg").render(
        title=title,
        width=_WIDTH,
        height=_TOP + _ROW * len(bars) + 20,
        left=_LEFT,
        right=_WIDTH - _RIGHT,
        bars=bars,
        ticks=[(at(10.0**n), f"{10**n:,}") for n in range(first, last + 1)],
    )
