"""Who is measured: a bare consumer, a stock Faust agent, Flink, and ours."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from detectors.errors import LoginwardError

from . import flink, flink_setup, ours
from .contender import Contender, Course, Start, python
from .flink_setup import Flink


def _bare(course: Course) -> Start:
    kafka = course.settings.kafka
    return Start(
        command=python("loadtest.bench.bare", kafka.bootstrap, course.topic, str(course.events))
    )


def _stock(course: Course) -> Start:
    return Start(
        command=python(
            "loadtest.bench.stock_faust",
            course.settings.kafka.bootstrap,
            course.settings.redis.url,
            course.topic,
            str(course.events),
            str(course.seconds),
            str(course.folder),
        )
    )


BARE = Contender(
    name="bare", title="bare aiokafka consumer that decodes and does nothing", start=_bare
)
STOCK_FAUST = Contender(
    name="stock_faust",
    title="stock Faust agent, an event at a time, one counter in Redis",
    start=_stock,
)


def contenders(tell: Callable[[str], None], *, fetch: bool) -> tuple[Contender, ...]:
    """All of them, in the order in which they run. `fetch`: Flink may be set up where missing."""

    def have() -> Flink:
        if (there := flink_setup.found()) is not None:
            return there
        if not fetch:
            raise LoginwardError(
                "flink: not set up here; `loginward bench --contenders flink` fetches it (350 MB)"
            )
        return flink_setup.set_up(tell)

    return (
        ours.detect(),
        BARE,
        STOCK_FAUST,
        flink.contender(have),
        ours.detect(workers=2),
        ours.DETECT_ARCHIVE,
        ours.EVERYTHING,
    )


def environment(home: Path) -> dict[str, str]:
    """The environment of a contender: ours, with the checkout importable."""
    root = str(Path(__file__).resolve().parents[2])
    return dict(os.environ) | {"PYTHONPATH": root, "LOGINWARD_HOME": str(home)}
