"""A broker killed in the middle of a run: no record is lost or doubled, and the ledger knows."""

from __future__ import annotations

import asyncio
import io
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import msgspec
from kafka.admin import KafkaAdminClient, NewTopic

from config.settings import load
from deploy.embedded import Stack
from detectors.pseudonyms import Pseudonyms
from loadtest.ledger import LedgerLine
from loadtest.pacing import Pace
from loadtest.run import deliveries
from loadtest.to_kafka import Target, send

from .conftest import MONDAY_MS, Make
from .test_to_kafka import PARTITIONS, read

_STEPS = 60


class KillingClock:
    """Time passes in waits alone; at the 20th Kafka is killed, and started again meanwhile."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._at = 0.0
        self._waits = 0
        self.restart: asyncio.Task[None] | None = None

    def now(self) -> float:
        """Seconds on this clock."""
        return self._at

    async def sleep(self, seconds: float) -> None:
        """Let time pass at once, and do harm."""
        self._at += seconds
        self._waits += 1
        if self._waits == 20:
            self._stack.kill_kafka()
            self.restart = asyncio.create_task(asyncio.to_thread(self._stack.start_kafka))
        await asyncio.sleep(0)


def test_the_ledger_survives_a_kill_of_the_broker(
    make: Make, stack_factory: Callable[..., Stack]
) -> None:
    """Kill -9 between acknowledgements, and a start a moment later: topic and ledger are equal."""
    stack = stack_factory(valkey=False)
    stack.up()
    kafka = replace(load(environ={}).kafka, bootstrap=stack.endpoints.kafka_bootstrap)
    admin = KafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    admin.create_topics([NewTopic(name="logins", num_partitions=PARTITIONS, replication_factor=1)])
    admin.close()
    run = deliveries(make.request("A+G", rate=500.0, duration_ms=_STEPS * 1000))
    clock, out = KillingClock(stack), io.BytesIO()
    pace = Pace(start_ms=MONDAY_MS, speedup=10.0, clock=clock)
    target = Target(kafka=kafka, topic="logins", pseudonyms=Pseudonyms(b"k" * 32))

    tally = asyncio.run(send(run, target, pace, out))

    assert clock.restart is not None
    told = [msgspec.json.decode(line, type=LedgerLine) for line in out.getvalue().splitlines()]
    found = read(kafka, "logins")
    assert len(told) == len(found) == tally.records
    for line in told:
        assert line.partition is not None
        assert line.offset is not None
        assert f'"{line.event_id}"'.encode() in (found[line.partition, line.offset][1] or b"")
    assert max(Counter(line.event_id for line in told).values()) == 1
