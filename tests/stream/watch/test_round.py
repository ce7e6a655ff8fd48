"""Rounds of the watchdog over topics in memory: what is told, kept, and told after a kill."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest
from kafka.errors import KafkaError

from config.settings import load
from config.systems import Register
from config.topics import TopicName
from config.trading_days import TradingDays
from detectors import alerts
from detectors.alerts import Alert
from detectors.events import instant, rfc3339
from stream.watch import canaries, state
from stream.watch.kafka_view import Read
from stream.watch.lag import Standing
from stream.watch.round import Limits, Watchdog

NOW = 1_800_000_000_000
TRIES = 12


@dataclass
class Topics:
    """Topics as lists; it has the shape of `KafkaView`, and may be away."""

    logs: dict[str, list[Read]] = field(default_factory=dict)
    behind: dict[str, Standing] = field(default_factory=dict)
    away: bool = False

    def standings(self, part: str, topic: TopicName) -> list[Standing]:
        """What the test has set, or all read."""
        read = Standing(part=part, topic=topic, partition=0, committed=5, begin=0, end=5)
        return [self.behind.get(f"{part}:{topic}", read)]

    def topic_id(self, topic: TopicName) -> str:
        """One id each."""
        return f"id-{topic}"

    def since(self, topic: TopicName, at_ms: int) -> dict[int, int]:
        """From the beginning."""
        return {0: 0}

    def records(self, topic: TopicName, start: dict[int, int]) -> Iterator[Read]:
        """From `start` on."""
        yield from self.logs.get(topic, [])[start.get(0, 0) :]

    def send(self, topic: TopicName, records: Sequence[tuple[bytes, bytes | None]]) -> None:
        """Append, or fail as a broker that is away."""
        if self.away and records:
            raise KafkaError("no broker")
        for _, value in records:
            self.put(topic, value, NOW)

    def put(self, topic: str, value: bytes | None, at_ms: int) -> None:
        """Append one record."""
        log = self.logs.setdefault(topic, [])
        log.append(Read(0, len(log), at_ms, value))

    @property
    def told(self) -> list[Alert]:
        """The alerts in the topic."""
        return [alerts.decode(one.value) for one in self.logs.get("alerts", []) if one.value]


def watchdog(folder: Path, topics: Topics, **settings: str) -> Watchdog:
    """A watchdog with what stands on its disk."""
    chosen = load(
        environ={
            "LOGINWARD_HOME": str(folder),
            **{f"LOGINWARD_WATCH_{key.upper()}": value for key, value in settings.items()},
        }
    )
    return Watchdog(
        chosen,
        topics,
        state.load(chosen.watch.state),
        Limits(tries=TRIES),
        register=Register(()),
        calendar=TradingDays([]),
    )


def late(part: str = "detect:logins") -> dict[str, Standing]:
    """A part that is five minutes late."""
    name, topic = part.split(":")
    return {
        part: Standing(
            part=name,
            topic=topic,
            partition=0,
            committed=1,
            begin=0,
            end=5,
            oldest_ms=NOW - 300_000,
        )
    }


def test_an_alarm_survives_a_broker_that_is_away_and_a_restart(tmp_path: Path) -> None:
    """It is decided and kept before it is sent: sent later, by another process, it is the same."""
    topics = Topics(behind=late(), away=True)
    with pytest.raises(KafkaError):
        watchdog(tmp_path, topics, canary_every="0s").turn(NOW)
    topics.away = False

    watchdog(tmp_path, topics, canary_every="0s").turn(NOW + 15_000)

    assert [(one.rule, one.revision) for one in topics.told] == [("pipeline_lag", 1)]
    assert topics.told[0].opened_at == "2027-01-15T08:00:00Z"


def test_an_alarm_closes_when_the_part_has_read_on(tmp_path: Path) -> None:
    """One alert with two revisions: opened, and in order again."""
    topics = Topics(behind=late())
    dog = watchdog(tmp_path, topics, canary_every="0s")
    dog.turn(NOW)
    topics.behind = {}

    dog.turn(NOW + 60_000)

    assert [(one.revision, one.counts["waiting"]) for one in topics.told] == [(1, 1), (2, 0)]


def test_a_notifier_that_was_never_set_up_is_not_behind(tmp_path: Path) -> None:
    """Nothing committed ever: the part is not run here; detect without a commit is behind."""
    never: dict[str, Any] = {"partition": 0, "committed": None, "begin": 0, "end": 5}
    topics = Topics(
        behind={
            f"{part}:{topic}": Standing(part=part, topic=topic, oldest_ms=NOW - 300_000, **never)
            for part, topic in (("notify", "verdicts"), ("detect", "logins"))
        }
    )

    watchdog(tmp_path, topics, canary_every="0s").turn(NOW)

    assert [one.subject.value for one in topics.told] == ["detect:logins"]


def found_alert(beat: canaries.Beat, at_ms: int, topics: Topics) -> None:
    """What detect says of a beat."""
    told = {
        "alert_id": f"{beat.number:032x}",
        "system": "_canary",
        "subject": {"type": "ip", "value": f"{beat.address}".replace("::1", "::/64")},
        "opened_at": rfc3339(instant(beat.sent_ms + 5)),
    }
    topics.put("alerts", msgspec.json.encode(told), at_ms)


def test_a_canary_that_is_found_is_silent_and_one_that_is_not_alarms(tmp_path: Path) -> None:
    """Beat to alert within the limit; else the gravest alarm, and it closes with the next found."""
    topics = Topics()
    dog = watchdog(tmp_path, topics)
    assert dog.turn(NOW)
    assert len(topics.logs["logins"]) == TRIES

    assert dog.turn(NOW + 59_000)
    assert not dog.turn(NOW + 121_000)
    assert [one.rule for one in topics.told] == [canaries.MISSING]
    kept = state.load(tmp_path / "watch" / "state.json")
    assert len(kept.beats) == 2  # one a minute
    found_alert(kept.beats[1], NOW + 130_000, topics)

    assert dog.turn(NOW + 131_000)
    last = alerts.decode(topics.logs["alerts"][-1].value or b"")
    assert (last.rule, last.counts["waiting"]) == (canaries.MISSING, 0)


def test_alerts_of_canaries_are_taken_back_after_seven_days(tmp_path: Path) -> None:
    """A compacted topic would keep them for ever."""
    topics = Topics()
    dog = watchdog(tmp_path, topics)
    dog.turn(NOW)
    (beat,) = state.load(tmp_path / "watch" / "state.json").beats
    found_alert(beat, NOW + 5_000, topics)
    dog.turn(NOW + 10_000)
    assert all(one.value for one in topics.logs["alerts"])

    dog.turn(NOW + 8 * 86_400_000)

    assert any(one.value is None for one in topics.logs["alerts"])


def test_sources_are_heard_from_what_was_judged(tmp_path: Path) -> None:
    """What was judged has a time and sources; the watchdog's own is none of them."""
    topics = Topics()
    hours = [{"source": "trading-web", "judged": 3}, {"source": "_watchdog", "judged": 12}]
    topics.put("judged", msgspec.json.encode({"hours": hours}), NOW - 1000)
    topics.put("judged", b"no record of ours", NOW)

    watchdog(tmp_path, topics, canary_every="0s").turn(NOW)

    kept = state.load(tmp_path / "watch" / "state.json")
    assert list(kept.rhythms) == ["trading-web"]
    assert (kept.judged_ms, kept.places["judged"].next) == (NOW - 1000, {0: 2})
