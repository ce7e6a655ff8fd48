"""One answer of the doctor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from config.settings import Settings

State = Literal["ok", "note", "finding", "skipped"]
"""`note`: worth knowing, nothing to mend; `skipped`: another finding stands in the way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What was looked at. `code` is stable, for scripts; `hint` is what to do about a finding."""

    code: str
    state: State
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What the doctor looks at, the time (aware) it goes by, and how long it awaits Kafka."""

    settings: Settings
    now: datetime
    patience: timedelta = timedelta(seconds=5)


Checks = Callable[[Visit], Iterator[Check]]


def ok(code: str, message: str) -> Check:
    """As it should be."""
    return Check(code=code, state="ok", message=message)


def note(code: str, message: str) -> Check:
    """Worth knowing; nothing has to be mended."""
    return Check(code=code, state="note", message=message)


def finding(code: str, message: str, hint: str) -> Check:
    """To be mended, and how."""
    return Check(code=code, state="finding", message=message, hint=hint)


def skipped(code: str, message: str) -> Check:
    """Could not be looked at."""
    return Check(code=code, state="skipped", message=message)
