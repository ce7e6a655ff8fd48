"""What a measurement comes to: the outcomes of its runs, added up to figures."""

from __future__ import annotations

from collections import defaultdict

import msgspec

from . import hub
from .counts import Counts, added
from .figures import Figures, figures
from .memory import Memory
from .spray import Spray
from .trial import OURS, Outcome, Trial


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of one half or one variant."""

    profiles: dict[str, Figures]
    baselines: dict[str, dict[str, Figures]]


class Quality(msgspec.Struct, frozen=True, kw_only=True):
    """The result. `profiles` and `baselines` stand on the reported seeds, `tuning` and
    `tuning_baselines` on the others; `variants` are the same attacks under other conditions.

    `run_s` is this call's own time, `cpu_s` the processor time of all runs, those `kept` from
    earlier calls too; `rss_mb` is the most memory that one process of a run took.
    """

    profiles: dict[str, Figures]
    baselines: dict[str, dict[str, Figures]]
    tuning: dict[str, Figures]
    tuning_baselines: dict[str, dict[str, Figures]]
    variants: dict[str, Side]
    hub: hub.Figures | None = None
    spray: Spray | None = None
    memory: Memory | None = None
    not_run: dict[str, str]
    seeds: dict[str, list[int]]
    events: int
    runs: int
    kept: int
    run_s: float
    cpu_s: float
    rss_mb: int
    replay_events_per_s: float


def reported(seed: int) -> bool:
    """Even seeds are reported; nobody may tune on them."""
    return seed % 2 == 0


class Results:
    """Outcomes as they come."""

    def __init__(self) -> None:
        self.slowest_s = 0.0
        self._counts: dict[tuple[str, str, str, bool], list[Counts]] = defaultdict(list)
        self._seeds: set[int] = set()
        self._outcomes: list[Outcome] = []
        self._kept = 0

    def add(self, one: Trial, outcome: Outcome, *, kept: bool = False) -> None:
        """One run more; `kept`: it was run by an earlier call."""
        if kept:
            self._kept += 1
        else:
            self.slowest_s = max(self.slowest_s, outcome.run_s)
        self._seeds.add(one.seed)
        self._outcomes.append(outcome)
        kind = "" if one.variant is None else one.variant.name
        for who, counts in outcome.counts.items():
            self._counts[who, one.course.letter, kind, reported(one.seed)].append(counts)

    def told(self, not_run: dict[str, str], took: float) -> Quality:
        """All figures."""
        kinds = sorted({kind for _, _, kind, _ in self._counts if kind})
        plain, tuning = self._side(""), self._side("", final=False)
        events = sum(one.events for one in self._outcomes)
        replay_s = sum(one.replay_s for one in self._outcomes)
        return Quality(
            profiles=plain.profiles,
            baselines=plain.baselines,
            tuning=tuning.profiles,
            tuning_baselines=tuning.baselines,
            variants={kind: self._side(kind) for kind in kinds},
            not_run=not_run,
            seeds={
                "tuning": sorted(seed for seed in self._seeds if not reported(seed)),
                "reported": sorted(seed for seed in self._seeds if reported(seed)),
            },
            events=events,
            runs=len(self._outcomes),
            kept=self._kept,
            run_s=round(took, 1),
            cpu_s=round(sum(one.cpu_s for one in self._outcomes), 1),
            rss_mb=max((one.rss_mb for one in self._outcomes), default=0),
            replay_events_per_s=round(events / replay_s) if replay_s else 0,
        )

    def _side(self, kind: str, *, final: bool = True) -> Side:
        peers = sorted({who for who, *_ in self._counts} - {OURS})
        return Side(
            profiles=self._of(OURS, kind, final=final),
            baselines={who: self._of(who, kind, final=final) for who in peers},
        )

    def _of(self, who: str, kind: str, *, final: bool) -> dict[str, Figures]:
        return {
            letter: figures(added(counts), len(counts))
            for (name, letter, *rest), counts in sorted(self._counts.items())
            if name == who and rest == [kind, final]
        }
