"""The whole benchmark: one stack, each mix filled once, contenders in turn, several times over."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median

import msgspec
import redis

from config.kafka import ensure_topics, topic_name
from config.settings import Settings, load
from deploy.embedded import Stack
from detectors.errors import LoginwardError
from detectors.pseudonyms import KEY_BYTES, Pseudonyms
from loadtest.pacing import Pace, WallClock
from loadtest.to_kafka import Target, send

from .contender import Contender, Course
from .contenders import environment
from .machine import Machine, describe
from .mixes import MIXES, START_MS, Mix, stream
from .trial import Part, Result, run

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to measure. Each repetition runs every contender once, so that a slow minute of the
    machine meets them all; `seconds` bounds one run of a slow contender.
    """

    contenders: tuple[Contender, ...]
    mixes: tuple[Mix, ...] = MIXES
    events: int = 1_000_000
    repetitions: int = 5
    seconds: float = 30.0
    left_out: dict[str, str] = field(default_factory=dict)


QUICK = ("detect", "bare", "stock_faust", "flink")
"""Whom `bench --quick` measures; Flink where it is set up."""


def quick(contenders: Sequence[Contender]) -> Plan:
    """Mix normal, the contenders of the contract, three times; below four minutes."""
    chosen = tuple(one for one in contenders if one.name in QUICK)
    left_out = {mix.name: "--quick measures mix normal alone" for mix in MIXES[1:]}
    left_out |= {one.name: "not part of --quick" for one in contenders if one not in chosen}
    return Plan(
        mixes=MIXES[:1],
        contenders=chosen,
        events=500_000,
        repetitions=3,
        seconds=10.0,
        left_out=left_out,
    )


class Process(msgspec.Struct, frozen=True, kw_only=True):
    """One process of a contender that is several: medians over the runs."""

    cpu_s: float
    rss_mb: float


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """A contender on a mix: medians over the runs. `to_detect`: its speed over that of detect."""

    events_per_s: float
    cpu_s: float
    rss_mb: float
    events_per_cpu_s: float
    lowest: float
    highest: float
    runs: list[float]
    servers_cpu_s: dict[str, float]
    to_detect: float | None
    processes: dict[str, Process] = {}
    valkey_mb: float = 0.0
    """What Valkey held at the end."""


class Bench(msgspec.Struct, frozen=True, kw_only=True):
    """The result: what ran stands in `mixes`, everything else in `not_run` with its reason."""

    machine: Machine
    events: int
    repetitions: int
    mixes: dict[str, dict[str, Measured]]
    not_run: dict[str, str]
    titles: dict[str, str] = {}


def bench(plan: Plan, tell: Tell) -> Bench:
    """Run the plan on an embedded stack of its own; `tell` hears what is going on."""
    machine = describe()
    mixes: dict[str, dict[str, Measured]] = {}
    not_run = dict(plan.left_out)
    titles = {one.name: one.title for one in plan.contenders}
    plan = replace(plan, contenders=_ready(plan.contenders, tell, not_run))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="loginward-bench-")))
        servers = Stack(folder / "stack", owned=True)
        stack.enter_context(servers)
        for mix in plan.mixes:
            arena = _Arena(servers, folder, mix, plan)
            tell(f"{mix.name}: {mix.title}; writing {plan.events} events")
            arena.fill()
            results = _measure(arena, plan, tell, not_run)
            if results:
                mixes[mix.name] = _told(results)
    return Bench(
        machine=machine,
        events=plan.events,
        repetitions=plan.repetitions,
        mixes=mixes,
        not_run=not_run,
        titles=titles,
    )


def _ready(
    contenders: Sequence[Contender], tell: Tell, not_run: dict[str, str]
) -> tuple[Contender, ...]:
    """Those that can be measured here; the others with their reason."""
    ready = []
    for one in contenders:
        try:
            one.prepare()
        except LoginwardError as failure:
            not_run[one.name] = str(failure)
            tell(f"  {failure}")
        else:
            ready.append(one)
    return tuple(ready)


class _Arena:
    """One mix: its topic, the settings under which all contenders see it, the servers' ids."""

    def __init__(self, stack: Stack, folder: Path, mix: Mix, plan: Plan) -> None:
        self.mix = mix
        self._folder = folder
        self._stack = stack
        self.environ = environment(folder / "home") | stack.endpoints.environ()
        self.environ["LOGINWARD_KAFKA_TOPIC_PREFIX"] = f"bench-{mix.name}-"
        self.settings: Settings = load(environ=self.environ)
        self.course = Course(
            settings=self.settings,
            environ=self.environ,
            topic=topic_name(self.settings.kafka, "logins"),
            events=plan.events,
            seconds=plan.seconds,
            folder=folder,
        )
        self._runs = 0

    def fill(self) -> None:
        ensure_topics(self.settings.kafka)
        pace = Pace(start_ms=START_MS, speedup=None, clock=WallClock())
        target = Target(
            kafka=self.settings.kafka,
            topic=self.course.topic,
            pseudonyms=Pseudonyms(bytes(KEY_BYTES)),
        )
        asyncio.run(send(stream(self.mix, self.course.events), target, pace))

    def fight(self, contender: Contender) -> Result:
        """One run on an empty Valkey."""
        with redis.Redis.from_url(self.settings.redis.url) as client:
            client.flushall()
        self._runs += 1
        folder = self._folder / f"{self.mix.name}-{self._runs}"
        folder.mkdir()
        try:
            course = replace(self.course, folder=folder)
            log = self._folder / f"{contender.name}.log"
            result = run(contender, course, self._servers(), log)
            return replace(result, valkey_mb=self._held_mb())
        finally:
            shutil.rmtree(folder, ignore_errors=True)  # an archive is as large as what it read

    def _held_mb(self) -> float:
        with redis.Redis.from_url(self.settings.redis.url) as client:
            return float(client.info("memory")["used_memory"]) / (1024 * 1024)

    def _servers(self) -> dict[str, int]:
        return {server.name: pid for server in self._stack.servers if (pid := server.pid)}


def _measure(
    arena: _Arena, plan: Plan, tell: Tell, not_run: dict[str, str]
) -> dict[str, list[Result]]:
    results: dict[str, list[Result]] = {}
    for repetition in range(plan.repetitions):
        for contender in plan.contenders:
            failed = f"{arena.mix.name}/{contender.name}"
            if failed in not_run:
                continue
            try:
                result = arena.fight(contender)
            except LoginwardError as failure:
                not_run[failed] = str(failure)
                results.pop(contender.name, None)
                tell(f"  {failed}: {failure}")
                continue
            results.setdefault(contender.name, []).append(result)
            tell(
                f"  {repetition + 1}/{plan.repetitions} {contender.name}: "
                f"{result.events_per_s:,.0f} events/s, {result.cpu_s:.1f} s of processor, "
                f"{result.rss_mb:.0f} MB"
            )
    return results


def _told(results: dict[str, list[Result]]) -> dict[str, Measured]:
    detect = results.get("detect")
    ours = median(result.events_per_s for result in detect) if detect else None
    return {name: _measured(runs, ours) for name, runs in results.items()}


def _measured(runs: Sequence[Result], ours: float | None) -> Measured:
    speeds = [result.events_per_s for result in runs]
    speed = median(speeds)
    names = sorted({name for result in runs for name in result.servers_cpu_s})
    return Measured(
        events_per_s=round(speed, 1),
        cpu_s=round(median(result.cpu_s for result in runs), 3),
        rss_mb=round(median(result.rss_mb for result in runs), 1),
        events_per_cpu_s=round(median(r.events / r.cpu_s if r.cpu_s else 0.0 for r in runs), 1),
        lowest=min(speeds),
        highest=max(speeds),
        runs=speeds,
        servers_cpu_s={
            name: round(median(result.servers_cpu_s.get(name, 0.0) for result in runs), 3)
            for name in names
        },
        to_detect=None if ours is None else round(speed / ours, 3),
        processes=_processes([result.parts for result in runs]),
        valkey_mb=round(median(result.valkey_mb for result in runs), 1),
    )


def _processes(runs: Sequence[dict[str, Part]]) -> dict[str, Process]:
    names = sorted({name for parts in runs for name in parts})
    return {
        name: Process(
            cpu_s=round(median(parts[name].cpu_s for parts in runs if name in parts), 3),
            rss_mb=round(median(parts[name].rss_mb for parts in runs if name in parts), 1),
        )
        for name in names
    }
