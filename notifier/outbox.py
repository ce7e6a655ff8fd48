"""From the ledger's outbox to Kafka: read, deliver, and only then delete. At least once, in order.

A repeat is known by its key and number (`NoticeStep.seq`) or id. While Kafka is away records wait
in the ledger, and customers are told all the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from config.failpoints import hit
from config.kafka import producer_options, topic_name
from config.settings import KafkaSettings

from .ledger import Ledger, Outgoing
from .metrics import NotifierMetrics

_log = structlog.get_logger(__name__)

_POLL_S: Final = 0.2
_LONGEST_WAIT_S: Final = 5.0
_CLOSE_S: Final = 10.0


class Outbox:
    """Drains one ledger's outbox."""

    def __init__(self, ledger: Ledger, kafka: KafkaSettings, metrics: NotifierMetrics) -> None:
        self._ledger = ledger
        self._kafka = kafka
        self._metrics = metrics
        self._producer: Any = None

    async def run(self, stop: asyncio.Event) -> None:
        """Drain until `stop` is set, and what is there then; outages are waited out."""
        failures = 0
        while True:
            try:
                moved = await self.once()
                failures = 0
            except (KafkaError, OSError) as failure:
                await self._discard()
                if failures % 10 == 0:
                    _log.warning("notices wait for kafka", error=type(failure).__name__)
                failures += 1
                moved = 0
            if moved:
                continue
            if stop.is_set():
                break
            wait = min(_LONGEST_WAIT_S, _POLL_S * 2 ** min(failures, 5))
            try:
                await asyncio.wait_for(stop.wait(), wait)
            except TimeoutError:
                continue
        await self._discard()

    async def once(self) -> int:
        """Deliver what waits, up to 500 records; how many."""
        records = self._ledger.outgoing()
        self._metrics.outbox.set(len(records))
        if records:
            await self._deliver(records)
            hit("notify.before_delete")
            self._ledger.delivered(records)
            hit("notify.after_delete")
        return len(records)

    async def _deliver(self, records: Sequence[Outgoing]) -> None:
        producer = await self._started()
        sent = [
            await producer.send(
                topic_name(self._kafka, record.topic), value=record.value, key=record.key
            )
            for record in records
        ]
        await asyncio.gather(*sent)

    async def _started(self) -> Any:
        if self._producer is None:
            producer = AIOKafkaProducer(**producer_options(self._kafka))
            try:
                await producer.start()
            except BaseException:
                await producer.stop()
                raise
            self._producer = producer
        return self._producer

    async def _discard(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            closing = asyncio.create_task(producer.stop())
            await asyncio.wait({closing}, timeout=_CLOSE_S)
