"""One contender, one run: started, watched until it has read everything, and stopped."""

from __future__ import annotations

import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from detectors.errors import LoginwardError, escaped

from .contender import Contender, Course, Start
from .report import Span
from .watching import Watched

_LOOK_EVERY_S = 0.05
_STOP_S = 30.0
_TAIL = 2_000


@dataclass(frozen=True, slots=True)
class Part:
    """One process of a contender: processor seconds in the span, and its largest memory."""

    cpu_s: float
    rss_mb: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one run came to. `servers_cpu_s` is what Kafka and Valkey spent in the same span;
    `parts` is processor time and memory of each process, where a contender is several.
    """

    events: int
    seconds: float
    events_per_s: float
    cpu_s: float
    rss_mb: float
    servers_cpu_s: dict[str, float]
    parts: dict[str, Part]
    valkey_mb: float = 0.0


def run(contender: Contender, course: Course, servers: dict[str, int], log: Path) -> Result:
    """Run a contender once. Raises LoginwardError with the end of its log where it fails."""
    start = contender.start(course)
    watched = {name: Watched(pid) for name, pid in servers.items()}
    try:
        with log.open("wb") as errors:
            process = subprocess.Popen(
                start.command,
                env=course.environ | dict(start.environ),
                stdin=subprocess.DEVNULL,
                stdout=errors if start.spy else subprocess.PIPE,
                stderr=errors,
            )
            mine = Watched(process.pid)
            try:
                span = _follow(start, process, [mine, *watched.values()], course.seconds)
            finally:
                _stop(process)
    finally:
        if start.spy is not None:
            start.spy.close()
    if span is None:
        raise LoginwardError(f"{contender.name}: gave no result; its log ends: {_end(log)}")
    return Result(
        events=span.events,
        seconds=round(span.ended - span.began, 3),
        events_per_s=round(span.per_second, 1),
        cpu_s=round(mine.cpu_between(span.began, span.ended), 3),
        rss_mb=round(mine.peak_mb(), 1),
        servers_cpu_s={
            name: round(server.cpu_between(span.began, span.ended), 3)
            for name, server in watched.items()
        },
        parts={
            name: Part(round(part.cpu_between(span.began, span.ended), 3), round(part.peak_mb(), 1))
            for name, part in mine.parts.items()
        },
    )


def _follow(
    start: Start, process: subprocess.Popen[bytes], watched: list[Watched], seconds: float
) -> Span | None:
    """Watch until there is a span; None where the process ends, or takes too long, without one."""
    until = time.monotonic() + seconds + start.grace_s
    while time.monotonic() < until:
        for one in watched:
            one.sample()
        if start.spy is not None and (span := start.spy.look()) is not None:
            for one in watched:
                one.sample()
            return span
        if process.poll() is not None:
            break
        time.sleep(_LOOK_EVERY_S)
    if start.spy is not None:
        return start.spy.look()  # what it did last
    if process.poll() != 0 or process.stdout is None:
        return None
    try:
        return start.span(process.stdout.read())
    except ValueError:
        return None


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _end(log: Path) -> str:
    with log.open("rb") as lines:
        lines.seek(max(0, log.stat().st_size - _TAIL))
        return escaped(lines.read().decode("utf-8", "replace").strip(), _TAIL)
