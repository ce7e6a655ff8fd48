"""The archiver's loop, turn by turn, on a real consumer with a clock of the test's own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import structlog
from aiokafka import AIOKafkaConsumer
from prometheus_client import CollectorRegistry

from archive import archiver as archiver_module
from archive import keys, metrics
from archive.archiver import Archiver, Clocks, Limits
from archive.durable import make_folder
from archive.partition import Store
from archive.read import segments
from archive.service import consumer_options
from config.kafka import topic_ids, topic_name
from detectors.errors import LoginwardError

from .builders import AT, PSEUDONYMS, login
from .corner import Corner
from .test_service import assert_complete

TURNS = 600
"""Turns a test waits for something: each reads for at most 0.2 s."""


@dataclass(kw_only=True)
class Bench:
    """An archiver of `logins` that does a turn when it is told to."""

    corner: Corner
    limits: Limits = field(default_factory=lambda: Limits(records=10_000, interval=60.0))
    ids: Callable[[Sequence[str]], Mapping[str, str]] | None = None
    now: float = 1000.0
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    def run(self, story: Callable[[Archiver], Awaitable[None]]) -> None:
        """Start consumer and archiver, tell the story, stop."""
        asyncio.run(self._run(story))

    async def _run(self, story: Callable[[Archiver], Awaitable[None]]) -> None:
        settings, root = self.corner.settings, self.corner.root
        make_folder(root)
        consumer: Any = AIOKafkaConsumer(**consumer_options(settings.kafka))
        name = topic_name(settings.kafka, "logins")
        made = Archiver(
            consumer,
            Store(
                root=root,
                keys=keys.ensure_keys(settings.archive.key_file, root),
                pseudonyms=PSEUDONYMS,
            ),
            topics={name: "logins"},
            topic_ids=self.ids or (lambda names: topic_ids(settings.kafka, names)),
            limits=self.limits,
            clocks=Clocks(elapsed=lambda: self.now, now=lambda: AT),
            metrics=metrics.build(self.registry),
        )
        await consumer.start()
        try:
            consumer.subscribe([name], listener=made)
            await story(made)
        finally:
            await consumer.stop()

    def value(self, name: str, **labels: str) -> float:
        """A metric's value; 0 where nothing was counted."""
        return self.registry.get_sample_value(f"loginward_archive_{name}", labels) or 0.0

    async def turns_until(self, made: Archiver, true: Callable[[], bool]) -> None:
        """Turn until it is so."""
        for _ in range(TURNS):
            if true():
                return
            await made.turn()
        raise TimeoutError("not within the turns a test has")

    def lag(self) -> float:
        """Offsets in Kafka that are not sealed."""
        return self.value("lag_records", topic="logins")


def test_a_segment_is_cut_when_the_clock_says_so(corner: Corner) -> None:
    """Nothing is sealed before the interval has passed on its clock, and then all is."""
    corner.send("logins", [login(number) for number in range(100)])
    bench = Bench(corner=corner)

    async def story(made: Archiver) -> None:
        await bench.turns_until(made, lambda: bench.lag() == 100)
        await bench.turns_until(made, lambda: bench.value("pending_bytes") > 0)
        for _ in range(3):
            bench.now += 19.0
            await made.turn()
        assert list(segments(corner.root, "logins")) == []
        assert bench.value("oldest_pending_seconds") == 57.0
        bench.now += 60.0
        await bench.turns_until(made, lambda: bench.lag() == 0)

    bench.run(story)

    assert len(list(segments(corner.root, "logins"))) == 2
    assert bench.value("records_total", topic="logins") == 100
    assert bench.value("segments_total", topic="logins") == 2
    assert_complete(corner)


def test_full_memory_cuts_the_largest_partition_early(
    corner: Corner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond the bound of pending bytes it seals without waiting for clock or count."""
    monkeypatch.setattr(archiver_module, "BUFFER_BYTES", 10_000)
    corner.send("logins", [login(number) for number in range(400)])
    bench = Bench(corner=corner)

    async def story(made: Archiver) -> None:
        await bench.turns_until(made, lambda: bench.value("records_total", topic="logins") > 300)
        assert bench.value("pending_bytes") <= 10_000

    bench.run(story)


def test_records_of_a_topic_made_anew_meanwhile_are_read_again(corner: Corner) -> None:
    """Between reading and sealing the topic changed its id: nothing goes under the old one."""
    corner.send("logins", [login(number) for number in range(50)])
    real = topic_ids(corner.settings.kafka, [topic_name(corner.settings.kafka, "logins")])
    stale = dict.fromkeys(real, "A" * 22)
    answers = [stale]  # at the take-over; from then on Kafka tells the truth
    bench = Bench(
        corner=corner,
        limits=Limits(records=1, interval=60.0),
        ids=lambda _: answers.pop() if answers else real,
    )

    async def story(made: Archiver) -> None:
        await bench.turns_until(made, lambda: bench.value("records_total", topic="logins") == 50)

    bench.run(story)

    assert {part.topic_id for part, _ in segments(corner.root, "logins")} == set(real.values())
    assert_complete(corner)


def test_a_kafka_that_does_not_answer_is_asked_again(corner: Corner) -> None:
    """Nothing is sealed while nobody says which topic it is; what was read is kept."""
    corner.send("logins", [login(number) for number in range(50)])
    name = topic_name(corner.settings.kafka, "logins")
    real = topic_ids(corner.settings.kafka, [name])
    answers = [None, None, real, None, None]

    def ids(_: Sequence[str]) -> Mapping[str, str]:
        answer = answers.pop() if answers else real
        if answer is None:
            raise LoginwardError("no answer")
        return answer

    bench = Bench(corner=corner, limits=Limits(records=1, interval=60.0), ids=ids)

    async def story(made: Archiver) -> None:
        await bench.turns_until(made, lambda: bench.value("records_total", topic="logins") == 50)

    bench.run(story)

    assert answers == []
    assert bench.value("failures_total", cause="kafka") == 4
    assert_complete(corner)


def test_waiting_for_the_disk_reads_no_more(
    corner: Corner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the disk refuses, memory stays as it is, and each retry waits longer."""
    corner.send("logins", [login(number) for number in range(50)])
    bench = Bench(corner=corner, limits=Limits(records=1, interval=60.0))
    refusing = [True]

    def hit(name: str) -> None:
        if refusing[0] and name == "archive.parquet_half":
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("archive.durable.hit", hit)

    async def story(made: Archiver) -> None:
        await bench.turns_until(made, lambda: bench.value("waiting_for_disk") == 1)
        held = bench.value("pending_bytes")
        await asyncio.to_thread(corner.send, "logins", [login(n) for n in range(50, 500)])
        for wait in (1.0, 2.0, 4.0, 8.0):
            failures = bench.value("failures_total", cause="disk")
            bench.now += wait - 0.001
            await made.turn()
            assert bench.value("failures_total", cause="disk") == failures
            bench.now += 0.001
            await made.turn()
            assert bench.value("failures_total", cause="disk") == failures + 1
        assert bench.value("pending_bytes") == held
        refusing[0] = False
        bench.now += 60.0
        await bench.turns_until(made, lambda: bench.value("records_total", topic="logins") == 500)

    bench.run(story)

    assert bench.value("waiting_for_disk") == 0
    assert_complete(corner)


def test_a_redelivery_is_counted_and_left_out(corner: Corner) -> None:
    """The last archived record, read again to compare, is counted as read again."""
    corner.send("logins", [login(number) for number in range(20)])
    first = Bench(corner=corner, limits=Limits(records=1, interval=60.0))
    second = Bench(corner=corner, limits=Limits(records=1, interval=60.0))

    async def all_sealed(bench: Bench, made: Archiver, count: int) -> None:
        await bench.turns_until(made, lambda: bench.value("records_total", topic="logins") == count)

    first.run(lambda made: all_sealed(first, made, 20))
    corner.send("logins", [login(number) for number in range(20, 30)])
    second.run(lambda made: all_sealed(second, made, 10))

    assert second.value("redelivered_total", topic="logins") == 2  # one a partition
    assert_complete(corner)


def test_a_folder_that_holds_less_than_kafka_was_told_is_filled_again(
    corner: Corner, tmp_path: Path
) -> None:
    """An older copy of the archive, or another folder, is warned about and completed from Kafka."""
    corner.send("logins", [login(number) for number in range(40)])

    async def all_sealed(bench: Bench, made: Archiver) -> None:
        await bench.turns_until(made, lambda: bench.value("records_total", topic="logins") == 40)

    first = Bench(corner=corner, limits=Limits(records=1, interval=60.0))
    first.run(lambda made: all_sealed(first, made))
    corner.root.rename(tmp_path / "elsewhere")
    second = Bench(corner=corner, limits=Limits(records=1, interval=60.0))
    with structlog.testing.capture_logs() as said:
        second.run(lambda made: all_sealed(second, made))

    warned = [one for one in said if "less than Kafka was told" in one["event"]]
    assert [(one["held"], one["told"]) for one in warned] == [(0, 20), (0, 20)]
    assert_complete(corner)
