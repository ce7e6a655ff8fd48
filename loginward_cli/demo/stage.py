"""Everything that runs during a demo, and the loop that watches over it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import structlog

from config.settings import Settings
from console.live import LiveFeed
from console.live_lines import clock
from console.live_view import Surroundings
from console.picture import Picture
from deploy.embedded import Stack, StackError
from detectors.errors import LoginwardError
from detectors.pseudonyms import Pseudonyms

from .children import Children
from .folder import DemoFolder
from .options import Options
from .places import commands, places
from .show import REFRESH_S, Show
from .signals import Ending
from .telling import Telling
from .traffic import Sent, Traffic

READY_WITHIN_S = 90.0
"""Seven processes start at once; on two slow cores that takes some 20 s."""

_SERVERS_EVERY_S = 2.0

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Marks:
    """When things came to pass: wall time, seconds since 1970; 0 for not yet."""

    started: float = field(default_factory=lambda: psutil.Process().create_time())
    stack: float = 0.0
    ready: float = 0.0

    def since_start(self, at: float | None = None) -> float:
        """Seconds from the start of the command to `at` (now)."""
        return round((time.time() if at is None else at) - self.started, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """The running parts of one demo."""

    options: Options
    folder: DemoFolder
    settings: Settings
    pseudonyms: Pseudonyms
    servers: Stack
    children: Children
    feed: LiveFeed
    traffic: Traffic
    telling: Telling
    marks: Marks
    home: Path
    before: int
    """Records of `logins` that an earlier demo left, with --keep."""

    def watch(self, show: Show, ending: Ending) -> None:
        """Show what happens until the time is over or Ctrl-C. Raises LoginwardError."""
        looked = time.monotonic()
        while not ending.asked.wait(REFRESH_S) and not self._over():
            self.children.check()
            self.traffic.check()
            picture = self.feed.picture()
            if not self.marks.ready and self.telling.ready and self._ready(picture):
                self.marks.ready = time.time()
                self.traffic.attack()
                ending.gently()
            show(picture, self._around(picture), self.marks.since_start())
            if time.monotonic() - looked > _SERVERS_EVERY_S:
                self._tend_servers()
                looked = time.monotonic()

    def _over(self) -> bool:
        ready = self.marks.ready
        return bool(ready) and time.time() - ready > self.options.bound

    def _ready(self, picture: Picture) -> bool:
        """Whether the pipeline judges new logins, and hardly an old one waits."""
        if time.time() - self.marks.stack > READY_WITHIN_S:
            raise LoginwardError(
                f"the pipeline has judged nothing within {READY_WITHIN_S:.0f} s; read the logs in "
                f"{self.folder.logs}"
            )
        new = picture.counts.read - self.before
        return new > 0 and picture.lag <= new

    def _tend_servers(self) -> None:
        """A server that was killed is started again; the pipeline waits and loses nothing."""
        for server in self.servers.servers:
            if server.pid is None:
                log.warning("server ended", server=server.name)
                try:
                    server.start(same_ports=True)
                except StackError as failure:
                    raise LoginwardError(str(failure)) from None

    def _around(self, picture: Picture) -> Surroundings:
        sent = self.traffic.sent
        endpoints = self.servers.endpoints
        caught = [row.address for row in picture.addresses if row.severity]
        return Surroundings(
            title=f"loginward demo {clock(self.marks.since_start())} ",
            phase=self._phase(sent),
            hint=self._hint(),
            alarmed=sent.attack_on,
            logins=self.options.events,
            parts=[(child.name, child.state) for child in self.children.all],
            places=places(
                self.folder,
                endpoints.kafka_bootstrap,
                endpoints.redis_url,
                self.children.all,
                self.telling.told,
                picture.incidents,
            ),
            commands=commands(self.folder, self.home, caught, self.children.all, picture.incidents),
        )

    def _phase(self, sent: Sent) -> str:
        if not self.marks.ready:
            return "the pipeline starts; customers log in already"
        if not sent.attack_ms:
            return "customers only, an attack is near"
        caught = first_alert_ms(self.feed, sent)
        took = f", caught after {(caught - sent.attack_ms) / 1000:.1f} s" if caught else ""
        if not sent.attack_on:
            return f"the attack pauses{took}"
        return f"ATTACK since {clock(self.marks.since_start(sent.attack_ms / 1000))}{took}"

    def _hint(self) -> str:
        ready = self.marks.ready
        if self.options.seconds is None or not ready:
            return "Ctrl-C ends"
        left = max(0.0, ready + self.options.bound - time.time())
        return f"{clock(left)} left (Ctrl-C)"


def first_alert_ms(feed: LiveFeed, sent: Sent) -> int | None:
    """When the first alert that names an attacking address reached `alerts`, ms since 1970."""
    times = [
        told_ms
        for alert, told_ms in feed.told()
        if told_ms >= sent.attack_ms and not sent.attackers.isdisjoint(alert.ips)
    ]
    return min(times, default=None)


def wait_for(done: Callable[[], bool], within_s: float) -> bool:
    """Whether `done` came true in time; asked five times a second."""
    until = time.monotonic() + within_s
    while not done():
        if time.monotonic() > until:
            return False
        time.sleep(0.2)
    return True
