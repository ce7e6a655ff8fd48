"""Our own alerts to the topic `alerts`: archive and console learn of them as of any other."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from config.kafka import producer_options, topic_name
from config.settings import KafkaSettings
from detectors.errors import escaped

from . import queue
from .item import Item
from .output import Refused


class Topic:
    """An output like any other, so that an outage of Kafka loses none of them."""

    name = queue.TOPIC
    at_once = 100

    def __init__(self, kafka: KafkaSettings, timeout: float) -> None:
        self._kafka = kafka
        self._timeout_ms = int(timeout * 1000)
        self._producer: Any = None

    async def send(self, items: Sequence[Item]) -> Sequence[Refused]:
        """Return when the brokers have all of them; a repeat is equal, id and revision."""
        topic = topic_name(self._kafka, "alerts")
        try:
            producer = await self._started()
            for item in items:
                await producer.send_and_wait(topic, item.body, key=item.id.encode())
        except (KafkaError, OSError) as failure:
            await self.close()
            raise Refused(escaped(f"{type(failure).__name__}: {failure}")) from None
        return ()

    def doubtful(self) -> Sequence[Item]:
        """Nothing: brokers confirm."""
        return ()

    async def close(self) -> None:
        """Let go of the producer."""
        producer, self._producer = self._producer, None
        if producer is not None:
            with suppress(KafkaError, OSError):
                await producer.stop()

    async def _started(self) -> Any:
        if self._producer is None:
            producer = AIOKafkaProducer(
                **producer_options(self._kafka), request_timeout_ms=self._timeout_ms
            )
            try:
                await producer.start()
            except BaseException:
                await producer.stop()
                raise
            self._producer = producer
        return self._producer
