"""The settings of asking customers; default.toml says what each key is for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated

from .checks import Between, NonEmpty, addresses, http_url


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswersSettings:
    """The page on which customers answer, and whom a "no" calls."""

    service_phone: str | None
    host: Annotated[str, NonEmpty()]
    port: Annotated[int, Between(0, 65_535)]
    proxies: Annotated[str | None, addresses]
    failures_per_minute: Annotated[int, Between(1, 1_000_000)]
    key_file: Annotated[Path, NonEmpty()]
    webhook_url: Annotated[str | None, http_url]
    webhook_secret_file: Path | None
    webhook_timeout: Annotated[timedelta, Between(timedelta(seconds=1), timedelta(seconds=30))]
    call_back_after: Annotated[timedelta, Between(timedelta(minutes=1), timedelta(days=5))]
