"""Is this process alive, is it ready: asked by `/healthz` and `/readyz`, and by the process itself.

A part beats where its work goes on. What beats too seldom is stale: first the page says so, and
after a bounded time the process ends (exit code 70), so that a supervisor starts it anew. Nothing
is lost by that: what is not acknowledged is read again.
"""

from __future__ import annotations

import itertools
import os
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta
from socketserver import ThreadingMixIn
from typing import Any, Final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import msgspec
from prometheus_client import CollectorRegistry, make_wsgi_app

from detectors.errors import LoginwardError

from .sections import MetricsSettings

EXIT_STALE: Final = 70
UNWELL_AFTER: Final = timedelta(seconds=30)
"""A beat this old makes a part unwell: a batch, a fetch or a page takes seconds, not this."""


class Vitals:
    """What a part says of itself; `clock` counts seconds. Safe to use from several threads."""

    def __init__(self, part: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.part = part
        self._clock = clock
        self._beats: dict[str, float] = {}
        self._unready: dict[str, str] = {}
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)

    def beat(self, what: str) -> None:
        """`what` goes on; from the first beat on it must."""
        with self._lock:
            self._beats[what] = self._clock()

    def rest(self, what: str) -> None:
        """`what` has nothing to do, and owes no beat."""
        with self._lock:
            self._beats.pop(what, None)

    def unready(self, what: str, why: str) -> None:
        """The part cannot do its work yet, or not now."""
        with self._lock:
            self._unready[what] = why

    def ready(self, what: str) -> None:
        """`what` is in order."""
        with self._lock:
            self._unready.pop(what, None)

    def during(self, what: str, work: Callable[..., Awaitable[Any]]) -> Any:
        """`work`, which must end: a beat at its begin, rest at its end; several at once."""

        async def watched(*arguments: Any) -> None:
            one = f"{what} {next(self._numbers)}"
            self.beat(one)
            await work(*arguments)
            self.rest(one)

        return watched

    async def pulse(self, what: str = "event loop") -> None:
        """Beat for as long as the event loop turns."""
        import asyncio  # noqa: PLC0415 (the page alone needs none)

        while True:
            self.beat(what)
            await asyncio.sleep(1.0)

    def stale(self, after: timedelta) -> dict[str, float]:
        """What has not beaten for `after`, and for how many seconds."""
        now = self._clock()
        with self._lock:
            return {
                what: round(now - at, 1)
                for what, at in sorted(self._beats.items())
                if now - at > after.total_seconds()
            }

    def health(self) -> tuple[bool, dict[str, Any]]:
        """Whether everything beats, and why not."""
        late = self.stale(UNWELL_AFTER)
        reasons = [f"{what}: nothing for {seconds:.0f} s" for what, seconds in late.items()]
        return not late, {"part": self.part, "healthy": not late, "reasons": reasons}

    def readiness(self) -> tuple[bool, dict[str, Any]]:
        """Whether it is alive and can work, and why not."""
        _, told = self.health()
        with self._lock:
            waiting = [f"{what}: {why}" for what, why in sorted(self._unready.items())]
        reasons = [*told["reasons"], *waiting]
        return not reasons, {"part": self.part, "ready": not reasons, "reasons": reasons}


def pages(vitals: Vitals, registry: CollectorRegistry) -> WSGIApplication:
    """`/healthz` and `/readyz` (200 or 503, JSON with reasons), and metrics everywhere else."""
    metrics: WSGIApplication = make_wsgi_app(registry)
    asked = {"/healthz": vitals.health, "/readyz": vitals.readiness}

    def answer(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        ask = asked.get(environ["PATH_INFO"])
        if ask is None:
            return metrics(environ, start)
        good, told = ask()
        body = msgspec.json.encode(told) + b"\n"
        status = "200 OK" if good else "503 Service Unavailable"
        start(status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]

    return answer


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 (the base's name)
        """Nothing: a probe a second is no news."""


def serve(at: MetricsSettings, vitals: Vitals, registry: CollectorRegistry) -> None:
    """Answer on `metrics.host`:`metrics.port`, and end the process when it is stale for long.

    Port 0: no page. Raises LoginwardError where the port cannot be had.
    """
    _Guard(vitals, at.stale_after).start()
    if not at.port:
        return
    try:
        server = make_server(at.host, at.port, pages(vitals, registry), _Server, _Quiet)
    except OSError as failure:
        raise LoginwardError(
            f"metrics.port: {at.host}:{at.port}: {failure.strerror}; give each process a port of "
            "its own (LOGINWARD_METRICS_PORT), or 0 for none"
        ) from None
    threading.Thread(target=server.serve_forever, name="pages", daemon=True).start()


class _Guard(threading.Thread):
    """Ends a process that stands still: one that holds its partitions is worse than none."""

    def __init__(self, vitals: Vitals, after: timedelta) -> None:
        super().__init__(name="stale-guard", daemon=True)
        self._vitals = vitals
        self._after = after

    def run(self) -> None:
        """Look every second."""
        while not (late := self._vitals.stale(self._after)):
            time.sleep(1.0)
        told = ", ".join(f"{what} for {seconds:.0f} s" for what, seconds in late.items())
        sys.stderr.write(f"{self._vitals.part}: stale, ending to be started again: {told}\n")
        sys.stderr.flush()
        os._exit(EXIT_STALE)
