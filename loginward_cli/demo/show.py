"""What is seen while the demo runs: the live screen on a terminal, else a line now and then."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.live import Live

from console.live_lines import alert_line, incident_line, login_line, summary_line
from console.live_view import Surroundings, render
from console.picture import AlertRow, LoginRow, Picture
from detectors.incidents import Incident
from loginward_cli.output import note

REFRESH_S = 0.25
LINE_EVERY_S = 5.0
_SMALLEST = (80, 24)


class Show(Protocol):
    """Takes one picture after another."""

    def __call__(self, picture: Picture, around: Surroundings, seconds: float, /) -> None:
        """Show it, `seconds` after the start, if it is time to."""
        ...


def can_draw() -> bool:
    """Whether standard output is a terminal that can move its cursor and show a frame."""
    console = Console()
    utf = console.encoding.lower().startswith("utf")
    return console.is_terminal and not console.is_dumb_terminal and utf


@contextmanager
def screen() -> Iterator[Show]:
    """The live screen on standard output; what stood on the terminal comes back after it."""
    console = Console()
    with Live(console=console, screen=True, auto_refresh=False) as live:

        def show(picture: Picture, around: Surroundings, _seconds: float) -> None:
            size = console.size
            width, height = max(size.width, _SMALLEST[0]), max(size.height, _SMALLEST[1])
            live.update(render(picture, around, width=width, height=height), refresh=True)

        yield show


class Lines:
    """A line every few seconds, each alert as it opens, each login if asked for; on stderr."""

    def __init__(self, *, logins: bool, now: Callable[[], float] = time.monotonic) -> None:
        self._logins = logins
        self._now = now
        self._due = 0.0
        self._alerts: set[str] = set()
        self._incidents: dict[str, int] = {}
        self._last: LoginRow | None = None

    def __call__(self, picture: Picture, _around: Surroundings, seconds: float) -> None:
        """Print what is new."""
        if self._logins:
            self._passed(picture.logins)
        for alert in reversed(picture.alerts):
            self._alert(alert)
        for incident in reversed(picture.incidents):
            self._incident(incident)
        if self._now() >= self._due:
            self._due = self._now() + LINE_EVERY_S
            note(summary_line(picture, seconds))

    def _passed(self, logins: Sequence[LoginRow]) -> None:
        """The logins after the one shown last (all that are kept, where it is gone)."""
        fresh = list(logins)
        for at, row in enumerate(fresh):
            if row is self._last:
                fresh = fresh[at + 1 :]
                break
        for row in fresh:
            note(login_line(row))
        self._last = logins[-1] if logins else None

    def _alert(self, alert: AlertRow) -> None:
        if alert.alert_id not in self._alerts:
            self._alerts.add(alert.alert_id)
            note(alert_line(alert))

    def _incident(self, incident: Incident) -> None:
        """Each revision: it opened, doubled, grew graver, hit an account more or is over."""
        if incident.revision > self._incidents.get(incident.incident_id, 0):
            self._incidents[incident.incident_id] = incident.revision
            note(f"CAMPAIGN {incident_line(incident)}")
