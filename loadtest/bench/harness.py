"""The whole benchmark: one stack, each mix filled once, contenders in turn, several times over."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
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

from .contenders import CONTENDERS, Contender, Course, environment
from .machine import Machine, describe
from .mixes import MIXES, START_MS, Mix, stream
from .trial import Result, run

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to measure. Each repetition runs every contender once, so that a slow minute of the
    machine meets them all; `seconds` bounds one run of a slow contender.
    """

    mixes: tuple[Mix, ...] = MIXES
    contenders: tuple[Contender, ...] = CONTENDERS
    events: int = 1_000_000
    repetitions: int = 5
    seconds: float = 30.0
    left_out: dict[str, str] = field(default_factory=dict)


def quick() -> Plan:
    """Mix normal, the three contenders of the contract, three times; below four minutes."""
    chosen = ("detect", "bare", "stock_faust")
    contenders = tuple(one for one in CONTENDERS if one.name in chosen)
    left_out = {mix.name: "--quick measures mix normal alone" for mix in MIXES[1:]}
    left_out |= {one.name: "not part of --quick" for one in CONTENDERS if one not in contenders}
    return Plan(
        mixes=MIXES[:1],
        contenders=contenders,
        events=500_000,
        repetitions=3,
        seconds=10.0,
        left_out=left_out,
    )


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


class Bench(msgspec.Struct, frozen=True, kw_only=True):
    """The result: what ran stands in `mixes`, everything else in `not_run` with its reason."""

    machine: Machine
    events: int
    repetitions: int
    mixes: dict[str, dict[str, Measured]]
    not_run: dict[str, str]


def bench(plan: Plan, tell: Tell) -> Bench:
    """Run the plan on an embedded stack of its own; `tell` hears what is going on."""
    machine = describe()
    mixes: dict[str, dict[str, Measured]] = {}
    not_run = {"flink": "not built yet"} | plan.left_out
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
    )


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
        )

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
        log = self._folder / f"{contender.name}.log"
        return run(contender, self.course, self._servers(), log)

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
    )
