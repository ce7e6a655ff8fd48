"""The settings of the watchdog; default.toml says what each key is for."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from .checks import Between, NonEmpty, web_url

_S, _H = timedelta(seconds=1), timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchSettings:
    """What the watchdog calls late, and whom it tells that it lives."""

    state: Annotated[Path, NonEmpty()]
    every: Annotated[timedelta, Between(_S, timedelta(minutes=5))]
    lag_after: Annotated[timedelta, Between(10 * _S, 24 * _H)]
    judged_after: Annotated[timedelta, Between(10 * _S, 24 * _H)]
    retention_percent: Annotated[int, Between(1, 99)]
    canary_every: Annotated[timedelta, Between(timedelta(0), _H)]
    canary_within: Annotated[timedelta, Between(10 * _S, _H)]
    heartbeat_url: Annotated[str | None, web_url] = field(repr=False)  # its path may be a secret
    heartbeat_method: Literal["GET", "POST"]
    heartbeat_file: Path | None
    heartbeat_every: Annotated[timedelta, Between(5 * _S, 24 * _H)]
