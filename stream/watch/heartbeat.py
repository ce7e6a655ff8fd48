"""A dead man's switch outside of Kafka: told while nothing is critical; silence is the alarm."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import httpx

from config.watch_section import WatchSettings

_TIMEOUT_S: Final = 10.0


class Heartbeat:
    """Tells a URL and touches a file, at most once in `heartbeat_every`; `clock` in seconds."""

    def __init__(self, settings: WatchSettings, clock: Callable[[], float]) -> None:
        self._url = settings.heartbeat_url
        self._method = settings.heartbeat_method
        self._file: Path | None = settings.heartbeat_file
        self._every = settings.heartbeat_every.total_seconds()
        self._clock = clock
        self._last: float | None = None

    def beat(self) -> str | None:
        """Tell it where it is due; what went wrong, without the URL (its path may be a secret)."""
        now = self._clock()
        if self._last is not None and now - self._last < self._every:
            return None
        wrong = self._touch() or self._call()
        if wrong is None:
            self._last = now
        return wrong

    def _touch(self) -> str | None:
        if self._file is None:
            return None
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._file.touch()
        except OSError as failure:
            return f"watch.heartbeat_file: {self._file}: {failure.strerror}"
        return None

    def _call(self) -> str | None:
        if self._url is None:
            return None
        try:
            answer = httpx.request(self._method, self._url, timeout=_TIMEOUT_S, trust_env=False)
        except httpx.HTTPError as failure:
            return f"watch.heartbeat_url: {type(failure).__name__}"
        if not answer.is_success:
            return f"watch.heartbeat_url: answered {answer.status_code}"
        return None
