"""Worker processes and what they did, for the tests of this folder."""

from __future__ import annotations

import itertools
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from kafka import KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = Path(__file__).with_name("worker.py")
WAIT_S = 60  # for one expected line; a bound, never a measure


class Worker:
    """One worker process."""

    def __init__(self, plan: dict[str, Any], script: Path = SCRIPT) -> None:
        self.said: list[str] = []
        self._rest = b""
        self.errors = Path(f"{plan['journal']}.{time.monotonic_ns()}.stderr")
        with self.errors.open("wb") as errors:
            self.process = subprocess.Popen(
                [sys.executable, str(script), json.dumps(plan)],
                stdout=subprocess.PIPE,
                stderr=errors,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                cwd=self.errors.parent,
            )

    def wait_for(self, *prefixes: str, within: float = WAIT_S) -> None:
        """Read on until a line began with each of these; fails with what was said instead."""
        missing = set(prefixes)
        for line in self._lines(time.monotonic() + within):
            missing -= {prefix for prefix in missing if line.startswith(prefix)}
            if not missing:
                return
        raise AssertionError(
            f"no {missing} (exit {self.process.poll()}): {self.said[-20:]}\n{self.complaints()}"
        )

    def wait_for_silence(self, seconds: float) -> None:
        """Read on until nothing was said for so long: for what must not happen."""
        while any(True for _ in itertools.islice(self._lines(time.monotonic() + seconds), 1)):
            pass

    def _lines(self, deadline: float) -> Iterator[str]:
        assert self.process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while (left := deadline - time.monotonic()) > 0:
                while b"\n" in self._rest:
                    line, self._rest = self._rest.split(b"\n", 1)
                    self.said.append(line.decode())
                    yield self.said[-1]
                if selector.select(left):
                    data = os.read(self.process.stdout.fileno(), 65536)
                    if not data:
                        return
                    self._rest += data

    def complaints(self) -> str:
        """What it wrote to standard error."""
        return self.errors.read_text()

    def terminate(self) -> int:
        """SIGTERM; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.exit_code()

    def kill(self) -> None:
        """Send SIGKILL and reap it."""
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        """Leave nothing behind."""
        self.kill()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def exit_code(self, within: float = WAIT_S) -> int:
        """Wait for its end."""
        try:
            return self.process.wait(within)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"did not end: {self.complaints()}") from None


class Handled:
    """What journals say was handled."""

    def __init__(self, *journals: Path) -> None:
        self.lines = [
            json.loads(line)
            for journal in journals
            if journal.exists()
            for line in journal.read_text().splitlines()
        ]

    def below(self, partition: int) -> int:
        """The largest offset such that every one below it was handled."""
        reached = 0
        for line in sorted(self._of(partition), key=lambda line: int(line["start"])):
            if line["start"] > reached:
                break
            reached = max(reached, line["end"])
        return reached

    def offsets(self, partition: int) -> list[int]:
        """Offsets of all records handled, as often as they were."""
        return [offset for line in self._of(partition) for offset in line["offsets"]]

    def damaged(self, partition: int) -> list[int]:
        """Offsets that were reported as unreadable."""
        lines = [line for line in self._of(partition) if line["damage"]]
        return [offset for line in lines for offset in range(line["start"], line["end"])]

    def values(self) -> list[str | None]:
        """Values of all records handled, in the order of the journals."""
        return [value for line in self.lines for value in line.get("values", [])]

    def _of(self, partition: int) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["partition"] == partition]


def committed(admin: KafkaAdminClient, group: str, topic: str) -> dict[int, int]:
    """Committed offset by partition; partitions without one are missing."""
    while True:
        try:
            groups = admin.list_group_offsets(group)
            break
        except KafkaError as error:  # the broker has only just started
            if not error.retriable:
                raise
            time.sleep(0.05)
    found = groups.get(group, {}) if group in groups else groups
    return {
        tp.partition: meta.offset
        for tp, meta in found.items()
        if isinstance(tp, TopicPartition) and tp.topic == topic and meta.offset >= 0
    }


def produce(
    bootstrap: str,
    topic: str,
    counts: Sequence[int],
    *,
    first: int = 0,
    size: int = 20,
    frame: int = 0,
    **options: Any,
) -> None:
    """Append `counts[p]` records to each partition p, values `p:i` padded to `size`.

    With `frame`, every so many records are a record batch of their own.
    """
    producer = KafkaProducer(
        **{"bootstrap_servers": bootstrap, "linger_ms": 5, "batch_size": 2000, **options}
    )
    for partition, count in enumerate(counts):
        for i in range(first, first + count):
            producer.send(topic, value=f"{partition}:{i}".ljust(size).encode(), partition=partition)
            if frame and (i + 1 - first) % frame == 0:
                producer.flush()
    producer.flush()
    producer.close()


def eventually(probe: Any, expected: object, *, within: float = WAIT_S) -> None:
    """Ask until the answer is as expected; fails with the last answer."""
    deadline = time.monotonic() + within
    answer = probe()
    while answer != expected:
        if time.monotonic() > deadline:
            raise AssertionError(f"{answer!r} did not become {expected!r}")
        time.sleep(0.05)
        answer = probe()
