"""What a contender is: a process that reads one topic from its beginning, and who watches it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from config.settings import Settings

from .report import Span, heard


class Spy(Protocol):
    """Learns from outside how far a contender is."""

    def look(self) -> Span | None:
        """Read what is new; the span once there is one."""

    def close(self) -> None:
        """Let go of what is held."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What a contender gets: where to read, how much, after how long it may stop, and an empty
    folder of this run's own.
    """

    settings: Settings
    environ: dict[str, str]
    topic: str
    events: int
    seconds: float
    folder: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A contender about to run: its command, and how its span is learnt while and after it runs.

    `spy` is asked while the process runs and answers once it is done; without one, the process ends
    by itself and its last line is the span. `environ` is added to the course's.
    """

    command: list[str]
    spy: Spy | None = None
    environ: Mapping[str, str] = field(default_factory=dict)
    grace_s: float = 60.0
    """Beyond the course's own time: starts of a process and a group, on a busy machine."""

    def span(self, output: bytes) -> Span:
        """The result of a process that has ended by itself."""
        return heard(output)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """A name in the results, one line about it, and how it is started."""

    name: str
    title: str
    start: Callable[[Course], Start]
    prepare: Callable[[], object] = lambda: None
    """Makes it ready once; raises LoginwardError with the reason where it cannot run here."""


def python(module: str, *arguments: str) -> list[str]:
    """The command of a module of this checkout."""
    return [sys.executable, "-m", module, *arguments]
