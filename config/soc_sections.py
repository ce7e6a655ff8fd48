"""The settings of what leaves for the SOC: outputs to its systems, pages to its people."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from .checks import Between, NonEmpty, host_port, web_url

SyslogFormat = Literal["json", "cef", "leef"]
SyslogTransport = Literal["tcp", "tls", "udp"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputsSettings:
    """Where alerts go, and how long one may wait before that is an alert itself."""

    queue: Annotated[Path, NonEmpty()]
    undelivered_after: Annotated[timedelta, Between(timedelta(seconds=10), timedelta(hours=24))]
    timeout: Annotated[timedelta, Between(timedelta(seconds=1), timedelta(minutes=2))]
    keep: Annotated[timedelta, Between(timedelta(days=1), timedelta(days=400))]
    webhook_url: Annotated[str | None, web_url]
    webhook_secret_file: Path | None
    webhook_cafile: Path | None
    syslog_address: Annotated[str | None, host_port]
    syslog_transport: SyslogTransport
    syslog_format: SyslogFormat
    syslog_cafile: Path | None
    syslog_certfile: Path | None
    syslog_keyfile: Path | None
    syslog_largest: Annotated[int, Between(1_024, 1_048_576)]
    syslog_enterprise: Annotated[int, Between(1, 2_147_483_647)]

    @property
    def configured(self) -> bool:
        """Whether any system of the SOC is to be told."""
        return self.webhook_url is not None or self.syslog_address is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterSettings:
    """Who is paged (a file of its own), how often at the most, and through whom."""

    file: Path | None
    pages_per_hour: Annotated[int, Between(1, 1_000)]
    twilio_account: str | None
    twilio_token_file: Path | None
    twilio_sender: str | None
    twilio_url: Annotated[str, web_url]
    push_account_file: Path | None
    push_url: Annotated[str, web_url]


def contradictions(
    outputs: OutputsSettings, roster: RosterSettings
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Settings that contradict each other, as (key, what is wrong)."""
    if outputs.webhook_url is not None and outputs.webhook_secret_file is None:
        yield (
            ("outputs", "webhook_secret_file"),
            "is empty, but webhook_url is set; name a file of one line, the shared secret",
        )
    if (outputs.syslog_certfile is None) != (outputs.syslog_keyfile is None):
        yield ("outputs", "syslog_keyfile"), "goes together with syslog_certfile; set both or none"
    if outputs.syslog_cafile is not None and outputs.syslog_transport != "tls":
        yield ("outputs", "syslog_cafile"), 'is set, but syslog_transport is not "tls"'
    given = [roster.twilio_account, roster.twilio_token_file, roster.twilio_sender]
    if any(given) and not all(given):
        yield (
            ("roster", "twilio_account"),
            "goes together with twilio_token_file and twilio_sender; set all three or none",
        )
