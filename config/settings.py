"""Every setting, read once, at the edge: defaults, then a file, then the environment."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from .answers_section import AnswersSettings
from .notifier_section import NotifierSettings
from .reading import Sources, read
from .sections import (
    ArchiveSettings,
    DetectSettings,
    DirectorySettings,
    FileSettings,
    GeoSettings,
    KafkaSettings,
    KeySettings,
    LoggingSettings,
    MetricsSettings,
    RedisSettings,
    ReportSettings,
    Settings,
)
from .soc_sections import contradictions as soc_contradictions

__all__ = [
    "AnswersSettings",
    "ArchiveSettings",
    "DetectSettings",
    "DirectorySettings",
    "FileSettings",
    "GeoSettings",
    "KafkaSettings",
    "KeySettings",
    "LoggingSettings",
    "MetricsSettings",
    "NotifierSettings",
    "RedisSettings",
    "ReportSettings",
    "Settings",
    "load",
]

ALIASES = {
    "KAFKA_BOOTSTRAP": ("kafka", "bootstrap"),
    "REDIS_URL": ("redis", "url"),
    "LOGINWARD_HOME": ("data_dir",),
    "LOGINWARD_PSEUDONYM_KEY_FILE": ("keys", "pseudonym_key_file"),
}
"""Short names of the environment, beside LOGINWARD_<SECTION>_<KEY>."""


def load(path: Path | None = None, environ: Mapping[str, str] = os.environ) -> Settings:
    """Defaults, then the file (`path`, or LOGINWARD_CONFIG), then the environment.

    Raises `SettingsError` with every problem found, each with its place, its value and a way out.
    """
    named = environ.get("LOGINWARD_CONFIG")
    sources = Sources(
        defaults=Path(__file__).with_name("default.toml"),
        file=path if path is not None else (Path(named) if named else None),
        environ=environ,
        aliases=ALIASES,
        prefix="LOGINWARD",
        base=_base(),
    )
    return read(Settings, sources, contradictions)


def _base() -> Path:
    """Where a relative data_dir stands: in the checkout we run from, else in the working folder."""
    checkout = Path(__file__).resolve().parent.parent
    return checkout if (checkout / "pyproject.toml").is_file() else Path.cwd()


def contradictions(settings: Settings) -> Iterator[tuple[tuple[str, ...], str]]:
    """Settings that contradict each other, as (key, what is wrong)."""
    kafka, redis = settings.kafka, settings.redis
    sasl = kafka.security_protocol.startswith("SASL_")
    for name in ("sasl_mechanism", "sasl_username", "sasl_password_file"):
        given = getattr(kafka, name) is not None
        if sasl and not given:
            yield ("kafka", name), f"is empty, but security_protocol is {kafka.security_protocol}"
        if given and not sasl:
            # Faust and others then log in without TLS, silently; so the protocol must be said.
            yield ("kafka", name), "is set, but security_protocol has no SASL; write SASL_SSL"
    if (kafka.ssl_certfile is None) != (kafka.ssl_keyfile is None):
        yield ("kafka", "ssl_keyfile"), "goes together with ssl_certfile; set both or none"
    if kafka.ssl_cafile is not None and not kafka.security_protocol.endswith("SSL"):
        yield ("kafka", "ssl_cafile"), "is set, but security_protocol has no TLS; write SSL"
    answers = settings.answers
    if (answers.webhook_url is None) != (answers.webhook_secret_file is None):
        yield ("answers", "webhook_secret_file"), "goes together with webhook_url; set both or none"
    if (redis.mode == "sentinel") != (redis.sentinel_service is not None):
        yield ("redis", "sentinel_service"), 'goes together with mode = "sentinel"'
    if redis.ssl_cafile is not None and not redis.url.startswith("rediss://"):
        yield ("redis", "ssl_cafile"), "is set, but url has no TLS; write rediss://"
    yield from soc_contradictions(settings.outputs, settings.roster)
    yield from _half_channels(settings.notifier)


def _half_channels(notifier: NotifierSettings) -> Iterator[tuple[tuple[str, ...], str]]:
    """A channel is set up wholly or not at all: half of one would look as if it told customers."""
    together = (
        ("twilio_account_sid", "twilio_token_file", "twilio_from"),
        ("smtp_host", "smtp_from"),
        ("smtp_username", "smtp_password_file"),
    )
    for names in together:
        missing = [name for name in names if getattr(notifier, name) is None]
        if missing and len(missing) < len(names):
            others = ", ".join(name for name in names if name not in missing)
            yield ("notifier", missing[0]), f"is empty, but goes together with {others}"
    if notifier.twilio_callback_url is not None and not notifier.sms:
        yield ("notifier", "twilio_callback_url"), "is set, but twilio_account_sid is not"
