"""Contender `bare`: an aiokafka consumer that decodes and does nothing else. The upper bound.

Run as `python -m loadtest.bench.bare BOOTSTRAP TOPIC EVENTS`; its last line is JSON.
"""

from __future__ import annotations

import asyncio
import sys
import time
import uuid

import msgspec
import uvloop
from aiokafka import AIOKafkaConsumer

from .report import Span

_RECORDS = 5_000
_FETCH_BYTES = 4 << 20


async def consume(bootstrap: str, topic: str, events: int) -> Span:
    """Read `events` records as fast as they come; the clock starts at the first of them."""
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=bootstrap,
        group_id=f"bare-{uuid.uuid4().hex}",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        max_partition_fetch_bytes=_FETCH_BYTES,
    )
    decode = msgspec.json.decode
    await consumer.start()
    try:
        seen, began = 0, 0.0
        while seen < events:
            fetched = await consumer.getmany(timeout_ms=1000, max_records=_RECORDS)
            began = began or (time.time() if fetched else 0.0)
            for records in fetched.values():
                for record in records:
                    decode(record.value)
                seen += len(records)
        return Span(events=seen, began=began, ended=time.time())
    finally:
        await consumer.stop()


def main(arguments: list[str]) -> None:
    """Consume, and say when the first and the last record came."""
    bootstrap, topic, events = arguments
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        span = runner.run(consume(bootstrap, topic, int(events)))
    print(span.told(), flush=True)  # noqa: T201 (the harness reads it)


if __name__ == "__main__":
    main(sys.argv[1:])
