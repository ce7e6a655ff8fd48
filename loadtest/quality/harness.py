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

from . import hub
from . import trial as trials
from .counts import Counts, added
from .courses import VARIANTS, Course, Variant
from .figures import Figures, figures
from .trial import OURS, Outcome, Trial

_SEEDS: Final = 20
_QUICK_S: Final = 225.0
"""When --quick has to be over: four minutes, less the start and the last trial's own spread."""

_WITHOUT: Final = {
    "--incidents": "replay has no --incidents: every alert counts as a page of its own, and "
    "takeovers only where an alert names them",
    "--verdicts": "replay has no --verdicts: stepped_up_share and notices are not measured",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to measure: seeds 1 to `seeds`, the odd ones to tune on, the even ones reported.

    `within_s`: no trial begins that would end later, going by the slowest so far.
    """

    courses: Sequence[Course]
    seeds: Sequence[int] = tuple(range(1, _SEEDS + 1))
    variants: Sequence[Variant] = VARIANTS
    workers: int = 2
    within_s: float | None = None
    not_run: dict[str, str] = field(default_factory=dict)


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of one variant, reported seeds."""

    profiles: dict[str, Figures]
    baselines: dict[str, dict[str, Figures]]


class Quality(msgspec.Struct, frozen=True, kw_only=True):
    """The result. `profiles` and `baselines` stand on the reported seeds, `tuning` on the others;
    `variants` are the same attacks under other conditions.
    """

    profiles: dict[str, Figures]
    baselines: dict[str, dict[str, Figures]]
    tuning: dict[str, Figures]
    variants: dict[str, Side]
    hub: hub.Figures | None = None
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
            if waiting and _late(plan, clock() - begun, results.slowest_s):
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
    """All trials, each profile once before the next seed: a time limit costs seeds, no profile.

    Variants are run on reported seeds alone: nothing is tuned on them.
    """
    return [
        Trial(course=course, seed=seed, variant=variant, outputs=outputs)
        for number, seed in enumerate(plan.seeds)
        for variant in (None, *(plan.variants if reported(seed) else ()))
        for course in plan.courses
        if number < course.seeds and (variant is None or course.letter in variant.letters)
    ]


def reported(seed: int) -> bool:
    """Even seeds are reported; nobody may tune on them."""
    return seed % 2 == 0


def quick_plan(courses: Sequence[Course], not_run: dict[str, str]) -> Plan:
    """One reported seed of every profile, for as long as there is time."""
    why = "--quick runs one seed a profile, in its plain form"
    return Plan(
        courses=courses,
        seeds=(2,),
        variants=(),
        within_s=_QUICK_S,
        not_run=not_run | {"tuning": why, "variants": why},
    )


def _late(plan: Plan, elapsed: float, slowest: float) -> bool:
    return plan.within_s is not None and elapsed + slowest > plan.within_s


def _too_late(waiting: list[Trial], not_run: dict[str, str]) -> None:
    for one in waiting:
        not_run[_name(one)] = "no time was left for it on this machine"
    waiting.clear()


def _name(one: Trial) -> str:
    kind = "" if one.variant is None else f" {one.variant.name}"
    return f"profiles.{one.course.letter}{kind} seed {one.seed}"


class _Results:
    def __init__(self) -> None:
        self.slowest_s = 0.0
        self._counts: dict[tuple[str, str, str, bool], list[Counts]] = defaultdict(list)
        self._seeds: set[int] = set()
        self._events = 0
        self._replay_s = 0.0

    def add(self, one: Trial, outcome: Outcome) -> None:
        self.slowest_s = max(self.slowest_s, outcome.run_s)
        self._seeds.add(one.seed)
        self._events += outcome.events
        self._replay_s += outcome.replay_s
        kind = "" if one.variant is None else one.variant.name
        for who, counts in outcome.counts.items():
            self._counts[who, one.course.letter, kind, reported(one.seed)].append(counts)

    def told(self, not_run: dict[str, str], took: float) -> Quality:
        kinds = sorted({kind for _, _, kind, _ in self._counts if kind})
        plain = self._side("")
        return Quality(
            profiles=plain.profiles,
            baselines=plain.baselines,
            tuning=self._of(OURS, "", final=False),
            variants={kind: self._side(kind) for kind in kinds},
            not_run=not_run,
            seeds={
                "tuning": sorted(seed for seed in self._seeds if not reported(seed)),
                "reported": sorted(seed for seed in self._seeds if reported(seed)),
            },
            events=self._events,
            run_s=round(took, 1),
            replay_events_per_s=round(self._events / self._replay_s) if self._replay_s else 0,
        )

    def _side(self, kind: str) -> Side:
        peers = sorted({who for who, *_ in self._counts} - {OURS})
        return Side(
            profiles=self._of(OURS, kind), baselines={who: self._of(who, kind) for who in peers}
        )

    def _of(self, who: str, kind: str, *, final: bool = True) -> dict[str, Figures]:
        return {
            letter: figures(added(counts), len(counts))
            for (name, letter, *rest), counts in sorted(self._counts.items())
            if name == who and rest == [kind, final]
        }
