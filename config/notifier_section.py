"""The settings of telling customers; default.toml says what each key is for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from .checks import Between, Longest, NonEmpty, http_url

LONGEST_FIRM_ZH = 8
LONGEST_FIRM_EN = 20
"""With these the longest SMS still is one part; the lint tries every text with them."""

_SECOND = timedelta(seconds=1)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifierSettings:
    """What customers are told, over which channels, and where that is kept."""

    ledger: Annotated[Path, NonEmpty()]
    contacts: Annotated[Path, NonEmpty()]
    contacts_key_file: Annotated[Path, NonEmpty()]
    firm_zh: Annotated[str, NonEmpty(), Longest(LONGEST_FIRM_ZH)]
    firm_en: Annotated[str, NonEmpty(), Longest(LONGEST_FIRM_EN)]
    answer_url: Annotated[str | None, http_url]
    inbox: bool
    fallback_after: Annotated[timedelta, Between(_SECOND, _DAY)]
    unseen_after: Annotated[timedelta, Between(timedelta(0), _DAY)]
    grace: Annotated[timedelta, Between(timedelta(0), timedelta(minutes=30))]
    call_timeout: Annotated[timedelta, Between(timedelta(milliseconds=100), timedelta(minutes=1))]
    retry_for: Annotated[timedelta, Between(_SECOND, _DAY)]
    sms_per_day: Annotated[int, Between(0, 100)]
    push_per_day: Annotated[int, Between(0, 1000)]
    sms_per_hour: Annotated[int, Between(0, 1_000_000)]
    digest_hour: Annotated[int, Between(9, 11)]
    fcm_credentials_file: Path | None
    fcm_url: Annotated[str, NonEmpty(), http_url]
    app_receipts_secret_file: Path | None
    twilio_account_sid: str | None
    twilio_token_file: Path | None
    twilio_from: str | None
    twilio_url: Annotated[str, NonEmpty(), http_url]
    twilio_callback_url: Annotated[str | None, http_url]
    sms_countries: Annotated[str, NonEmpty()]
    smtp_host: str | None
    smtp_port: Annotated[int, Between(1, 65_535)]
    smtp_tls: Literal["none", "starttls", "tls"]
    smtp_username: str | None
    smtp_password_file: Path | None
    smtp_from: str | None
    callbacks_host: Annotated[str, NonEmpty()]
    callbacks_port: Annotated[int, Between(0, 65_535)]

    @property
    def app(self) -> bool:
        """Whether push can be sent."""
        return self.fcm_credentials_file is not None

    @property
    def sms(self) -> bool:
        """Whether SMS can be sent."""
        return self.twilio_account_sid is not None

    @property
    def email(self) -> bool:
        """Whether e-mail can be sent."""
        return self.smtp_host is not None

    @property
    def channels(self) -> tuple[str, ...]:
        """Those that are set up."""
        named = (("app", self.app), ("sms", self.sms), ("email", self.email))
        return tuple(name for name, there in named if there)
