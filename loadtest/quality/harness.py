"""All runs of a measurement, a few at a time, and the figures they come to."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from detectors.errors import LoginwardError

from . import apart
from . import trial as trials
from .courses import VARIANTS, Course, Variant
from .kept import Kept, code
from .pace import Pace, Standing
from .result import Quality, Results, reported
from .trial import Outcome, Trial

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

    `jobs` runs at a time, each in processes of its own. What lies in the folder `keep` is taken
    from there, and what is run is kept in it. `within_s`: no run begins that would end later,
    going by the slowest so far.
    """

    courses: Sequence[Course]
    seeds: Sequence[int] = tuple(range(1, _SEEDS + 1))
    variants: Sequence[Variant] = VARIANTS
    jobs: int = field(default_factory=lambda: len(os.sched_getaffinity(0)))
    keep: Path | None = None
    within_s: float | None = None
    not_run: dict[str, str] = field(default_factory=dict)


def measure(
    plan: Plan,
    tell: Callable[[Standing], None] = lambda _: None,
    clock: Callable[[], float] = time.monotonic,
) -> Quality:
    """Run the plan, each run in a process of its own; `tell` hears of each one's end.

    Raises LoginwardError where the code changes meanwhile: figures of two versions are none.
    """
    return _Measuring(plan, tell, clock).measured()


class _Measuring:
    def __init__(
        self, plan: Plan, tell: Callable[[Standing], None], clock: Callable[[], float]
    ) -> None:
        self._plan = plan
        self._tell = tell
        self._clock = clock
        outputs = trials.supported()
        self._not_run = dict(plan.not_run)
        self._not_run |= {name[2:]: why for name, why in _WITHOUT.items() if name not in outputs}
        self._code = code()
        self._kept = None if plan.keep is None else Kept(plan.keep, self._code)
        self._waiting = laid_out(plan, outputs)
        self._pace = Pace(self._waiting, plan.jobs)
        self._results = Results()

    def measured(self) -> Quality:
        begun = self._clock()
        self._take_kept()
        with ThreadPoolExecutor(self._plan.jobs) as pool:
            running: dict[Future[Outcome], Trial] = {}
            while self._waiting or running:
                if self._waiting and self._late(self._clock() - begun):
                    self._too_late()
                while self._waiting and len(running) < self._plan.jobs:
                    one = self._waiting.pop(0)
                    running[pool.submit(apart.run, one)] = one
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    self._ended(running.pop(future), future)
        return self._results.told(self._not_run, self._clock() - begun)

    def _take_kept(self) -> None:
        """What an earlier call has measured."""
        for one in list(self._waiting if self._kept else ()):
            outcome = self._kept.of(one) if self._kept else None
            if outcome is not None:
                self._waiting.remove(one)
                self._results.add(one, outcome, kept=True)
                self._tell(self._pace.ended(one, _name(one), None))

    def _ended(self, one: Trial, future: Future[Outcome]) -> None:
        took = 0.0
        try:
            outcome = future.result()
        except LoginwardError as failure:
            self._not_run[_name(one)] = str(failure)
        else:
            self._check()
            took = outcome.run_s
            self._results.add(one, outcome)
            if self._kept:
                self._kept.put(one, outcome)
        self._tell(self._pace.ended(one, _name(one), took))

    def _check(self) -> None:
        if code() != self._code:
            raise LoginwardError(
                "quality: detectors, limits or simulator changed while they were measured; measure "
                "in a checkout that nobody edits (what is kept stays, under the code it ran with)"
            )

    def _late(self, elapsed: float) -> bool:
        within = self._plan.within_s
        return within is not None and elapsed + self._results.slowest_s > within

    def _too_late(self) -> None:
        for one in self._waiting:
            self._not_run[_name(one)] = "no time was left for it on this machine"
        self._waiting.clear()


def laid_out(plan: Plan, outputs: tuple[str, ...]) -> list[Trial]:
    """All runs, each profile once before the next seed: a time limit costs seeds, no profile.

    Variants are run on reported seeds alone: nothing is tuned on them.
    """
    return [
        Trial(course=course, seed=seed, variant=variant, outputs=outputs)
        for number, seed in _numbered(plan.seeds)
        for variant in (None, *(plan.variants if reported(seed) else ()))
        for course in plan.courses
        if number < (course.reported if reported(seed) else course.tuned)
        and (variant is None or (course.letter in variant.letters and number < variant.seeds))
    ]


def _numbered(seeds: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Each seed with how many of its half came before."""
    before = Counter[bool]()
    for seed in seeds:
        yield before[reported(seed)], seed
        before[reported(seed)] += 1


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


def _name(one: Trial) -> str:
    kind = "" if one.variant is None else f" {one.variant.name}"
    return f"profiles.{one.course.letter}{kind} seed {one.seed}"
