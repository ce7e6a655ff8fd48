"""The daily record as data: what stands in its JSON, and what the page is made of.

Times are RFC 3339 in UTC unless a field says local; accounts are pseudonyms; no text of a language.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from config.trading_days import DayKind
from detectors.daily import Day
from detectors.rule import Severity

Metric = Literal[
    "attempts",
    "failures",
    "failing_ips",
    "failing_accounts",
    "unknown_account_attempts",
    "distinct_unknown_accounts",
    "alerts",
]
METRICS: Final[tuple[Metric, ...]] = (
    "failures",
    "unknown_account_attempts",
    "failing_ips",
    "failing_accounts",
    "distinct_unknown_accounts",
    "attempts",
    "alerts",
)

Kind = Literal["address", "account", "asn", "country"]
KINDS: Final[tuple[Kind, ...]] = ("address", "account", "asn", "country")

Presence = Literal["heard", "silent", "not_connected"]
"""silent: heard in the 30 days before, not on this day. not_connected: in neither."""


class Normal(msgspec.Struct, frozen=True, kw_only=True):
    """A figure against its own past. `score` = (value - median) / deviation; None: cold start.

    `deviation` is robust (1.4826 x the median distance to the median), and at least the square
    root of the median: what counting alone makes of it. `days` is how many days were compared,
    `like` whether only days of the same kind (with trading, without) were.
    """

    value: int
    days: int
    like: bool = False
    mean: float | None = None
    median: float | None = None
    deviation: float | None = None
    score: float | None = None


class Hour(msgspec.Struct, frozen=True, kw_only=True):
    """One hour of the day."""

    attempts: int = 0
    failures: int = 0
    strangers: int = 0
    """Attempts on accounts that are no customer's."""


class PastDay(msgspec.Struct, frozen=True, kw_only=True):
    """One day of the 30 before; `known` False: before the system was first heard."""

    date: str
    kind: DayKind
    known: bool
    failures: int
    strangers: int


class Top(msgspec.Struct, frozen=True, kw_only=True):
    """One address, account, AS or country that fails most. `name`: of an AS, where known."""

    kind: Kind
    value: str
    failures: int
    accounts: int
    addresses: int
    strangers: int
    successes: int
    normal: Normal
    name: str = ""


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of the day in local time, HH:MM:SS. `trading`: some of it in trading hours."""

    since: str
    until: str
    seconds: int
    trading: bool = False


class SourceDay(msgspec.Struct, frozen=True, kw_only=True):
    """What one source was heard to say; `expected` by the register."""

    source: str
    system: str
    expected: bool
    events: int
    hours_heard: int
    hours: list[int]
    """Events in each hour."""
    silent: list[Span]
    """Longer without an event than the register allows (within an hour where it says nothing)."""


class SystemDay(msgspec.Struct, frozen=True, kw_only=True):
    """One core system on one day, beyond its row in `days`."""

    system: str
    registered: bool
    presence: Presence
    owner: str
    channels: list[str]
    successes: int
    hours: list[Hour]
    past: list[PastDay]
    normal: dict[Metric, Normal]
    tops: list[Top]
    sources: list[SourceDay]


class Deviation(msgspec.Struct, frozen=True, kw_only=True):
    """A figure far from its past, to be judged by the author. `id` is D1, D2, ... by size."""

    id: str
    system: str
    kind: str
    """A metric, or address, account, asn, country."""
    subject: str
    normal: Normal


class AlertDay(msgspec.Struct, frozen=True, kw_only=True):
    """An alert that opened on the day, as its last revision tells. `state`: whether its subject
    still went on when the day ended.
    """

    alert_id: str
    system: str
    rule: str
    part: str
    rule_version: str
    severity: Severity
    opened: str
    """Local time of day."""
    updated_at: str
    state: Literal["at_rest", "went_on"]
    subject_type: str
    subject: str
    counts: dict[str, int]
    mode: str
    checklist_item: str


class NoticeCount(msgspec.Struct, frozen=True, kw_only=True):
    """How many notices of one system stand in one state on one channel (empty: on none yet)."""

    system: str
    risk: str
    channel: str
    state: str
    notices: int


class AnswerCount(msgspec.Struct, frozen=True, kw_only=True):
    """How many customers answered so. `strength` of a yes; empty for a no."""

    system: str
    answer: str
    via: str
    strength: str
    answers: int


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """One hour and source whose archive and judgement differ."""

    hour: str
    source: str
    archived: int
    judged: int
    duplicates: int
    conflicts: int


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """Offsets [first, until) of a partition of `logins` that nobody speaks for.

    unjudged: no batch read them. expired: Kafka deleted them before they were archived. unsealed:
    judged, but in no sealed segment (yet).
    """

    partition: str
    first: int
    until: int
    why: Literal["unjudged", "expired", "unsealed"]


class Completeness(msgspec.Struct, frozen=True, kw_only=True):
    """Promise 1 for the batches that were judged on the day.

    read = judged + duplicates + rejected; archived = judged + duplicates + conflicts (of the
    rejected, a conflict does decode). `cells` compares by hour and source for the logins that
    happened on the day, whenever they were read.
    """

    batches: int
    read: int
    judged: int
    duplicates: int
    rejected: int
    conflicts: int
    archived: int
    reasons: dict[str, int]
    gaps: list[Gap]
    cells_compared: int
    cells: list[Cell]
    sealed_through: str | None
    """Up to when the archive is sealed, at most the end of the day; None: nothing is."""
    whole_day: bool
    adds_up: bool


class DayRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One day. `days` has the rows of `replay --daily`, with registered absent systems beside."""

    schema: int
    date: str
    tz: str
    kind: DayKind
    holiday_zh: str
    holiday_en: str
    calendar_source: str
    as_of: str | None
    """Kafka's time of the newest record that stands in it; None: there is none."""
    days: list[Day]
    systems: list[SystemDay]
    unregistered: list[str]
    deviations: list[Deviation]
    baseline_days: int
    alerts: list[AlertDay]
    notices: list[NoticeCount]
    answers: list[AnswerCount]
    completeness: Completeness
    versions: dict[str, list[str]]
    """What was in force when the day's batches were judged, by part."""
    counted_with: dict[str, str]
    """What this record was counted with; empty: the events' own word alone."""
    pseudonym_keys: list[str]
    unreadable: int
    """Records of alerts, notices, confirmations and judged that this release cannot read."""


encode = msgspec.json.Encoder(order="deterministic").encode
_decode = msgspec.json.Decoder(DayRecord).decode


def written(record: DayRecord) -> bytes:
    """The JSON file: readable, the same bytes for the same record."""
    return msgspec.json.format(encode(record), indent=1) + b"\n"


def decode(raw: bytes) -> DayRecord:
    """A record as it was written. Raises msgspec.DecodeError."""
    return _decode(raw)
