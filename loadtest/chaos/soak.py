"""A soak: logins at a steady rate, a fault now and then, and whether anything grows meanwhile."""

from __future__ import annotations

import random
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from redis.exceptions import RedisError

from config.settings import load
from detectors.errors import LoginwardError

from .customers import Customers
from .kinds import KINDS, Fault, Kind
from .offsets import Offsets
from .pipeline import Pipeline
from .scene import POLL_S, Scene
from .slopes import WARM_UP_S, Growth

FAULTS = (
    "kill_detect",
    "kill_valkey",
    "cut_kafka",
    "kill_notify",
    "kill_kafka",
    "kill_archive",
    "lost_replies_valkey",
    "kill_relay",
    "cut_valkey",
    "rebalance_storm",
    "provider_500",
    "slow_valkey",
)
"""What is broken, one after another in an order of the seed. None that loses state: what is built
up again grows, and that would hide what should not."""
JUDGED_FROM_MINUTES = 20.0
"""Shorter runs tell their slopes and do not judge them: caches still fill."""
_SAMPLE_S = 5.0
_TOLD = 4
_DRAIN_S = 120.0
_MIB = 1024 * 1024
_WORKERS, _SHARDS, _PARTITIONS = 2, 4, 4
PARTS = (*(f"detect-{n}" for n in range(_WORKERS)), "relay", "archive", "notify")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """From which growth in an hour on a soak fails. Figures without noise would be 0.

    `rss_share`: of a process's memory. `valkey_bytes`: of Valkey's memory for each login: what is
    remembered of customers and subjects lasts longer than an hour, so it may grow, but not freely
    (an attempt is 16 bytes in each of its logs, a success half a KiB with device and places).
    """

    rss_share: float = 0.2
    handles: float = 10.0
    connections: float = 5.0
    valkey_bytes: float = 1024.0
    lag_s: float = 180.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SoakPlan:
    """How long, how many logins a second, and a fault every so many seconds."""

    minutes: float
    rate: float
    every_s: float = 300.0
    seed: int = 1
    limits: Limits = field(default_factory=Limits)

    @property
    def warm_up_s(self) -> float:
        """Of each life, shorter where the whole is."""
        return min(WARM_UP_S, self.minutes * 60 / 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure. `per_hour` None: too short to tell; `limit` None: told, not judged."""

    name: str
    last: float
    most: float
    per_hour: float | None
    limit: float | None = None

    @property
    def well(self) -> bool:
        """Whether it stays within its limit."""
        return self.limit is None or self.per_hour is None or self.per_hour <= self.limit


@dataclass(slots=True)
class Soaked:
    """What a soak showed."""

    rows: list[Row] = field(default_factory=list)
    faults: list[tuple[str, bool]] = field(default_factory=list)
    most_lag: int = 0
    lag_left: int = 0
    sent: int = 0
    customers_lost: int = 0
    customers_doubled: int = 0
    lag_limit: float = 0.0
    traffic: int | None = 0
    """How the sender of logins ended; None: not in time."""

    @property
    def findings(self) -> list[str]:
        """What is wrong, in words; empty where nothing is."""
        found = [
            f"{row.name} grows by {row.per_hour:.1f} an hour, more than {row.limit:.1f}"
            for row in self.rows
            if not row.well
        ]
        found += [f"{name} did not hit" for name, hit in self.faults if not hit]
        if self.traffic is None:
            found.append("logins were still being sent after the end")
        elif self.traffic:
            found.append(f"logins were not sent to the end: their sender left with {self.traffic}")
        if self.most_lag > self.lag_limit:
            found.append(f"lag came to {self.most_lag} logins, more than {self.lag_limit:.0f}")
        if self.lag_left:
            found.append(f"{self.lag_left} logins still wait at the end")
        if self.customers_lost or self.customers_doubled:
            found.append(
                f"{self.customers_lost} messages to customers lost, "
                f"{self.customers_doubled} doubled"
            )
        return found


class _Busy(Scene):
    """Logins go on coming, so there is always work to disturb."""

    def loaded(self) -> bool:
        return True


def run(plan: SoakPlan, folder: Path, say: Callable[[str], None]) -> Soaked:
    """Soak in `folder` on servers of its own; ends by itself."""
    settings = {
        "LOGINWARD_REDIS_SHARDS": str(_SHARDS),
        "LOGINWARD_KAFKA_PARTITIONS": str(_PARTITIONS),
        "LOGINWARD_ARCHIVE_SEGMENT_INTERVAL": "30s",
    }
    faults = int(plan.minutes * 60 // plan.every_s) + 1
    with Customers(folder / "customers", faults * 100) as customers:
        settings |= customers.settings()
        with Pipeline(folder, settings, proxied=True) as pipeline:
            customers.load(pipeline)
            kafka = load(environ=pipeline.environment).kafka
            scene = _Busy(
                pipeline=pipeline,
                kafka=kafka,
                offsets=Offsets(kafka),
                random=random.Random(plan.seed),
                workers=_WORKERS,
                shards=_SHARDS,
                say=say,
                customers=customers,
            )
            return _Course(plan, scene, customers).run()


class _Course:
    def __init__(self, plan: SoakPlan, scene: Scene, customers: Customers) -> None:
        self._plan = plan
        self._scene = scene
        self._customers = customers
        self._began = time.monotonic()
        self._sampled = 0.0
        self._figures: dict[str, Growth] = {}
        self._soaked = Soaked(lag_limit=plan.limits.lag_s * plan.rate)

    def run(self) -> Soaked:
        for name in PARTS:
            self._scene.pipeline.start(name)
        with self._traffic() as traffic:
            self._began = time.monotonic()
            ends, next_fault = self._plan.minutes * 60, self._plan.every_s
            kinds = self._kinds()
            while (now := time.monotonic() - self._began) < ends:
                self._scene.pipeline.revive()
                self._look()
                # The last one gets the time in which all should be well again.
                if now >= next_fault and now < ends - min(60.0, self._plan.every_s / 2):
                    self._one(next(kinds))
                    next_fault += self._plan.every_s
                time.sleep(POLL_S)
            with suppress(subprocess.TimeoutExpired):
                traffic.wait(timeout=_DRAIN_S)
            self._soaked.traffic = traffic.poll()
        self._scene.wait(self._drained, _DRAIN_S)
        return self._told()

    def _kinds(self) -> Iterator[Kind]:
        while True:
            order = list(FAULTS)
            self._scene.random.shuffle(order)
            yield from (KINDS[name] for name in order)

    def _one(self, kind: Kind) -> None:
        scene, fault = self._scene, kind.make()
        scene.say(f"{kind.name}: {kind.tells}")
        try:
            scene.tell(_TOLD)
            fault.inject(scene)
            hit = scene.wait(lambda: self._hit(fault), kind.patience_s)
        finally:
            fault.heal(scene)
        self._soaked.faults.append((kind.name, hit))

    def _hit(self, fault: Fault) -> bool:
        self._look()
        return fault.hit(self._scene)

    @contextmanager
    def _traffic(self) -> Iterator[subprocess.Popen[bytes]]:
        seconds = self._plan.minutes * 60
        process = self._scene.pipeline.command(
            "traffic",
            *("simulate", "--to-kafka", "--profile", "A+G", "--seed", str(self._plan.seed)),
            *("--rate", str(self._plan.rate), "--duration", f"{seconds:.0f}s"),
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    def _look(self) -> None:
        """A sample, where it is time for one."""
        now = time.monotonic()
        if now - self._sampled < _SAMPLE_S:
            return
        self._sampled = now
        for name, pid in self._scene.pipeline.pids().items():
            self._sample(name, pid, now)
        self._sample_valkey(now)
        standing = self._scene.offsets.now()
        if standing is not None:
            lag = standing.end - standing.total("detect")
            self._soaked.most_lag = max(self._soaked.most_lag, lag)
            self._add("lag", "all", now, lag)
            self._soaked.sent = standing.end

    def _sample(self, name: str, pid: int, now: float) -> None:
        try:
            process = psutil.Process(pid)
            with process.oneshot():
                rss, handles = process.memory_info().rss, process.num_fds()
                connections = len(process.net_connections(kind="tcp"))
        except psutil.Error:
            return
        self._add(f"{name} rss_mib", pid, now, rss / _MIB)
        self._add(f"{name} handles", pid, now, handles)
        self._add(f"{name} connections", pid, now, connections)

    def _sample_valkey(self, now: float) -> None:
        client = self._scene.redis()
        try:
            told = client.info()
            self._add("valkey memory_mib", "all", now, told["used_memory"] / _MIB)
            self._add("valkey connections", "all", now, told["connected_clients"])
        except (RedisError, OSError):
            return
        finally:
            client.close()

    def _add(self, figure: str, life: object, now: float, value: float) -> None:
        self._figures.setdefault(figure, Growth()).add(life, now, value)

    def _drained(self) -> bool:
        self._scene.pipeline.revive()
        self._look()
        standing = self._scene.offsets.now()
        return (
            standing is not None
            and standing.drained("detect", "archive")
            and self._customers.settled()
        )

    def _told(self) -> Soaked:
        standing = self._scene.offsets.now() or self._scene.offsets.last
        got = self._customers.got()
        soaked = self._soaked
        soaked.sent = standing.end
        soaked.lag_left = standing.end - standing.total("detect")
        soaked.customers_lost, soaked.customers_doubled = got.lost, got.doubled
        judged = self._plan.minutes >= JUDGED_FROM_MINUTES
        for name, growth in sorted(self._figures.items()):
            soaked.rows.append(
                Row(
                    name=name,
                    last=growth.last,
                    most=growth.most,
                    per_hour=growth.per_hour(self._plan.warm_up_s),
                    limit=self._limit(name, growth) if judged else None,
                )
            )
        return soaked

    def _limit(self, name: str, growth: Growth) -> float | None:
        limits, what = self._plan.limits, name.rpartition(" ")[2]
        return {
            "rss_mib": growth.last * limits.rss_share,
            "handles": limits.handles,
            "connections": limits.connections,
            "memory_mib": limits.valkey_bytes * self._plan.rate * 3600 / _MIB,
        }.get(what)


def checked(plan: SoakPlan) -> SoakPlan:
    """The plan. Raises LoginwardError where no fault would fit into it."""
    if plan.every_s > plan.minutes * 60:
        raise LoginwardError(
            f"--every: {plan.every_s:.0f}s is longer than the soak of {plan.minutes:g} minutes; "
            "write a shorter one, e.g. 20s"
        )
    return plan
