"""How much memory an attack takes: a real Valkey, filled by the real worker with profile C.

Memory is rate times lifetime: what is known of an address stays as long as a window may need it, so
what must fit is what comes in that time. Measured is what an address takes; the rest is
multiplication, and stands beside what profile C would need at its source's volume.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import msgspec
import redis
from kafka import KafkaConsumer, TopicPartition

from config.kafka import ensure_topics, kafka_python_options, topic_name
from config.settings import Settings, load
from deploy.embedded import Stack
from detectors.errors import LoginwardError, escaped
from detectors.pseudonyms import KEY_BYTES, Pseudonyms
from loadtest.bench.contenders import environment
from loadtest.pacing import Pace, WallClock
from loadtest.profile import parse
from loadtest.profiles.c import PLAN
from loadtest.run import Request, deliveries
from loadtest.to_kafka import Target, send

from .trial import START_MS

_CUSTOMERS: Final = 100_000
_SPAN: Final = timedelta(hours=2)
"""All of it comes in so short a time that nothing of it is forgotten meanwhile."""
_SAMPLED: Final = 100
"""One key of so many is weighed."""
_IDLE_S: Final = 120.0
_SCANNED: Final = 10_000
_TAIL: Final = 2_000
_MIB: Final = 1024 * 1024
_HOUR_MS: Final = 3_600_000
_FIELDS: Final = ("origin", "reason", "account_class", "device_id", "fingerprint", "user_agent")

_KINDS: Final = {
    "i": "identities of logins",
    "w": "logs of addresses, accounts and networks",
    "m": "memory of accounts",
    "o": "alerts on their way",
    "e": "what was told of alerts",
    "u": "what waits to be judged again",
}


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """Keys of one kind: how many, what they weigh by sample, how long the longest still lives."""

    keys: int
    mb: float
    hours: float


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured. `used_mb` is Valkey's `used_memory` less that of an empty one, `rss_mb`
    what its process took at most. `by_kind` adds up to about `used_mb`.

    Calculated: `per_hour` addresses come in an hour of profile C's spikes at its source's volume,
    `hours` is how long a log lives, `needed_mb` what the attack takes by that: the addresses of its
    busiest time of so long, times `bytes_an_address`. `million_mb`: 1,000,000 addresses.
    """

    addresses: int
    attempts: int
    used_mb: float
    rss_mb: float
    bytes_an_address: int
    million_mb: int
    by_kind: dict[str, Kept]
    per_hour: int
    hours: float
    needed_mb: int
    took_s: float


def measure(addresses: int, advance: Callable[[int], None] = lambda _: None) -> Memory:
    """Fill an embedded stack of its own; `advance` hears of attempts as they are judged.

    Raises LoginwardError where detect ends, or judges nothing for two minutes.
    """
    begun = time.monotonic()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="loginward-memory-")))
        servers = stack.enter_context(Stack(folder / "stack", owned=True))
        environ = environment(folder / "home") | servers.endpoints.environ()
        settings = load(environ=environ)
        ensure_topics(settings.kafka)
        client = stack.enter_context(redis.Redis.from_url(settings.redis.url))
        before = _used(client)
        attempts = _write(settings, addresses)
        with _detect(environ, folder / "detect.log") as worker:
            _judged(settings, attempts, worker, folder / "detect.log", advance)
        info: dict[str, Any] = client.info("memory")
        kinds, found, hours = _weighed(client)
        used = int(info["used_memory"]) - before
    return told(
        addresses=found,
        attempts=attempts,
        used=used,
        rss=int(info["used_memory_rss"]),
        kinds=kinds,
        hours=hours,
        took_s=time.monotonic() - begun,
    )


def told(
    *,
    addresses: int,
    attempts: int,
    used: int,
    rss: int,
    kinds: dict[str, Kept],
    hours: float,
    took_s: float,
) -> Memory:
    """The figures of a filled Valkey (bytes), and what follows for profile C."""
    each = used / max(1, addresses)
    return Memory(
        addresses=addresses,
        attempts=attempts,
        used_mb=round(used / _MIB, 1),
        rss_mb=round(rss / _MIB, 1),
        bytes_an_address=round(each),
        million_mb=round(each * 1_000_000 / _MIB),
        by_kind=kinds,
        per_hour=round(PLAN.volume.per_day(0) / 24 / PLAN.per_address),
        hours=round(hours, 1),
        needed_mb=round(_most_within(hours) * each / _MIB),
        took_s=round(took_s, 1),
    )


def _most_within(hours: float) -> float:
    """How many addresses profile C has at its source's volume in its busiest time of so long."""
    life, volume = round(hours * _HOUR_MS), PLAN.volume
    whole = volume.duration // timedelta(milliseconds=1)

    def until(at_ms: int) -> float:
        return volume.expected(0, min(at_ms, whole)) if at_ms else 0.0

    starts = range(0, whole, _HOUR_MS)
    return max(until(start + life) - until(start) for start in starts) / PLAN.per_address


def lines(memory: Memory) -> Iterator[str]:
    """The figures for people."""
    yield (
        f"{memory.addresses:,} attacking addresses, {memory.attempts:,} attempts (profile C): "
        f"{memory.used_mb:,.1f} MB of Valkey, {memory.bytes_an_address:,} bytes an address "
        f"({memory.rss_mb:,.1f} MB resident)"
    )
    for kind, kept in memory.by_kind.items():
        yield f"  {kind}: {kept.keys:,} keys, {kept.mb:,.1f} MB, for {kept.hours:,.1f} h at most"
    yield f"1,000,000 addresses: {memory.million_mb:,} MB"
    yield (
        f"rate x lifetime for profile C at its source's volume: {memory.per_hour:,} addresses in "
        f"an hour of a spike, a log lives {memory.hours:,.1f} h, its busiest {memory.hours:,.1f} h "
        f"take {memory.needed_mb:,} MB"
    )


def _write(settings: Settings, addresses: int) -> int:
    events = round(addresses * PLAN.per_address)
    request = Request(
        shares=parse("C"),
        seed=1,
        start_ms=START_MS,
        events=events,
        duration_ms=_SPAN // timedelta(milliseconds=1),
        customers=_CUSTOMERS,
        fields=_FIELDS,
    )
    target = Target(
        kafka=settings.kafka,
        topic=topic_name(settings.kafka, "logins"),
        pseudonyms=Pseudonyms(bytes(KEY_BYTES)),
    )
    pace = Pace(start_ms=START_MS, speedup=None, clock=WallClock())
    return asyncio.run(send(deliveries(request), target, pace)).events


@contextmanager
def _detect(environ: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as errors:
        worker = subprocess.Popen(
            [sys.executable, "-m", "loginward_cli", "run", "detect"],
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=errors,
            stderr=errors,
        )
    try:
        yield worker
    finally:
        worker.terminate()
        try:
            worker.wait(30)
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait()


class _Batch(msgspec.Struct, frozen=True):
    """The part of a record of `judged` that is counted."""

    read: int


def _judged(
    settings: Settings,
    attempts: int,
    worker: subprocess.Popen[bytes],
    log: Path,
    advance: Callable[[int], None],
) -> None:
    """Wait until every attempt is judged and its effects are durable."""
    topic = topic_name(settings.kafka, "judged")
    decode = msgspec.json.Decoder(_Batch).decode
    consumer = KafkaConsumer(**kafka_python_options(settings.kafka), enable_auto_commit=False)
    try:
        places = consumer.partitions_for_topic(topic) or set()
        consumer.assign([TopicPartition(topic, number) for number in places])
        consumer.seek_to_beginning()
        read, heard = 0, time.monotonic()
        while read < attempts:
            batches = consumer.poll(500)
            new = sum(decode(one.value).read for found in batches.values() for one in found)
            read += new
            advance(new)
            heard = time.monotonic() if new else heard
            if worker.poll() is not None or time.monotonic() - heard > _IDLE_S:
                end = log.read_text(encoding="utf-8", errors="replace").strip()[-_TAIL:]
                raise LoginwardError(
                    f"detect judged {read:,} of {attempts:,} attempts and no more; its log ends: "
                    + escaped(end, _TAIL)
                )
    finally:
        consumer.close()


def _used(client: redis.Redis) -> int:
    return int(client.info("memory")["used_memory"])


def _weighed(client: redis.Redis) -> tuple[dict[str, Kept], int, float]:
    """Keys by kind, how many addresses have a log, and how long such a log lives (hours)."""
    keys: Counter[str] = Counter()
    weight: Counter[str] = Counter()
    lives: dict[str, float] = {}
    addresses, log_hours = 0, 0.0
    for number, key in enumerate(client.scan_iter(count=_SCANNED)):
        kind = key[:1].decode()
        keys[kind] += 1
        of_address = kind == "w" and b":ip:" in key
        addresses += of_address
        if number % _SAMPLED == 0 or keys[kind] <= _SAMPLED:
            # Of a kind with few keys all are weighed, of the others one of a hundred.
            factor = 1 if keys[kind] <= _SAMPLED else _SAMPLED
            weight[kind] += factor * int(client.memory_usage(key, samples=0) or 0)
            hours = max(0, int(client.pttl(key))) / _HOUR_MS
            lives[kind] = max(lives.get(kind, 0.0), hours)
            log_hours = max(log_hours, hours) if of_address else log_hours
    kinds = {
        _KINDS.get(kind, f"others ({kind})"): Kept(
            keys=count, mb=round(weight[kind] / _MIB, 1), hours=round(lives.get(kind, 0.0), 1)
        )
        for kind, count in keys.most_common()
    }
    return kinds, addresses, log_hours
