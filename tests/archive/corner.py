"""A test's own topics, archive and archiver processes, and the ledger of what it sent to Kafka."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from kafka import KafkaProducer

from archive.findings import Report
from archive.keys import ArchiveKeys, load_keys, load_public, public_file
from archive.read import ArchivedLogin, read_logins, read_records, segments
from archive.records import Record
from archive.verify import Verifier
from config.kafka import kafka_python_options, topic_name
from config.settings import Settings
from config.topics import TopicName
from detectors.events import LoginEvent

PATIENCE = 120.0
"""Seconds a test waits for another process before it fails."""

ROOT = Path(__file__).resolve().parent.parent.parent

LARGEST = 8 * 1024 * 1024
"""Bytes of a request at most: as `incidents` takes."""

Place = tuple[int, int]
"""Partition and offset."""


def wait_until(true: Callable[[], bool], what: str) -> None:
    """Ask until `true`; fail with `what` was awaited after PATIENCE."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {PATIENCE:.0f} s")
        time.sleep(0.02)


class Corner:
    """Where one test works; `ledger[topic][(partition, offset)]` is the value that was sent."""

    def __init__(self, settings: Settings, environ: dict[str, str]) -> None:
        self.settings = settings
        self.root = settings.archive.directory
        self.ledger: dict[str, dict[Place, bytes | None]] = {}
        self._environ = environ
        self._running: list[subprocess.Popen[bytes]] = []

    @property
    def keys(self) -> ArchiveKeys:
        """The archive's key, once an archiver has made it."""
        return load_keys(self.settings.archive.key_file)

    def send(
        self,
        topic: TopicName,
        values: Iterable[bytes | None],
        *,
        key: bytes | None = None,
        headers: list[tuple[str, bytes]] | None = None,
    ) -> None:
        """Send `values`, spread over the partitions, and note where Kafka put each."""
        producer = KafkaProducer(
            **kafka_python_options(self.settings.kafka), max_request_size=LARGEST
        )
        name = topic_name(self.settings.kafka, topic)
        sent = [
            (value, producer.send(name, value, key=key, partition=number % 2, headers=headers))
            for number, value in enumerate(values)
        ]
        for value, future in sent:
            at = future.get(timeout=PATIENCE)
            self.ledger.setdefault(topic, {})[at.partition, at.offset] = value
        producer.close()

    def archiver(self, failpoints: str = "", **environ: str) -> subprocess.Popen[bytes]:
        """Start one archiver; its stderr goes to a file of its own."""
        log = self._log(len(self._running)).open("wb")
        with log:
            process = subprocess.Popen(
                [sys.executable, "-m", "loginward_cli", "run", "archive"],
                cwd=ROOT,
                env=os.environ
                | self._environ
                | {"LOGINWARD_FAILPOINTS": failpoints, "PYTHONPATH": str(ROOT)}
                | environ,
                stderr=log,
            )
        self._running.append(process)
        return process

    def log(self, number: int) -> str:
        """What the archiver with this number said on stderr."""
        return self._log(number).read_text()

    def _log(self, number: int) -> Path:
        return self.settings.data_dir / f"archiver-{number}.log"

    def stop(self, process: subprocess.Popen[bytes]) -> int:
        """Ask an archiver to end, and wait for it."""
        process.send_signal(signal.SIGTERM)
        return process.wait(PATIENCE)

    def end(self) -> None:
        """Kill what still runs."""
        for process in self._running:
            if process.poll() is None:
                process.kill()
                process.wait(PATIENCE)

    def sealed(self, topic: str) -> int:
        """How many of the ledger's offsets of a topic the seals account for."""
        ends: dict[int, int] = {}
        for part, seal in segments(self.root, topic):
            ends[part.partition] = seal.last
        return sum(offset <= ends.get(partition, -1) for partition, offset in self.ledger[topic])

    def wait_sealed(self, topic: str) -> None:
        """Wait until every record of the ledger's topic is sealed."""
        total = len(self.ledger[topic])
        wait_until(lambda: self.sealed(topic) == total, f"{total} records of {topic} sealed")

    def logins(self) -> list[tuple[Place, LoginEvent]]:
        """Every archived login with its place, in the order of the archive."""
        return [
            ((login.part.partition, login.offset), login.event) for login in self.logins_in_full()
        ]

    def logins_in_full(self) -> list[ArchivedLogin]:
        """Every archived login with its topic id and all else."""
        return list(read_logins(self.root, self.keys))

    def records(self, topic: str) -> list[tuple[Place, Record]]:
        """Every archived record of another topic with its place."""
        return [
            ((part.partition, record.offset), record)
            for part, record in read_records(self.root, topic, self.keys)
        ]

    def verify(self) -> Report:
        """What `archive verify` says."""
        public = load_public(public_file(self.settings.archive.key_file))
        return Verifier(self.root, public, keys=self.keys).run()
