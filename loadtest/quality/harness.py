"""All trials of a measurement, two at a time, and the figures they come to."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import Final

import msgspec

from detectors.errors import LoginwardError

from . import trial as trials
from .counts import Counts, added
from .courses import Course
from .figures import Figures, figures
from .trial import OURS, Outcome, Trial

TWO_FACTOR: Final = frozenset("ABCDEF")
"""Profiles that are also run with the second factor on (DETECTIONS.md 5)."""

_SEEDS: Final = 20
_QUICK_S: Final = 195.0
"""No trial of --quick begins later, so that it ends within four minutes."""

_WITHOUT: Final = {
    "--incidents": "replay has no --incidents: every alert counts as a page of its own, and "
    "takeovers only where an alert names them",
    "--verdicts": "replay has no --verdicts: stepped_up_share and notices are not measured",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to measure: seeds 1 to `seeds`, the odd ones to tune on, the even ones reported."""

    courses: Sequence[Course]
    seeds: Sequence[int] = tuple(range(1, _SEEDS + 1))
    second_factor: bool = True
    workers: int = 2
    begin_within_s: float | None = None
    not_run: dict[str, str] = field(default_factory=dict)


class Quality(msgspec.Struct, frozen=True, kw_only=True):
    """The result. `profiles` and `baselines` stand on the reported seeds, `tuning` on the others;
    `second_factor` are A to F with the second factor on (reported seeds).
    """

    profiles: dict[str, Figures]
    baselines: dict[str, dict[str, Figures]]
    tuning: dict[str, Figures]
    second_factor: dict[str, Figures]
    second_factor_baselines: dict[str, dict[str, Figures]]
    not_run: dict[str, str]
    seeds: dict[str, list[int]]
    events: int
    run_s: float
    replay_events_per_s: float


def measure(
    plan: Plan,
    done: Callable[[], None] = lambda: None,
    tell: Callable[[str], None] = lambda _: None,
    clock: Callable[[], float] = time.monotonic,
) -> Quality:
    """Run the plan; `done` hears of each trial's end, `tell` what is worth a line."""
    begun = clock()
    outputs = trials.supported()
    not_run = dict(plan.not_run)
    not_run |= {name[2:]: why for name, why in _WITHOUT.items() if name not in outputs}
    results = _Results()
    waiting = laid_out(plan, outputs)
    with ProcessPoolExecutor(plan.workers, mp_context=get_context("spawn")) as pool:
        running: dict[Future[Outcome], Trial] = {}
        while waiting or running:
            late = plan.begin_within_s is not None and clock() - begun > plan.begin_within_s
            if late and waiting:
                _too_late(waiting, not_run)
            while waiting and len(running) < plan.workers:
                one = waiting.pop(0)
                running[pool.submit(trials.run, one)] = one
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                one = running.pop(future)
                try:
                    results.add(one, future.result())
                except LoginwardError as failure:
                    not_run[_name(one)] = str(failure)
                    tell(f"{_name(one)}: {failure}")
                done()
    return results.told(not_run, clock() - begun)


def laid_out(plan: Plan, outputs: tuple[str, ...]) -> list[Trial]:
    """All trials, each profile once before the next seed: a time limit costs seeds, no profile."""
    kinds = [(course, False) for course in plan.courses]
    if plan.second_factor:
        kinds += [(course, True) for course in plan.courses if course.letter in TWO_FACTOR]
    return [
        Trial(course=course, seed=seed, second_factor=factor, outputs=outputs)
        for seed in plan.seeds
        for course, factor in kinds
    ]


def reported(seed: int) -> bool:
    """Even seeds are reported; nobody may tune on them."""
    return seed % 2 == 0


def quick_plan(courses: Sequence[Course], not_run: dict[str, str]) -> Plan:
    """One reported seed of every profile, for as long as there is time."""
    why = "--quick runs one seed a profile, without the second factor"
    return Plan(
        courses=courses,
        seeds=(2,),
        second_factor=False,
        begin_within_s=_QUICK_S,
        not_run=not_run | {"tuning": why, "second_factor": why},
    )


def _too_late(waiting: list[Trial], not_run: dict[str, str]) -> None:
    for one in waiting:
        not_run[_name(one)] = "no time left on this machine; run without --quick"
    waiting.clear()


def _name(one: Trial) -> str:
    factor = " with second factor" if one.second_factor else ""
    return f"profiles.{one.course.letter}{factor} seed {one.seed}"


class _Results:
    def __init__(self) -> None:
        self._counts: dict[tuple[str, str, bool, bool], list[Counts]] = defaultdict(list)
        self._seeds: set[int] = set()
        self._events = 0
        self._replay_s = 0.0

    def add(self, one: Trial, outcome: Outcome) -> None:
        self._seeds.add(one.seed)
        self._events += outcome.events
        self._replay_s += outcome.replay_s
        for who, counts in outcome.counts.items():
            key = (who, one.course.letter, one.second_factor, reported(one.seed))
            self._counts[key].append(counts)

    def told(self, not_run: dict[str, str], took: float) -> Quality:
        peers = sorted({who for who, *_ in self._counts} - {OURS})
        return Quality(
            profiles=self._of(OURS),
            baselines={who: self._of(who) for who in peers},
            tuning=self._of(OURS, final=False),
            second_factor=self._of(OURS, factor=True),
            second_factor_baselines={who: self._of(who, factor=True) for who in peers},
            not_run=not_run,
            seeds={
                "tuning": sorted(seed for seed in self._seeds if not reported(seed)),
                "reported": sorted(seed for seed in self._seeds if reported(seed)),
            },
            events=self._events,
            run_s=round(took, 1),
            replay_events_per_s=round(self._events / self._replay_s) if self._replay_s else 0,
        )

    def _of(self, who: str, *, factor: bool = False, final: bool = True) -> dict[str, Figures]:
        return {
            letter: figures(added(counts), len(counts))
            for (name, letter, *kind), counts in sorted(self._counts.items())
            if name == who and kind == [factor, final]
        }
