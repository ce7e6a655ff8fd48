"""Logs to Kafka: every line delivered, each refusal with its reason, nothing lost by kill -9."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaConsumer, TopicPartition

from config.kafka import ensure_topics
from config.settings import load
from detectors import wire
from detectors.events import LoginEvent
from tests.checkout import ROOT

COMMAND = (sys.executable, "-m", "loginward_cli", "ingest")
LINE = "2026-11-22T10:00:{:02}Z h sshd[{}]: Failed password for u{} from 198.51.100.7 port 1 ssh2"


class Bench:
    """A home and topics of this test's own, the command, and what it left in Kafka."""

    def __init__(self, folder: Path, bootstrap: str, prefix: str) -> None:
        self.folder = folder
        self.log = folder / "auth.log"
        self.environ = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "HOME": str(folder),
            "LOGINWARD_HOME": str(folder / "home"),
            "KAFKA_BOOTSTRAP": bootstrap,
            "LOGINWARD_KAFKA_TOPIC_PREFIX": prefix,
        }
        self.prefix = prefix
        self.bootstrap = bootstrap

    def write(self, first: int, last: int) -> None:
        """Append failures of the accounts u<first> to u<last>."""
        with self.log.open("a") as log:
            for n in range(first, last + 1):
                log.write(LINE.format(n % 60, n, n) + "\n")

    def start(self, *args: str, **environ: str) -> subprocess.Popen[str]:
        """`loginward ingest --source openssh --json ARGS`, running."""
        return subprocess.Popen(
            [*COMMAND, "--source", "openssh", "--json", *args],
            cwd=self.folder,
            env=self.environ | environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *args: str, source: str = "openssh", stdin: str = "") -> dict[str, Any]:
        """The command to its end; its JSON with exit code and stderr."""
        done = subprocess.run(
            [*COMMAND, "--source", source, "--json", *args],
            cwd=self.folder,
            env=self.environ,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        told = json.loads(done.stdout.splitlines()[-1]) if done.stdout else {}
        return told | {"exit": done.returncode, "stderr": done.stderr}

    def records(self, topic: str = "logins") -> list[Any]:
        """Every record of a topic, by partition and offset."""
        consumer = KafkaConsumer(bootstrap_servers=self.bootstrap, enable_auto_commit=False)
        try:
            name = self.prefix + topic
            parts = [TopicPartition(name, n) for n in consumer.partitions_for_topic(name)]
            consumer.assign(parts)
            ends = consumer.end_offsets(parts)
            consumer.seek_to_beginning(*parts)
            got: list[Any] = []
            while any(consumer.position(part) < ends[part] for part in parts):
                for batch in consumer.poll(timeout_ms=1000).values():
                    got += batch
            return got
        finally:
            consumer.close()

    def events(self) -> list[LoginEvent]:
        """Every event in `logins`."""
        return [wire.decode(record.value) for record in self.records()]

    def until(self, done: Callable[[], bool]) -> None:
        """Wait for something Kafka or the disk will show; bounded."""
        for _ in range(1200):
            if done():
                return
            threading.Event().wait(0.1)
        raise TimeoutError


@pytest.fixture
def bench(tmp_path: Path, kafka_bootstrap: str, request: pytest.FixtureRequest) -> Bench:
    """Give topics and a home that no other test uses."""
    prefix = f"t{abs(hash(request.node.nodeid)) % 10**9}-"
    made = Bench(tmp_path, kafka_bootstrap, prefix)
    ensure_topics(load(environ=made.environ).kafka)
    return made


def test_a_file_arrives_whole(bench: Bench) -> None:
    """Events keyed by pseudonym, received when they occurred; nothing else in the topic."""
    bench.write(1, 50)

    told = bench.run("auth.log")
    records = bench.records()
    events = [wire.decode(record.value) for record in records]

    assert (told["exit"], told["lines"], told["events"]) == (0, 50, 50)
    assert sorted(event.account or "" for event in events) == sorted(f"u{n}" for n in range(1, 51))
    assert all(event.received_at == event.occurred_at for event in events)
    assert all(record.headers in ([], ()) for record in records)
    keys = {event.account: record.key for event, record in zip(events, records, strict=True)}
    assert len(set(keys.values())) == 50
    assert not any(b"u" in key for key in keys.values())


def test_a_file_sent_twice_is_the_same_events(bench: Bench) -> None:
    """Whoever reads `logins` tells repeats by their ids."""
    bench.write(1, 3)
    bench.run("auth.log")
    once = {event.event_id for event in bench.events()}

    bench.run("auth.log")

    assert len(bench.events()) == 6
    assert {event.event_id for event in bench.events()} == once


def test_a_backfill_is_marked(bench: Bench) -> None:
    """Every record of it carries the header that keeps pages and notices away."""
    bench.write(1, 3)
    with bench.log.open("a") as log:
        log.write("no syslog\n")

    bench.run("--backfill", "auth.log")

    marks = [r.headers for r in [*bench.records(), *bench.records("logins.rejected")]]
    assert len(marks) == 4
    assert all(("backfill", b"1") in headers for headers in marks)


def test_an_event_without_account_is_keyed_by_its_emitter(bench: Bench) -> None:
    """It counts for its address; its partition is the system's."""
    event = {"schema": 1, "event_id": "e", "occurred_at": "2026-11-22T10:00:00Z", "system": "web"}
    (bench.folder / "e.jsonl").write_text(
        json.dumps(event | {"account": None, "ip": "192.0.2.1", "outcome": "failure"})
    )

    bench.run("e.jsonl", source="jsonl")

    assert [record.key for record in bench.records()] == [b"web"]


def test_unparsable_lines_go_to_the_rejects_with_reason_and_place(bench: Bench) -> None:
    """Bytes as they were, NULs included; a 10 MB line as its beginning, hash and length."""
    bad = b"no syslog \x00\x1b[2J\xff"
    bench.log.write_bytes(bad + b"\n" + b"x" * 10_000_000 + b"\n")
    bench.write(1, 1)

    told = bench.run("auth.log")
    rejects = {dict(r.headers)["reason"]: r for r in bench.records("logins.rejected")}
    first, long = rejects[b"unparsable_line"], rejects[b"too_large"]

    assert (told["exit"], told["events"], told["unparsable"]) == (0, 1, 2)
    assert "auth.log:1: unparsable_line: no syslog line" in told["stderr"]
    assert "\x1b" not in told["stderr"]
    assert first.value == bad
    assert {k: dict(first.headers)[k] for k in ("source", "system", "file", "line")} == {
        "source": b"openssh",
        "system": b"openssh",
        "file": b"auth.log",
        "line": b"1",
    }
    assert (len(long.value), dict(long.headers)["length"]) == (65536, b"10000000")
    assert len(dict(long.headers)["sha256"]) == 64


def test_nothing_that_fits_is_bad_input(bench: Bench) -> None:
    """A file of something else is named; its lines are kept as rejects all the same."""
    bench.log.write_text("a\nb\n")

    told = bench.run("auth.log")

    assert told["exit"] == 2
    assert "none of 2 lines fits the source openssh" in told["stderr"]
    assert len(bench.records("logins.rejected")) == 2


def test_stdin_is_received_now_unless_it_is_old(bench: Bench) -> None:
    """A pipe may bring live lines or an old log: a line that no wrong clock explains is old."""
    lines = [LINE.format(1, 1, 1), LINE.format(1, 2, 2).replace("2026", "2099")]

    bench.run("-", stdin="\n".join(lines).replace("2026-", "2016-") + "\n")
    by_account = {event.account: event for event in bench.events()}

    assert by_account["u1"].received_at == by_account["u1"].occurred_at
    assert by_account["u2"].skewed


def test_a_followed_log_arrives_as_it_is_written(bench: Bench) -> None:
    """Lines come while it runs, across a rotation; after SIGTERM the next run goes on behind."""
    bench.write(1, 5)
    process = bench.start("--follow", "auth.log")
    bench.until(lambda: len(bench.records()) == 5)
    second = bench.run("--follow", "auth.log")
    bench.write(6, 8)
    bench.log.rename(bench.folder / "auth.log.1")
    bench.write(9, 10)
    bench.until(lambda: len(bench.records()) == 10)
    process.terminate()
    out, _ = process.communicate(timeout=120)
    bench.write(11, 12)
    again = bench.start("--follow", "auth.log")
    bench.until(lambda: len(bench.records()) >= 12)
    again.send_signal(signal.SIGINT)
    again.communicate(timeout=120)

    assert (process.returncode, again.returncode) == (0, 0)
    assert json.loads(out.splitlines()[-1])["events"] == 10
    assert sorted(e.account or "" for e in bench.events()) == sorted(f"u{n}" for n in range(1, 13))
    live = [event for event in bench.events() if event.account in {"u9", "u10"}]
    assert all(event.received_at != event.occurred_at for event in live)
    assert second["exit"] == 2
    assert "another process follows this log" in second["stderr"]
    assert "Traceback" not in second["stderr"]


def test_a_kill_9_loses_nothing(bench: Bench) -> None:
    """Killed between delivery and position: all comes again with the same ids, then the rest."""
    bench.write(1, 5)
    killed = bench.start("--follow", "auth.log", LOGINWARD_FAILPOINTS="ingest.after_deliver=kill")
    _, err = killed.communicate(timeout=120)
    bench.log.rename(bench.folder / "auth.log.1")
    bench.write(6, 7)
    again = bench.start("--follow", "auth.log")
    bench.until(lambda: len({event.account for event in bench.events()}) == 7)
    again.terminate()
    again.communicate(timeout=120)

    assert killed.returncode == -signal.SIGKILL
    assert "failpoint ingest.after_deliver: kill" in err
    assert len(bench.events()) == 12
    assert len({event.event_id for event in bench.events()}) == 7
