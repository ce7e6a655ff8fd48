"""Worker processes and what they did, for the tests of this folder."""

from __future__ import annotations

import itertools
import json
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from kafka import KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient

from config.kafka import answered

from . import stock_worker, worker

WAIT_S = 120  # for one expected line; a bound, never a measure
_LOOK_S = 0.01

# Workers are forked from a process that has imported everything: a second less for each of them.
_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["stream.transport", worker.__name__, stock_worker.__name__])

Main = Callable[[dict[str, Any]], int]


def _run(main: Main, plan: dict[str, Any], out: str, err: str) -> None:
    """Be the worker: its output goes to files, which outlive a kill."""
    for path, standard in ((out, 1), (err, 2)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), standard)
    os.chdir(Path(out).parent)
    sys.exit(main(plan))


class Worker:
    """One worker process."""

    def __init__(self, plan: dict[str, Any], main: Main = worker.main) -> None:
        self.said: list[str] = []
        self._read = 0
        stem = f"{plan['journal']}.{time.monotonic_ns()}"
        self.output, self.errors = Path(f"{stem}.stdout"), Path(f"{stem}.stderr")
        arguments = (main, plan, str(self.output), str(self.errors))
        self.process = _context.Process(target=_run, args=arguments, daemon=True)
        self.process.start()

    def wait_for(self, *prefixes: str, within: float = WAIT_S) -> None:
        """Read on until a line began with each of these; fails with what was said instead."""
        missing = set(prefixes)
        for line in self._lines(time.monotonic() + within):
            missing -= {prefix for prefix in missing if line.startswith(prefix)}
            if not missing:
                return
        raise AssertionError(
            f"no {missing} (exit {self.process.exitcode}): {self.said[-20:]}\n{self.complaints()}"
        )

    def wait_for_silence(self, seconds: float) -> None:
        """Read on until nothing was said for so long: for what must not happen."""
        while any(True for _ in itertools.islice(self._lines(time.monotonic() + seconds), 1)):
            pass

    def _lines(self, deadline: float) -> Iterator[str]:
        while True:
            ended = self.ended
            data = self.output.read_bytes() if self.output.exists() else b""
            while (end := data.find(b"\n", self._read)) >= 0:
                self.said.append(data[self._read : end].decode())
                self._read = end + 1
                yield self.said[-1]
            if ended or time.monotonic() > deadline:
                return
            time.sleep(_LOOK_S)

    @property
    def ended(self) -> bool:
        """Whether the process is gone."""
        return self.process.exitcode is not None

    def complaints(self) -> str:
        """What it wrote to standard error."""
        return self.errors.read_text() if self.errors.exists() else ""

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        assert self.process.pid is not None
        os.kill(self.process.pid, number)

    def terminate(self) -> int:
        """SIGTERM; the exit code."""
        self.signal(signal.SIGTERM)
        return self.exit_code()

    def kill(self) -> None:
        """Send SIGKILL and reap it."""
        self.process.kill()
        self.process.join()

    def close(self) -> None:
        """Leave nothing behind."""
        self.kill()
        self.process.close()

    def exit_code(self, within: float = WAIT_S) -> int:
        """Wait for its end."""
        self.process.join(within)
        if self.process.exitcode is None:
            self.kill()
            raise AssertionError(f"did not end: {self.complaints()}")
        return self.process.exitcode


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
    groups = answered(lambda: admin.list_group_offsets(group), timedelta(seconds=WAIT_S))
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
