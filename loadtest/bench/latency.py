"""From login to alert under a steady load, and how soon a worker that stood still has caught up."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import quantiles

import msgspec
from kafka import KafkaConsumer, TopicPartition

from config.kafka import ensure_topics, kafka_python_options, topic_name
from config.settings import Settings, load
from deploy.embedded import Stack
from detectors.errors import LoginwardError

from .contender import python
from .contenders import environment
from .judged_span import JudgedSpan
from .machine import Machine, describe
from .steady import RULE, Steady
from .watching import Watched

Tell = Callable[[str], None]

_START_S = 120.0
"""How long processes may take to judge the first login."""

_LOOK_S = 0.1
_BEHIND_S = 1.0
"""Whoever is less than this behind has caught up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`rate` logins a second for `seconds`; then detect stands still for `stop` seconds while they
    go on, and has `catch_up` seconds to catch up.
    """

    rate: int = 10_000
    seconds: float = 60.0
    stop: float = 20.0
    catch_up: float = 120.0


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """Milliseconds from the login that crosses a limit to its alert in the topic `alerts`.

    `recovered_s`: from the start of the process until it was less than a second behind, logins
    going on at the same rate; None where it did not catch up in time, or was not stopped.
    """

    machine: Machine
    rate: int
    sent_per_s: float
    alerts: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    worst_ms: float
    detect_cores: float
    stopped_s: float
    backlog: int
    recovered_s: float | None


def measure(plan: Plan, tell: Tell) -> Latency:
    """Run detect and relay on a stack of its own. Raises LoginwardError where they do not judge."""
    machine = describe()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="loginward-bench-")))
        servers = stack.enter_context(Stack(folder / "stack", owned=True))
        environ = environment(folder / "home") | servers.endpoints.environ()
        environ |= {"LOGINWARD_KAFKA_TOPIC_PREFIX": "latency-", "LOGINWARD_METRICS_PORT": "0"}
        return _Run(plan, load(environ=environ), environ, folder, tell).run(machine)


class _Run:
    def __init__(
        self, plan: Plan, settings: Settings, environ: dict[str, str], folder: Path, tell: Tell
    ) -> None:
        self._plan, self._settings, self._environ = plan, settings, environ
        self._folder, self._tell = folder, tell

    def run(self, machine: Machine) -> Latency:
        plan = self._plan
        ensure_topics(self._settings.kafka)
        span = JudgedSpan(self._settings, 1 << 62, float("inf"))
        steady = Steady(self._settings, plan.rate)
        with self._part("relay"), steady.sending():
            with self._part("detect") as detect:
                self._tell(f"{plan.rate} logins a second for {plan.seconds:.0f} s")
                # Both work: the relay has begun as well once there is an alert.
                ready = self._until(span, lambda: _any_alert(self._settings), _START_S, detect)
                if not ready:
                    raise LoginwardError(f"latency: no alert within {_START_S:.0f} s of the start")
                watched = Watched(detect.pid)
                began, sent = time.time(), steady.sent
                self._until(span, lambda: time.time() - began > plan.seconds, 1e9, detect, watched)
                ended = time.time()
                rate = (steady.sent - sent) / (ended - began)
            backlog, recovered = self._stopped(span, steady)
        span.close()
        found = sorted(_delays(self._settings, began, ended))
        if len(found) < 2:  # noqa: PLR2004 (quantiles need two)
            raise LoginwardError(f"latency: {len(found)} alerts: detect did not keep up at all")
        cuts = quantiles(found, n=100, method="inclusive")
        return Latency(
            machine=machine,
            rate=plan.rate,
            sent_per_s=round(rate, 1),
            alerts=len(found),
            p50_ms=round(cuts[49], 1),
            p95_ms=round(cuts[94], 1),
            p99_ms=round(cuts[98], 1),
            worst_ms=found[-1],
            detect_cores=round(watched.cpu_between(began, ended) / (ended - began), 3),
            stopped_s=plan.stop,
            backlog=backlog,
            recovered_s=recovered,
        )

    def _stopped(self, span: JudgedSpan, steady: Steady) -> tuple[int, float | None]:
        """Detect is stopped already: how far behind it came, and how long it takes to catch up."""
        plan = self._plan
        if not plan.stop:
            return 0, None
        self._tell(f"detect stands still for {plan.stop:.0f} s")
        time.sleep(plan.stop)
        backlog = steady.sent - span.covered
        began = time.time()
        with self._part("detect") as detect:
            allowed = _BEHIND_S * plan.rate
            caught = self._until(
                span, lambda: steady.sent - span.covered < allowed, plan.catch_up, detect
            )
        return backlog, round(time.time() - began, 1) if caught else None

    def _until(
        self,
        span: JudgedSpan,
        true: Callable[[], bool],
        within: float,
        process: subprocess.Popen[bytes],
        watched: Watched | None = None,
    ) -> bool:
        """Follow what is judged until it is so; whether it came to be so in time."""
        until = time.monotonic() + within
        while time.monotonic() < until:
            span.look()
            if watched is not None:
                watched.sample()
            if true():
                return True
            if process.poll() is not None:
                raise LoginwardError(f"latency: detect ended with {process.returncode}")
            time.sleep(_LOOK_S)
        return False

    @contextmanager
    def _part(self, part: str) -> Iterator[subprocess.Popen[bytes]]:
        with (self._folder / f"{part}.log").open("ab") as log:
            process = subprocess.Popen(
                python("loginward_cli", "run", part), env=self._environ, stdout=log, stderr=log
            )
            try:
                yield process
            finally:
                process.terminate()
                try:
                    process.wait(30)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


def _any_alert(settings: Settings) -> bool:
    consumer, places = _alerts(settings)
    with closing(consumer):
        return any(consumer.end_offsets(places).values())


def _alerts(settings: Settings) -> tuple[KafkaConsumer, list[TopicPartition]]:
    topic = topic_name(settings.kafka, "alerts")
    consumer = KafkaConsumer(**kafka_python_options(settings.kafka), enable_auto_commit=False)
    places = [TopicPartition(topic, number) for number in range(settings.kafka.partitions)]
    consumer.assign(places)
    return consumer, places


class _Told(msgspec.Struct, frozen=True):
    alert_id: str
    rule: str
    opened_at: datetime


def _delays(settings: Settings, began: float, ended: float) -> Iterator[float]:
    """For each alert opened in that time: from its crossing until its record was written (ms)."""
    consumer, places = _alerts(settings)
    ends = consumer.end_offsets(places)
    consumer.seek_to_beginning(*places)
    first: dict[str, tuple[float, float]] = {}
    while any(consumer.position(place) < ends[place] for place in places):
        for records in consumer.poll(timeout_ms=500).values():
            for record in records:
                told = msgspec.json.decode(record.value, type=_Told)
                opened = told.opened_at.timestamp()
                if told.rule == RULE and began <= opened < ended:
                    known = first.setdefault(told.alert_id, (record.timestamp, opened))
                    first[told.alert_id] = min(known, (record.timestamp, opened))
    consumer.close()
    for written, opened in first.values():
        yield round(written - opened * 1000, 1)
