"""Who is measured: each a process of its own that reads one topic from its beginning."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kafka.admin import KafkaAdminClient

from config.kafka import ask, group_name
from config.settings import Settings

from .judged_span import JudgedSpan
from .report import Span, heard


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What a contender gets: where to read, how much, and after how long it may stop."""

    settings: Settings
    environ: dict[str, str]
    topic: str
    events: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A contender about to run: its command, and how its span is learnt while and after it runs.

    `spy` is asked while the process runs and answers once it is done; without one, the process ends
    by itself and its last line is the span.
    """

    command: list[str]
    spy: JudgedSpan | None = None

    def span(self, output: bytes) -> Span:
        """The result of a process that has ended by itself."""
        return heard(output)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """A name in the results, one line about it, and how it is started."""

    name: str
    title: str
    start: Callable[[Course], Start]


def _python(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", module, *arguments]


def _bare(course: Course) -> Start:
    kafka = course.settings.kafka
    return Start(
        command=_python("loadtest.bench.bare", kafka.bootstrap, course.topic, str(course.events))
    )


def _stock(course: Course) -> Start:
    return Start(
        command=_python(
            "loadtest.bench.stock_faust",
            course.settings.kafka.bootstrap,
            course.settings.redis.url,
            course.topic,
            str(course.events),
            str(course.seconds),
        )
    )


def _detect(course: Course) -> Start:
    """The process users run; measured through Kafka alone, by the records of `judged`."""
    _forget_group(course.settings)
    return Start(
        command=_python("loginward_cli", "run", "detect"),
        spy=JudgedSpan(course.settings, course.events, course.seconds),
    )


def _forget_group(settings: Settings) -> None:
    """Without committed offsets the group begins again at the first record."""
    group = group_name(settings.kafka, "detect")

    def forget(admin: KafkaAdminClient) -> None:
        if any(found["group_id"] == group for found in admin.list_groups()):
            admin.delete_groups([group])

    ask(settings.kafka, forget)


CONTENDERS = (
    Contender(
        name="detect",
        title="loginward run detect: every detection, AOF always, offsets after effects",
        start=_detect,
    ),
    Contender(
        name="bare", title="bare aiokafka consumer that decodes and does nothing", start=_bare
    ),
    Contender(
        name="stock_faust",
        title="stock Faust agent, an event at a time, one counter in Redis",
        start=_stock,
    ),
)


def environment(home: Path) -> dict[str, str]:
    """The environment of a contender: ours, with the checkout importable."""
    root = str(Path(__file__).resolve().parents[2])
    return dict(os.environ) | {"PYTHONPATH": root, "LOGINWARD_HOME": str(home)}
