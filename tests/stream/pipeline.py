"""A detect worker and a relay as real processes, on topics and a database of the test's own."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from config.kafka import aiokafka_options, ensure_topics, group_name, topic_name
from config.settings import Settings, load
from config.topics import TopicName
from tests.checkout import ROOT

PATIENCE_S = 90.0


@dataclass(slots=True)
class Pipeline:
    """Parts run as `loginward run` would run them, with settings in the environment alone."""

    folder: Path
    prefix: str
    bootstrap: str
    redis_url: str
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """What a part reads."""
        return {
            **os.environ,
            "KAFKA_BOOTSTRAP": self.bootstrap,
            "REDIS_URL": self.redis_url,
            "LOGINWARD_HOME": str(self.folder),
            "LOGINWARD_KAFKA_TOPIC_PREFIX": self.prefix,
            "LOGINWARD_KAFKA_PARTITIONS": "2",
            "PYTHONPATH": str(ROOT),
            **self.extra,
        }

    @property
    def settings(self) -> Settings:
        """The same settings as the parts read."""
        return load(environ=self.environment)

    @contextmanager
    def running(self, part: str, name: str | None = None) -> Iterator[subprocess.Popen[bytes]]:
        """A part while the block runs; ended as an operator would. `name`: of its log."""
        with (self.folder / f"{name or part}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "loginward_cli", "run", part],
                env=self.environment,
                stdout=log,
                stderr=log,
            )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(timeout=PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def log(self, part: str) -> str:
        """What a part has said so far."""
        return (self.folder / f"{part}.log").read_text()

    def send(
        self, values: list[bytes], compression: str | None = None, *, partitions: int = 1
    ) -> None:
        """Records into `logins`, in turns into so many partitions, delivered when this returns."""
        ensure_topics(self.settings.kafka)
        asyncio.run(self._send(values, compression, partitions))

    async def _send(self, values: list[bytes], compression: str | None, partitions: int) -> None:
        options = aiokafka_options(self.settings.kafka)
        producer = AIOKafkaProducer(
            **options, compression_type=compression, max_request_size=16 * 1024 * 1024
        )
        await producer.start()
        try:
            topic = topic_name(self.settings.kafka, "logins")
            for number, value in enumerate(values):
                await producer.send_and_wait(topic, value, partition=number % partitions)
        finally:
            await producer.stop()

    def records(self, name: TopicName) -> list[Any]:
        """Everything that stands in a topic now."""
        return asyncio.run(self._records(name))

    async def _records(self, name: TopicName) -> list[Any]:
        kafka = self.settings.kafka
        topic = topic_name(kafka, name)
        consumer = AIOKafkaConsumer(**aiokafka_options(kafka), enable_auto_commit=False)
        await consumer.start()
        try:
            parts = [TopicPartition(topic, number) for number in range(kafka.partitions)]
            consumer.assign(parts)
            await consumer.seek_to_beginning()
            ends = await consumer.end_offsets(parts)
            found: list[Any] = []
            for part, end in ends.items():
                while await consumer.position(part) < end:
                    batches = await consumer.getmany(part, timeout_ms=500)
                    found += [record for batch in batches.values() for record in batch]
            return found
        finally:
            await consumer.stop()

    def judged(self) -> Counter[str]:
        """The sums of `judged`."""
        total: Counter[str] = Counter()
        for record in self.records("judged"):
            batch = msgspec.json.decode(record.value)
            total.update({key: batch[key] for key in ("read", "judged", "duplicates", "rejected")})
        return total

    def wait_until_read(self, count: int) -> Counter[str]:
        """The sums of `judged` once `count` records were read; fails with the worker's log."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            total = self.judged()
            if total["read"] >= count:
                return total
            time.sleep(0.2)
        raise AssertionError(f"{total} after {PATIENCE_S} s:\n{self.log('detect')[-3000:]}")

    def committed(self) -> int:
        """Offsets that the detect group has committed, all partitions together."""
        return asyncio.run(self._committed())

    async def _committed(self) -> int:
        kafka = self.settings.kafka
        topic = topic_name(kafka, "logins")
        consumer = AIOKafkaConsumer(
            **aiokafka_options(kafka),
            group_id=group_name(kafka, "detect"),
            enable_auto_commit=False,
        )
        await consumer.start()
        try:
            parts = [TopicPartition(topic, number) for number in range(kafka.partitions)]
            return sum([await consumer.committed(part) or 0 for part in parts])
        finally:
            await consumer.stop()
