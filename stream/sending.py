"""Records to Kafka, each delivery awaited: what is not confirmed is sent again."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, NamedTuple

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from config.kafka import producer_options
from config.settings import KafkaSettings

from . import metrics
from .retry import until_done

Headers = Sequence[tuple[str, bytes]]


class Outgoing(NamedTuple):
    """One record to send; `key` decides the partition and what compaction keeps."""

    topic: str
    key: bytes
    value: bytes
    headers: Headers = ()


class Sender:
    """An idempotent producer, replaced when it breaks. Consumers know a repeat by its id."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._options: dict[str, Any] = producer_options(kafka) | {"linger_ms": 2}
        self._producer: AIOKafkaProducer | None = None
        self._lock = asyncio.Lock()

    async def deliver(self, records: Sequence[Outgoing]) -> None:
        """Return when the brokers have every record; retries for as long as they are away."""
        if not records:
            return
        waiting = list(records)

        async def call() -> None:
            producer = await self._started()
            try:
                sent = [await self._send(producer, record) for record in waiting]
                results = await asyncio.gather(*sent, return_exceptions=True)
            except KafkaError:
                await self._discard()
                raise
            failed = [
                (record, result)
                for record, result in zip(list(waiting), results, strict=True)
                if isinstance(result, BaseException)
            ]
            waiting[:] = [record for record, _ in failed]
            if failed:
                await self._discard()
                raise failed[0][1]

        await until_done("kafka produce", call, _transient, metrics.RETRIES.labels("kafka").inc)

    async def close(self) -> None:
        """Flush and close the connection."""
        async with self._lock:
            if self._producer is not None:
                await self._producer.stop()
                self._producer = None

    @staticmethod
    async def _send(producer: AIOKafkaProducer, record: Outgoing) -> asyncio.Future[Any]:
        return await producer.send(  # type: ignore[no-any-return]
            record.topic, value=record.value, key=record.key, headers=list(record.headers)
        )

    async def _started(self) -> AIOKafkaProducer:
        async with self._lock:
            if self._producer is None:
                producer = AIOKafkaProducer(**self._options)
                try:
                    await producer.start()
                except BaseException:
                    await producer.stop()
                    raise
                self._producer = producer
            return self._producer

    async def _discard(self) -> None:
        """An idempotent producer with a gap in its sequence stays broken: the next call makes a
        new one.
        """
        async with self._lock:
            broken, self._producer = self._producer, None
        if broken is not None:
            try:
                await asyncio.wait_for(broken.stop(), timeout=5)
            except (TimeoutError, KafkaError):
                return


def _transient(failure: BaseException) -> bool:
    """Brokers come back; a record that is too large never gets smaller."""
    if isinstance(failure, MessageSizeTooLargeError):
        return False
    return isinstance(failure, (KafkaError, OSError, TimeoutError))
