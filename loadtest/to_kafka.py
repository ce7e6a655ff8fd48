"""A run into the topic `logins`: idempotent, every delivery awaited, every offset in the ledger."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from zlib import crc32

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from config.kafka import producer_options
from config.sections import KafkaSettings
from detectors.errors import LoginwardError
from detectors.pseudonyms import Pseudonyms

from .delivery import Deliveries, Delivery, Tally
from .ledger import Sink
from .pacing import Pace

BATCH_BYTES = 512 * 1024
"""Of one partition, before compression: half of what the topic takes."""

_IN_FLIGHT = 4
"""Batches a partition that may wait for their acknowledgement: bounds memory."""

_SEARCH_S = 10
"""How long a topic is looked for: one that was just made is known within a second."""

_PATIENCE_MS = 600_000
"""A broker that is killed and comes back within ten minutes loses nothing of a run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a run goes: a topic that exists, and the key under which accounts get pseudonyms."""

    kafka: KafkaSettings
    topic: str
    pseudonyms: Pseudonyms


@dataclass(slots=True)
class _Sent:
    """A batch on its way and the ledger lines that wait for its first offset."""

    partition: int
    first: asyncio.Future[Any]
    truths: list[str]


@dataclass(slots=True)
class _Sender:
    producer: Any
    topic: str
    ledger: Sink | None
    partitions: int
    key_of: Any
    open: dict[int, Any] = field(default_factory=dict)
    truths: dict[int, list[str]] = field(default_factory=dict)
    flying: deque[_Sent] = field(default_factory=deque)

    async def take(self, chunk: list[Delivery]) -> None:
        """Put every record of a chunk into its partition's batch; full batches leave."""
        now_ms = int(time.time() * 1000)
        for delivery in chunk:
            key, partition = self.key_of(delivery.key, delivery.emitter)
            record = {"timestamp": now_ms, "key": key, "value": delivery.value}
            if self._batch(partition).append(**record) is None:
                await self._leave(partition)
                if self._batch(partition).append(**record) is None:
                    raise LoginwardError(
                        f"a record of {len(delivery.value or b'')} bytes: too long"
                    )
            self.truths[partition].append(delivery.truth)

    def _batch(self, partition: int) -> Any:
        batch = self.open.get(partition)
        if batch is None:
            batch = self.open[partition] = self.producer.create_batch()
            self.truths[partition] = []
        return batch

    async def leave_all(self) -> None:
        """Send what is gathered, full or not."""
        for partition in sorted(self.open):
            await self._leave(partition)

    async def _leave(self, partition: int) -> None:
        batch = self.open.pop(partition)
        batch.close()
        first = await self.producer.send_batch(batch, self.topic, partition=partition)
        self.flying.append(_Sent(partition, first, self.truths.pop(partition)))
        while len(self.flying) > _IN_FLIGHT * self.partitions:
            await self._landed()

    async def land_all(self) -> None:
        """Await every delivery."""
        while self.flying:
            await self._landed()

    async def _landed(self) -> None:
        sent = self.flying.popleft()
        first = (await sent.first).offset
        if first < 0:
            # The broker had the batch already and forgot where (aiokafka DuplicateSequenceNumber).
            raise LoginwardError(
                f"{self.topic}/{sent.partition}: acknowledged without an offset; the ledger would "
                "be wrong: run again into a fresh topic"
            )
        if self.ledger is not None:
            place = f',"partition":{sent.partition},"offset":'
            lines = [f"{told}{place}{at}}}\n" for at, told in enumerate(sent.truths, first)]
            self.ledger.write("".join(lines).encode())


async def send(run: Deliveries, target: Target, pace: Pace, ledger: Sink | None = None) -> Tally:
    """Send a whole run and await every acknowledgement; ledger lines follow batch by batch.

    Raises LoginwardError where Kafka refuses, or stays away for more than ten minutes.
    """
    run.truths = ledger is not None
    producer = AIOKafkaProducer(
        **producer_options(target.kafka)
        | {"max_batch_size": BATCH_BYTES, "request_timeout_ms": _PATIENCE_MS}
    )
    try:
        try:
            await producer.start()
            sender = await _sender(producer, target, ledger)
            async for chunk in pace.chunks(iter(run)):
                await sender.take(chunk)
                if pace.speedup is not None:
                    await sender.leave_all()
            await sender.leave_all()
            await sender.land_all()
        finally:
            await producer.stop()
    except (KafkaError, TimeoutError) as refusal:
        raise LoginwardError(
            f"Kafka at {target.kafka.bootstrap}, topic {target.topic}: "
            f"{refusal or 'no such topic'}; is it up (loginward status), and is the topic there "
            "(loginward doctor)?"
        ) from refusal
    return run.tally


async def _sender(producer: AIOKafkaProducer, target: Target, ledger: Sink | None) -> _Sender:
    # aiokafka asks for a topic that is not there for ever.
    async with asyncio.timeout(_SEARCH_S):
        partitions = len(await producer.partitions_for(target.topic))
    keys = _keys(target.pseudonyms, partitions)
    return _Sender(producer, target.topic, ledger, partitions, keys)


def _keys(pseudonyms: Pseudonyms, partitions: int) -> Any:
    """Key and partition of an account (or, without one, of its emitter).

    CRC-32 as librdkafka does by default: Java's murmur2 costs a Python program 20 microseconds,
    and nothing in the pipeline may rely on which partition an account is in.
    """

    @lru_cache(maxsize=131_072)
    def key_of(account: str | None, emitter: str) -> tuple[bytes, int]:
        key = (emitter if account is None else pseudonyms.account(account)).encode()
        return key, crc32(key) % partitions

    return key_of
