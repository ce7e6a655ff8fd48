"""One trial: traffic in, the scheduled faults while it is judged, and the verdict once drained."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from redis.exceptions import RedisError

from config.settings import load
from detectors.errors import LoginwardError

from .compare import Verdict, compare
from .customers import Customers
from .kinds import Fault, Kind
from .kinds.notify import TOLD
from .offsets import Offsets, Standing
from .pipeline import Pipeline
from .scene import POLL_S, Scene

_START = "2026-11-16T00:00:00+08:00"
_RECOVERY_S = 180.0
"""Longest that moving on again is waited for: two sessions of a group and a broker's start."""
_REREAD_A_SECOND = 100
"""Records that workers read again at least, in the small batches of a trial."""
_LAST_AT = 0.6
"""Share of the offsets by which all faults are injected: the last one too shall find work."""
_LARGE = 5000
"""Records a batch when nothing is left to disturb."""
_TOLD_BESIDE = 4
"""Customers who are told something around every fault, also of the other parts."""
_SETTLED_S = 120.0
"""How long is waited for everybody's messages once all is read."""
_DISK_BYTES = 64 * 1024 * 1024
_BYTES_AN_EVENT = 200
"""Of the small disk, more than twice what an archived event takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A trial; the same plan sends the same events and injects in the same order."""

    events: int
    kinds: tuple[Kind, ...] = ()
    each: int = 1
    seed: int = 1
    profile: str = "A+G"
    workers: int = 2
    partitions: int = 4
    shards: int = 4
    disorder_s: int = 60
    duplicates: float = 0.01
    bad: int = 200
    longest_s: float = 3600.0
    batch_records: int = 5000
    notify: bool = True
    """Whether the notifier runs, with customers who are to be told."""

    def schedule(self) -> list[Kind]:
        """Every kind so often as it is wanted, in an order of the seed.

        After a total loss everything is read again, and meanwhile nothing is told: where each comes
        once it comes last, or the faults after it find a relay and a notifier without work.
        """
        order = [kind for kind in self.kinds for _ in range(self.each)]
        random.Random(self.seed).shuffle(order)
        return sorted(order, key=lambda kind: kind.cold) if self.each == 1 else order


@dataclass(frozen=True, slots=True, kw_only=True)
class Injected:
    """One fault as it went; `recovery_s`: from its end until every partition moved on."""

    kind: str
    hit: bool
    recovery_s: float | None
    late: bool = False
    """Its effect shows at the end: there is no moment from which recovery could be counted."""

    @property
    def well(self) -> bool:
        """Whether it hit, and all went on afterwards."""
        return self.hit and (self.late or self.recovery_s is not None)


@dataclass(slots=True)
class Outcome:
    """What a trial showed."""

    verdict: Verdict
    seconds: float
    injected: list[Injected] = field(default_factory=list)
    not_run: dict[str, str] = field(default_factory=dict)


def batch_for(events: int, faults: int) -> int:
    """Records a batch such that the workers are not done before the last fault has come.

    Two workers on two cores judge about 25 batches a second, whatever their size up to some
    hundred records, and a fault with its recovery takes about 12 s.
    """
    return max(5, min(_LARGE, events // max(1, faults) // 300))


def _nobody(_units: int = 1, /) -> None:
    """Nobody watches."""


def run(
    plan: Plan,
    folder: Path,
    say: Callable[[str], None],
    advance: Callable[[], None] = _nobody,
) -> Outcome:
    """Run a trial in `folder` on servers of its own. LoginwardError where it does not end."""
    settings = {
        "LOGINWARD_REDIS_SHARDS": str(plan.shards),
        "LOGINWARD_KAFKA_PARTITIONS": str(plan.partitions),
        "LOGINWARD_DETECT_BATCH_RECORDS": str(plan.batch_records),
    }
    if not plan.notify:
        return _run(plan, folder, settings, None, say, advance)
    many = len(plan.schedule()) * (_TOLD_BESIDE + 3 * TOLD) + TOLD
    with Customers(folder / "customers", many) as customers:
        return _run(plan, folder, settings | customers.settings(), customers, say, advance)


def _run(
    plan: Plan,
    folder: Path,
    settings: dict[str, str],
    customers: Customers | None,
    say: Callable[[str], None],
    advance: Callable[[], None],
) -> Outcome:
    small = any(kind.small_disk for kind in plan.kinds)
    with Pipeline(
        folder,
        settings,
        proxied=any(kind.proxied for kind in plan.kinds),
        disk_bytes=_DISK_BYTES + plan.events * _BYTES_AN_EVENT if small else 0,
    ) as pipeline:
        kafka = load(environ=pipeline.environment).kafka
        truth = folder / "ledger.jsonl"
        say(f"sending {plan.events} events")
        send(pipeline, plan, truth)
        if customers is not None:
            customers.load(pipeline)
        scene = Scene(
            pipeline=pipeline,
            kafka=kafka,
            offsets=Offsets(kafka),
            random=random.Random(plan.seed),
            workers=plan.workers,
            shards=plan.shards,
            say=say,
            customers=customers,
        )
        course = _Course(plan, scene, advance)
        began = time.monotonic()
        course.run()
        seconds = time.monotonic() - began
        pipeline.stop()
        say("comparing with replay and ledger")
        verdict = asyncio.run(
            compare(
                pipeline,
                kafka,
                truth,
                scene.poisoned,
                customers=customers,
                cold=any(kind.cold for kind in plan.kinds),
                loses=any(kind.loses for kind in plan.kinds),
            )
        )
        return Outcome(verdict, seconds, course.injected, course.not_run)


def send(pipeline: Pipeline, plan: Plan, truth: Path) -> None:
    """All records of a plan into `logins`, before anybody reads: the order in time stays whole."""
    pipeline.run(
        *("simulate", "--to-kafka", "--profile", plan.profile, "--seed", str(plan.seed)),
        *("--events", str(plan.events), "--start", _START, "--speedup", "1e9"),
        *("--disorder", f"{plan.disorder_s}s", "--duplicates", str(plan.duplicates)),
        *("--bad", str(plan.bad), "--ledger", str(truth)),
    )


def parts(plan: Plan) -> Sequence[str]:
    """What a trial starts."""
    workers = [f"detect-{n}" for n in range(plan.workers)]
    return [*workers, "relay", "archive", *(["notify"] if plan.notify else [])]


class _Course:
    """Injects what is scheduled at even shares of the offsets, then waits until all is done."""

    def __init__(self, plan: Plan, scene: Scene, advance: Callable[[], None]) -> None:
        self._plan = plan
        self._advance = advance
        self._scene = scene
        self._deadline = time.monotonic() + plan.longest_s
        self._late: list[tuple[Kind, Fault]] = []
        self.injected: list[Injected] = []
        self.not_run: dict[str, str] = {}

    def run(self) -> None:
        for name in parts(self._plan):
            self._scene.pipeline.start(name)
        schedule = self._plan.schedule()
        for index, kind in enumerate(schedule):
            if (obstacle := kind.obstacle(self._scene.pipeline)) is not None:
                self.not_run[kind.name] = obstacle
                continue
            self._until(_LAST_AT * (index + 0.5) / len(schedule))
            self._one(kind, f"{index + 1}/{len(schedule)}")
            self._advance()
        self._hurry()
        self._until_drained()
        # A customer who is not told by then is told in the verdict.
        self._scene.wait(self._everybody_told, _SETTLED_S)
        self.injected += [
            Injected(kind=kind.name, hit=fault.hit(self._scene), recovery_s=None, late=True)
            for kind, fault in self._late
        ]

    def _hurry(self) -> None:
        """What is left is judged in large batches: small ones only gave the faults their time."""
        if self._plan.batch_records < _LARGE // 10:
            for worker in range(self._plan.workers):
                large = {"LOGINWARD_DETECT_BATCH_RECORDS": str(_LARGE)}
                self._scene.pipeline.restart(f"detect-{worker}", large)

    def _one(self, kind: Kind, place: str) -> None:
        scene, fault = self._scene, kind.make()
        scene.say(f"{place} {kind.name}: {kind.tells} (at {self._place()} offsets)")
        try:
            scene.tell(_TOLD_BESIDE)
            fault.inject(scene)
            if kind.late:
                self._late.append((kind, fault))
                return
            hit = scene.wait(lambda: fault.hit(scene), kind.patience_s)
        finally:
            fault.heal(scene)
        before = scene.offsets.now() or scene.offsets.last
        patience = _RECOVERY_S + (self._plan.events / _REREAD_A_SECOND if kind.cold else 0)
        recovery = self._told() if kind.recovers == "notify" else self._recovered(before, patience)
        self.injected.append(Injected(kind=kind.name, hit=hit, recovery_s=recovery))
        told = "not recovered" if recovery is None else f"moving on after {recovery:.1f} s"
        scene.say(f"{place} {kind.name}: {'hit' if hit else 'DID NOT HIT'}, {told}")

    def _recovered(self, before: Standing, patience_s: float) -> float | None:
        """Seconds until each partition has moved on, for the workers and the archiver."""
        began = time.monotonic()

        def moved() -> bool:
            self._revive()
            standing = self._scene.offsets.now()
            return standing is not None and standing.beyond(before, "detect", "archive")

        moved_on = self._scene.wait(moved, patience_s)
        return round(time.monotonic() - began, 2) if moved_on else None

    def _told(self) -> float | None:
        """Seconds until every customer has got what they should."""
        began, customers = time.monotonic(), self._scene.customers

        def reached() -> bool:
            self._revive()
            return customers is None or customers.settled()

        return (
            round(time.monotonic() - began, 2) if self._scene.wait(reached, _RECOVERY_S) else None
        )

    def _revive(self) -> None:
        revived = self._scene.pipeline.revive()
        if revived:
            self._scene.say(f"started again: {', '.join(revived)}")

    def _place(self) -> str:
        last = self._scene.offsets.last
        return f"{last.total('detect')} of {last.end}"

    def _until(self, share: float) -> None:
        """Wait until so much has been judged."""
        while True:
            self._within()
            self._revive()
            standing = self._scene.offsets.now()
            if standing is not None and standing.total("detect") >= share * standing.end > 0:
                return
            time.sleep(POLL_S)

    def _until_drained(self) -> None:
        """Everything read by all, nothing in an outbox or to be settled."""
        while True:
            self._within()
            self._revive()
            standing = self._scene.offsets.now()
            if standing is not None and standing.drained("detect", "archive") and self._quiet():
                return
            time.sleep(POLL_S)

    def _everybody_told(self) -> bool:
        self._revive()
        scene = self._scene
        return scene.customers is None or (scene.customers.settled() and scene.notices_drained())

    def _quiet(self) -> bool:
        try:
            return self._scene.waiting() == 0
        except (RedisError, OSError):
            return False

    def _within(self) -> None:
        if time.monotonic() > self._deadline:
            raise LoginwardError(
                f"trial: not drained after {self._plan.longest_s:.0f} s; the logs are in "
                f"{self._scene.pipeline.folder}"
            )


def as_json(outcomes: Sequence[Outcome]) -> bytes:
    """Outcomes for a file, examples of differences included."""
    return msgspec.json.format(msgspec.json.encode(list(outcomes)), indent=1)
