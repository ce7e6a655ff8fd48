"""The sections of the settings as typed, frozen facts; default.toml says what each key is for."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from .answers_section import AnswersSettings
from .checks import Between, NonEmpty, SecretUrl, host_ports, name_part, time_zone
from .notifier_section import NotifierSettings
from .soc_sections import OutputsSettings, RosterSettings
from .watch_section import WatchSettings

SecurityProtocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
SaslMechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]
RedisMode = Literal["single", "cluster", "sentinel"]
ReportLanguage = Literal["zh-TW", "en"]
LogLevel = Literal["debug", "info", "warning", "error"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaSettings:
    """How Kafka is reached, and how our topics are laid out."""

    bootstrap: Annotated[str, host_ports]
    security_protocol: SecurityProtocol
    sasl_mechanism: SaslMechanism | None
    sasl_username: str | None
    sasl_password_file: Path | None
    ssl_cafile: Path | None
    ssl_certfile: Path | None
    ssl_keyfile: Path | None
    topic_prefix: Annotated[str, name_part]
    partitions: Annotated[int, Between(1, 1024)]
    replication: Annotated[int, Between(1, 7)]
    retention: Annotated[timedelta, Between(timedelta(hours=1), timedelta(days=30))]
    session_timeout: Annotated[timedelta, Between(timedelta(seconds=6), timedelta(minutes=5))]
    static_member_id: Annotated[str | None, name_part]


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisSettings:
    """How Redis or Valkey is reached, and over how many shards the state is spread."""

    url: Annotated[str, SecretUrl()] = field(repr=False)  # may hold a password
    password_file: Path | None
    ssl_cafile: Path | None
    mode: RedisMode
    sentinel_service: str | None
    shards: Annotated[int, Between(1, 256)]
    timeout: Annotated[timedelta, Between(timedelta(milliseconds=100), timedelta(minutes=1))]


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectSettings:
    """How the detect worker cuts its batches, and how long it remembers."""

    batch_records: Annotated[int, Between(1, 100_000)]
    buffered_batches: Annotated[int, Between(1, 64)]
    identity_ttl: Annotated[timedelta, Between(timedelta(minutes=1), timedelta(days=30))]
    rejects_percent: Annotated[int, Between(1, 100)]
    rejects_over: Annotated[int, Between(100, 10_000_000)]
    cold_after_loss: Annotated[timedelta, Between(timedelta(hours=1), timedelta(days=180))]
    inbox_verdicts: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveSettings:
    """Where the evidence is kept, and when a segment is sealed."""

    directory: Annotated[Path, NonEmpty()]
    segment_records: Annotated[int, Between(1, 10_000_000)]
    segment_interval: Annotated[timedelta, Between(timedelta(seconds=1), timedelta(days=1))]
    key_file: Annotated[Path, NonEmpty()]


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectorySettings:
    """Where the directory of customers lies, and when it is too old."""

    folder: Annotated[Path, NonEmpty()]
    stale_after: Annotated[timedelta, Between(timedelta(hours=1), timedelta(days=31))]


@dataclass(frozen=True, slots=True, kw_only=True)
class GeoSettings:
    """Where the MMDB files lie that place an address."""

    folder: Annotated[Path, NonEmpty()]


@dataclass(frozen=True, slots=True, kw_only=True)
class IntelSettings:
    """Where threat intelligence is kept, what is let in, and how collections are reached."""

    folder: Annotated[Path, NonEmpty()]
    validity: Annotated[timedelta, Between(timedelta(days=1), timedelta(days=3650))]
    least_confidence: Annotated[int, Between(0, 100)]
    warning_lists: Path | None
    host: str | None
    username: str | None
    password_file: Path | None
    ssl_cafile: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSettings:
    """Where the daily records lie, whose days they count, and in which language."""

    directory: Annotated[Path, NonEmpty()]
    timezone: Annotated[str, time_zone]
    language: ReportLanguage


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySettings:
    """The secrets that belong to no single folder."""

    pseudonym_key_file: Annotated[Path, NonEmpty()]


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsSettings:
    """Where Prometheus and probes ask (port 0: nowhere), and when a part that stands still ends."""

    host: Annotated[str, NonEmpty()]
    port: Annotated[int, Between(0, 65_535)]
    stale_after: Annotated[timedelta, Between(timedelta(minutes=1), timedelta(hours=24))]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggingSettings:
    """How much is logged, and in which form."""

    level: LogLevel
    json: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSettings:
    """Files of the user's own instead of those that come along; None means ours."""

    systems: Path | None
    rules: Path | None
    networks: Path | None
    trading_days: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings; paths are absolute, what was "" is None where that is allowed."""

    data_dir: Annotated[Path, NonEmpty()]
    kafka: KafkaSettings
    redis: RedisSettings
    detect: DetectSettings
    archive: ArchiveSettings
    directory: DirectorySettings
    geo: GeoSettings
    intel: IntelSettings
    notifier: NotifierSettings
    outputs: OutputsSettings
    roster: RosterSettings
    report: ReportSettings
    answers: AnswersSettings
    watch: WatchSettings
    keys: KeySettings
    files: FileSettings
    metrics: MetricsSettings
    logging: LoggingSettings
