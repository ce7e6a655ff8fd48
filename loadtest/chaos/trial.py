"""One trial: traffic in, faults at chosen shares of the offsets, and the verdict once drained."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from redis import Redis

from config.kafka import group_name, topic_name
from config.settings import KafkaSettings, load
from detectors.errors import LoginwardError

from .compare import Verdict, compare
from .pipeline import Pipeline
from .topics import progress

_POLL_S = 0.5
_START = "2026-11-16T00:00:00+08:00"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Kill -9 of `target` (detect-<n>, relay, archive, valkey, kafka) at a share of the offsets."""

    at: float
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A trial; the same plan sends the same events."""

    events: int
    seed: int = 1
    profile: str = "A+G"
    workers: int = 2
    partitions: int = 4
    shards: int = 4
    disorder_s: int = 60
    duplicates: float = 0.01
    bad: int = 200
    faults: tuple[Fault, ...] = ()
    longest_s: float = 3600.0
    batch_records: int = 5000
    failpoints: str = ""
    """Where the first worker kills itself on its first run (config/failpoints.py)."""


@dataclass(slots=True)
class Outcome:
    """What a trial showed; `recovery_s`: for each fault, seconds until offsets moved on again."""

    verdict: Verdict
    seconds: float
    hits: int
    recovery_s: list[float] = field(default_factory=list)


def run(plan: Plan, folder: Path, say: Callable[[str], None]) -> Outcome:
    """Run a trial in `folder` on servers of its own. LoginwardError where it does not end."""
    settings = {
        "LOGINWARD_REDIS_SHARDS": str(plan.shards),
        "LOGINWARD_KAFKA_PARTITIONS": str(plan.partitions),
        "LOGINWARD_DETECT_BATCH_RECORDS": str(plan.batch_records),
    }
    with Pipeline(folder, settings) as pipeline:
        kafka = load(environ=pipeline.environment).kafka
        truth = folder / "ledger.jsonl"
        say(f"sending {plan.events} events")
        _send(pipeline, plan, truth)
        began = time.monotonic()
        for name in _parts(plan):
            pipeline.start(name, failpoints=plan.failpoints if name == "detect-0" else "")
        watch = _Watch(pipeline, kafka, plan, say)
        watch.until_drained()
        seconds = time.monotonic() - began
        pipeline.stop(["archive"])
        say("comparing with replay and ledger")
        verdict = asyncio.run(compare(pipeline, kafka, truth))
        return Outcome(verdict, seconds, watch.hits, watch.recovery_s)


def _send(pipeline: Pipeline, plan: Plan, truth: Path) -> None:
    pipeline.run(
        *("simulate", "--to-kafka", "--profile", plan.profile, "--seed", str(plan.seed)),
        *("--events", str(plan.events), "--start", _START, "--speedup", "1e9"),
        *("--disorder", f"{plan.disorder_s}s", "--duplicates", str(plan.duplicates)),
        *("--bad", str(plan.bad), "--ledger", str(truth)),
    )


def _parts(plan: Plan) -> Sequence[str]:
    return [*(f"detect-{n}" for n in range(plan.workers)), "relay", "archive"]


class _Watch:
    """Follows the committed offsets, injects faults on its way, and knows when all is done."""

    def __init__(
        self, pipeline: Pipeline, kafka: KafkaSettings, plan: Plan, say: Callable[[str], None]
    ) -> None:
        self._pipeline = pipeline
        self._kafka = kafka
        self._plan = plan
        self._say = say
        self._due = sorted(plan.faults, key=lambda fault: fault.at)
        self._waiting: list[tuple[float, int]] = []
        self.hits = 0
        self.recovery_s: list[float] = []

    def until_drained(self) -> None:
        deadline = time.monotonic() + self._plan.longest_s
        while time.monotonic() < deadline:
            done, total = self._progress("detect")
            self._recovered(done)
            while self._due and total and done >= self._due[0].at * total:
                self._inject(self._due.pop(0), done)
            revived = self._pipeline.revive()
            if revived:
                self._say(f"started again: {', '.join(revived)}")
            if total and done == total and not self._due and self._quiet():
                return
            time.sleep(_POLL_S)
        raise LoginwardError(
            f"trial: not drained after {self._plan.longest_s:.0f} s; the logs are in "
            f"{self._pipeline.folder}"
        )

    def _progress(self, part: str) -> tuple[int, int]:
        topic = topic_name(self._kafka, "logins")
        return asyncio.run(progress(self._kafka, topic, group_name(self._kafka, part)))

    def _inject(self, fault: Fault, done: int) -> None:
        self._say(f"kill -9 {fault.target} at {done} offsets")
        stack = self._pipeline.stack
        if fault.target == "valkey":
            stack.kill_valkey()
            stack.start_valkey()
        elif fault.target == "kafka":
            stack.kill_kafka()
            stack.start_kafka()
        else:
            self._pipeline.kill(fault.target)
            self._pipeline.start(fault.target)
        self.hits += 1
        self._waiting.append((time.monotonic(), done))

    def _recovered(self, done: int) -> None:
        now = time.monotonic()
        self.recovery_s += [round(now - at, 2) for at, then in self._waiting if done > then]
        self._waiting = [(at, then) for at, then in self._waiting if done <= then]

    def _quiet(self) -> bool:
        """Nothing waits in an outbox or to be settled, and the archive has read everything."""
        client = Redis.from_url(self._pipeline.stack.endpoints.redis_url)
        waiting = sum(
            int(client.xlen(f"o:{{{n:03d}}}")) + int(client.zcard(f"u:{{{n:03d}}}"))
            for n in range(self._plan.shards)
        )
        client.close()
        if waiting:
            return False
        done, total = self._progress("archive")
        return done >= total


def as_json(outcomes: Sequence[Outcome]) -> bytes:
    """Outcomes for a file, examples of differences included."""
    return msgspec.json.format(msgspec.json.encode(list(outcomes)), indent=1)
