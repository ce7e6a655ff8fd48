"""One round of the watchdog: look at Kafka, decide, keep what was decided, tell it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

import msgspec
import structlog

from config.settings import Settings
from config.systems import Register
from config.topics import TOPICS, TopicName
from config.trading_days import TradingDays
from detectors import alerts, wire
from detectors.daily import CANARY

from . import canaries, metrics
from . import state as states
from .canaries import Beat
from .kafka_view import Read
from .lag import LAG, RETENTION, STOPPED, Bounds, Standing, lags, oldest_s, stopped
from .silence import SILENT, Rhythm, silences
from .state import Place, State
from .troubles import Trouble, take

READERS: Final[tuple[tuple[str, TopicName], ...]] = (
    ("detect", "logins"),
    ("archive", "logins"),
    ("archive", "alerts"),
    ("archive", "notices"),
    ("notify", "verdicts"),
    ("outputs", "alerts"),
)
RULES: Final = (LAG, RETENTION, STOPPED, SILENT, canaries.MISSING)
COLD_START: Final = timedelta(hours=1)
"""How far back a new watchdog reads `judged` and `alerts`."""
_MS: Final = timedelta(milliseconds=1)

log = structlog.get_logger(__name__)


class View(Protocol):
    """Kafka, as `kafka_view.KafkaView` shows it."""

    def standings(self, part: str, topic: TopicName) -> list[Standing]:
        """Every partition, as a part has read it."""

    def topic_id(self, topic: TopicName) -> str:
        """Kafka's own id of it."""

    def since(self, topic: TopicName, at_ms: int) -> dict[int, int]:
        """By partition the first offset at or after a time."""

    def records(self, topic: TopicName, start: dict[int, int]) -> Iterator[Read]:
        """What stands there from `start` on."""

    def send(self, topic: TopicName, records: Sequence[tuple[bytes, bytes | None]]) -> None:
        """Write (key, value) records and await them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """`tries`: failures of a canary that detection must find; 0: no canaries."""

    tries: int


class _Hour(msgspec.Struct, frozen=True):
    source: str
    judged: int


class _Judged(msgspec.Struct, frozen=True):
    """A record of `judged`, as far as it is read here."""

    hours: list[_Hour]


class _Subject(msgspec.Struct, frozen=True):
    value: str


class _Alert(msgspec.Struct, frozen=True):
    """An alert, as far as it is read here."""

    alert_id: str
    system: str
    subject: _Subject
    opened_at: str


_judged = msgspec.json.Decoder(_Judged).decode
_alert = msgspec.json.Decoder(_Alert).decode


class Watchdog:
    """Looks once a `turn`; its state is on the disk before anything is told of it."""

    def __init__(
        self,
        settings: Settings,
        view: View,
        state: State,
        limits: Limits,
        *,
        register: Register,
        calendar: TradingDays,
    ) -> None:
        self._settings = settings
        self._view = view
        self._state = state
        self._limits = limits
        self._register = register
        self._calendar = calendar
        self._since_ms: int | None = None

    def turn(self, now_ms: int) -> bool:
        """One round at `now_ms`; whether nothing is critical.

        Raises KafkaError, LoginwardError or OSError, and may then be repeated.
        """
        self._tell()
        if self._since_ms is None:
            self._since_ms = now_ms
        standings = [
            one
            for part, topic in READERS
            for one in _set_up(part, self._view.standings(part, topic))
        ]
        self._read("judged", now_ms, self._hear)
        self._read("alerts", now_ms, self._find)
        found = list(self._troubles(standings, now_ms))
        self._show(standings, found, now_ms)
        told = take(self._state.known, found, now_ms)
        for alert in told:
            log.warning("alarm", rule=alert.rule, summary=alert.summary, revision=alert.revision)
        self._state.unsent += told
        sent = self._next_beat(now_ms)
        states.save(self._settings.watch.state, self._state)
        self._tell()
        if sent is not None:
            self._send_canary(sent)
        self._forget(now_ms)
        return all(trouble.severity != "critical" for trouble in found)

    def _tell(self) -> None:
        """Alerts that were decided; sent twice, they are the same."""
        if self._state.unsent:
            records = [(one.alert_id.encode(), alerts.encode(one)) for one in self._state.unsent]
            self._view.send("alerts", records)
            self._state.unsent = []
            states.save(self._settings.watch.state, self._state)

    def _troubles(self, standings: Sequence[Standing], now_ms: int) -> Iterator[Trouble]:
        watch, kafka = self._settings.watch, self._settings.kafka
        for part, topic in READERS:
            # The archive commits when it has sealed, not when it has read.
            late = self._settings.archive.segment_interval if part == "archive" else timedelta(0)
            kept = TOPICS[topic].retention or kafka.retention
            bounds = Bounds(
                lag_after=watch.lag_after + late,
                retention=None if TOPICS[topic].compacted else kept,
                retention_percent=watch.retention_percent,
            )
            of = [one for one in standings if (one.part, one.topic) == (part, topic)]
            yield from lags(of, bounds, now_ms)
        since = self._since_ms or now_ms
        yield from stopped(standings, self._state.judged_ms, since, watch.judged_after, now_ms)
        known = now_ms - 1000 * oldest_s((s for s in standings if s.part == "detect"), now_ms)
        yield from silences(self._state.rhythms, self._register, self._calendar, known)
        yield from canaries.missing(self._state.beats, watch.canary_within, now_ms)

    def _read(self, topic: TopicName, now_ms: int, use: _Use) -> None:
        """What is new in a topic; where reading stands is kept with what was read."""
        place, topic_id = self._state.places.get(topic), self._view.topic_id(topic)
        if place is None or place.topic_id != topic_id:
            start = self._view.since(topic, now_ms - COLD_START // _MS)
            place = self._state.places[topic] = Place(topic_id=topic_id, next=start)
        for record in self._view.records(topic, dict(place.next)):
            place.next[record.partition] = record.offset + 1
            if record.value is not None:
                # What is no record of ours is named where it is judged, and archived; here it
                # tells nothing.
                with suppress(msgspec.DecodeError, UnicodeDecodeError):
                    use(record.at_ms, record.value)

    def _hear(self, at_ms: int, value: bytes) -> None:
        heard = {hour.source for hour in _judged(value).hours if hour.judged}
        self._state.judged_ms = max(self._state.judged_ms or 0, at_ms)
        for source in heard - {canaries.SOURCE}:
            rhythm = self._state.rhythms.setdefault(source, Rhythm(last_ms=at_ms))
            rhythm.hear(at_ms)

    def _find(self, at_ms: int, value: bytes) -> None:
        alert = _alert(value)
        if alert.system != CANARY:
            return
        number = canaries.subject_number(alert.subject.value)
        for beat in self._state.beats:
            same = beat.number % canaries.NETWORKS == number
            if same and datetime.fromisoformat(alert.opened_at).timestamp() * 1000 >= beat.sent_ms:
                if beat.found_ms is None:
                    metrics.CANARY_SECONDS.observe(max(0, at_ms - beat.sent_ms) / 1000)
                    beat.found_ms = at_ms
                if alert.alert_id not in beat.alert_ids:
                    beat.alert_ids.append(alert.alert_id)

    def _next_beat(self, now_ms: int) -> Beat | None:
        every = self._settings.watch.canary_every // _MS
        last = self._state.beats[-1].sent_ms if self._state.beats else 0
        if not every or not self._limits.tries or now_ms - last < every:
            return None
        beat = Beat(number=self._state.next_beat, sent_ms=now_ms)
        self._state.next_beat += 1
        self._state.beats.append(beat)
        return beat

    def _send_canary(self, beat: Beat) -> None:
        events = canaries.events(beat, self._limits.tries)
        key = f"{CANARY}-{beat.number}".encode()
        self._view.send("logins", [(key, wire.encode(event)) for event in events])

    def _forget(self, now_ms: int) -> None:
        """Canaries are kept 7 days: `alerts` is compacted and would keep theirs for ever."""
        before = now_ms - canaries.KEPT // _MS
        old = [beat for beat in self._state.beats if beat.sent_ms < before]
        gone = [(alert_id.encode(), None) for beat in old for alert_id in beat.alert_ids]
        self._view.send("alerts", gone)
        self._state.beats = self._state.beats[len(old) :]

    def _show(self, standings: Sequence[Standing], found: Sequence[Trouble], now_ms: int) -> None:
        for part, topic in READERS:
            of = [one for one in standings if (one.part, one.topic) == (part, topic)]
            metrics.LAG_RECORDS.labels(part, topic).set(sum(one.behind for one in of))
            metrics.LAG_SECONDS.labels(part, topic).set(oldest_s(of, now_ms))
        metrics.JUDGED_AT.set((self._state.judged_ms or 0) / 1000)
        for rule in RULES:
            metrics.TROUBLES.labels(rule).set(sum(one.rule == rule for one in found))


class _Use(Protocol):
    def __call__(self, at_ms: int, value: bytes, /) -> None: ...


def _set_up(part: str, standings: list[Standing]) -> list[Standing]:
    """A notifier or an output that never committed anything is not set up, and not behind."""
    never = all(one.committed is None for one in standings)
    return [] if never and part in {"notify", "outputs"} else standings
