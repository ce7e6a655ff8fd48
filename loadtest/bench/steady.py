"""A steady stream of logins, told at the moment they are sent, with attackers among them.

Every fifth of a second another address fails ten times: the tenth crosses the limit of RULE.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import cycle
from typing import Any, Final

from aiokafka import AIOKafkaProducer

from config.kafka import producer_options, topic_name
from config.settings import Settings
from detectors.errors import LoginwardError

from .mixes import MIXES, stream

RULE: Final = "ip_fail_burst"
_CROSSES = 10
_TICK_S = 0.02
_ATTACKER_EVERY_S = 0.2
_MADE = 200_000
"""Logins made beforehand; sent again and again under new ids and times."""

_ID, _TIME = b'"event_id":"', b'"occurred_at":"'


class Steady:
    """Sends while its block runs. `sent` counts what Kafka has acknowledged."""

    def __init__(self, settings: Settings, rate: int) -> None:
        self._kafka = settings.kafka
        self._rate = rate
        self._stop = threading.Event()
        self._failure: BaseException | None = None
        self.sent = 0
        self._round = 0
        self._logins = self._made()

    @contextmanager
    def sending(self) -> Iterator[None]:
        """Send in a thread. Raises LoginwardError at the end where Kafka refused."""
        thread = threading.Thread(target=self._run, name="steady", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join(60)
        if self._failure is not None:
            raise LoginwardError(f"steady load: {self._failure}") from self._failure

    def _run(self) -> None:
        try:
            asyncio.run(self._send())
        except Exception as failure:  # noqa: BLE001 (told by `sending` in the caller's thread)
            self._failure = failure

    def _made(self) -> Iterator[tuple[bytes, bytes]]:
        """What stands around id and time of each login, round after round."""
        made = []
        for chunk in stream(MIXES[0], min(_MADE, self._rate * 20)):
            for delivery in chunk:
                assert delivery.value is not None  # noqa: S101 (no bad records among them)
                head, _, rest = delivery.value.partition(_TIME)
                made.append((head[: head.index(_ID) + len(_ID)], rest.partition(b'"')[2]))
        return cycle(made)

    async def _send(self) -> None:
        producer = AIOKafkaProducer(**producer_options(self._kafka))
        await producer.start()
        try:
            began, due, attackers = time.monotonic(), 0, 0
            while not self._stop.is_set():
                passed = time.monotonic() - began
                wanted, due_attackers = int(passed * self._rate), int(passed / _ATTACKER_EVERY_S)
                values = [self._login(number) for number in range(due, wanted)]
                for number in range(attackers, due_attackers):
                    values += _attacker(number)
                due, attackers = wanted, due_attackers
                await self._deliver(producer, values)
                await asyncio.sleep(max(0.0, _TICK_S - (time.monotonic() - began - passed)))
        finally:
            await producer.stop()

    async def _deliver(self, producer: Any, values: list[bytes]) -> None:
        """Spread over the partitions, one batch each; an address stays in one of them or not: no
        detection may depend on it.
        """
        topic, partitions = topic_name(self._kafka, "logins"), self._kafka.partitions
        flying = []
        for partition in range(partitions):
            batch = producer.create_batch()
            for value in values[partition::partitions]:
                while batch.append(key=None, value=value, timestamp=None) is None:
                    flying.append(await producer.send_batch(batch, topic, partition=partition))
                    batch = producer.create_batch()
            if batch.record_count():
                batch.close()
                flying.append(await producer.send_batch(batch, topic, partition=partition))
        await asyncio.gather(*flying)
        self.sent += len(values)

    def _login(self, number: int) -> bytes:
        head, rest = next(self._logins)
        return b'%b%d","occurred_at":"%b"%b' % (head, number, _now(), rest)


def _attacker(number: int) -> list[bytes]:
    """So many failures of one address, at once, that the last crosses the limit."""
    now = _now().decode()
    return [
        (
            f'{{"schema":1,"event_id":"attack-{number}-{n}","occurred_at":"{now}",'
            f'"system":"trading-web","account":"T{n}","ip":"198.18.{number >> 8 & 255}.'
            f'{number & 255}","outcome":"failure","reason":"bad_password"}}'
        ).encode()
        for n in range(_CROSSES)
    ]


def _now() -> bytes:
    """This moment, as the wire has it."""
    now = datetime.now(UTC)
    return f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03}Z".encode()
