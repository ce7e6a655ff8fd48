"""What was measured last and stands in the documentation: the page's figures, and the guard's."""

from __future__ import annotations

from pathlib import Path

import msgspec

from detectors.errors import LoginwardError

from .harness import Bench
from .latency import Latency

PAGE = Path(__file__).resolve().parents[2] / "docs/performance.md"
GUARDED = ("bare", "stock_faust", "flink")
"""Whom detect is compared with in mix `normal`."""

_FALL = 0.5
"""Of the recorded ratio: a neighbour costs all contenders, a fault of ours detect alone."""


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One file beside the page: each part as it was measured last."""

    bench: Bench | None = None
    latency: Latency | None = None


def file_of(page: Path) -> Path:
    """Where the figures of a page stand."""
    return page.with_suffix(".json")


def load(page: Path = PAGE) -> Record:
    """The figures of a page; an empty record where there is none. Raises LoginwardError."""
    path = file_of(page)
    try:
        return msgspec.json.decode(path.read_bytes(), type=Record)
    except FileNotFoundError:
        return Record()
    except msgspec.DecodeError as failure:
        raise LoginwardError(f"{path}: {failure}; write it anew with `bench --docs`") from None


def save(record: Record, page: Path) -> None:
    """Write the figures of a page."""
    text = msgspec.json.format(msgspec.json.encode(record), indent=1)
    file_of(page).write_bytes(text + b"\n")


def ratios(bench: Bench, mix: str = "normal") -> dict[str, float]:
    """How many times as fast as each other contender detect was, by medians of one run."""
    measured = bench.mixes.get(mix, {})
    detect = measured.get("detect")
    if detect is None:
        return {}
    return {
        name: round(detect.events_per_s / other.events_per_s, 3)
        for name, other in measured.items()
        if name in GUARDED and other.events_per_s
    }


def fallen(now: Bench, recorded: Bench | None) -> list[str]:
    """A sentence for each ratio that has fallen to less than half of the recorded one."""
    before = {} if recorded is None else ratios(recorded)
    return [
        f"detect was {before[name]:.2f} times as fast as {name}, now {ratio:.2f}: less than half"
        for name, ratio in ratios(now).items()
        if name in before and ratio < _FALL * before[name]
    ]
