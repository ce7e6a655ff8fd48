"""Contenders `detect`, `detect_archive` and `everything`: the processes that users run.

They are measured through Kafka alone, by what they write there and commit.
"""

from __future__ import annotations

from kafka.admin import KafkaAdminClient

from config.kafka import ask, group_name
from config.settings import Settings

from .contender import Contender, Course, Start, python
from .judged_span import JudgedSpan
from .sealed_span import SealedSpan

_SEAL = {"LOGINWARD_ARCHIVE_SEGMENT_INTERVAL": "1s"}
"""What is left at the end is sealed within a second: no wait of a last segment is measured."""

_MAIL = {
    "LOGINWARD_NOTIFIER_SMTP_HOST": "127.0.0.1",
    "LOGINWARD_NOTIFIER_SMTP_TLS": "none",
    "LOGINWARD_NOTIFIER_SMTP_FROM": "Bench <bench@broker.example>",
}
"""A channel, so that the notifier runs; it knows no customer's address, so nothing is sent."""


def detect(workers: int = 1) -> Contender:
    """`workers` detect processes and nothing else."""
    parts = ["detect"] * workers

    def start(course: Course) -> Start:
        _forget_groups(course.settings, "detect")
        return Start(
            command=python("loadtest.bench.together", *parts)
            if workers > 1
            else python("loginward_cli", "run", "detect"),
            spy=JudgedSpan(course.settings, course.events, course.seconds),
        )

    return Contender(
        name="detect" if workers == 1 else f"detect_{workers}_workers",
        title="loginward run detect: every detection, AOF always, offsets after effects"
        + (f"; {workers} workers" if workers > 1 else ""),
        start=start,
    )


def _sealed(course: Course) -> SealedSpan:
    _forget_groups(course.settings, "detect", "archive")
    return SealedSpan(course.settings, course.events, course.seconds)


def _with_archive(course: Course) -> Start:
    return Start(
        command=python("loadtest.bench.together", "detect", "archive"),
        spy=_sealed(course),
        environ=_SEAL | {"LOGINWARD_HOME": str(course.folder)},
    )


def _everything(course: Course) -> Start:
    return Start(
        command=python("loginward_cli", "run", "all"),
        spy=_sealed(course),
        environ=_SEAL | _MAIL | {"LOGINWARD_HOME": str(course.folder)},
    )


DETECT_ARCHIVE = Contender(
    name="detect_archive",
    title="run detect and run archive: judged, and sealed in signed segments",
    start=_with_archive,
)
EVERYTHING = Contender(
    name="everything",
    title="run all: detect, relay, archive, incidents, notify, watch; judged and sealed",
    start=_everything,
)


def _forget_groups(settings: Settings, *parts: str) -> None:
    """Without committed offsets a group begins again at the first record."""
    groups = [group_name(settings.kafka, part) for part in parts]

    def forget(admin: KafkaAdminClient) -> None:
        known = {found["group_id"] for found in admin.list_groups()}
        if there := [group for group in groups if group in known]:
            admin.delete_groups(there)

    ask(settings.kafka, forget)
