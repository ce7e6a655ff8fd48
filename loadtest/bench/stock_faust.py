"""Contender `stock_faust`: Faust as its documentation shows it, one event at a time, done well.

uvloop, large polls and buffers, raw bytes with msgspec, counters of a minute in Redis by one
pipelined INCR and EXPIRE for each failure. Nothing of our transport, store or engine. It counts one
thing (failures an address and minute) where detect judges every detection. Sixteen of the agent at
once (`concurrency=16`; unsafe, commits jump over unfinished events) showed no gain.

Run as `python -m loadtest.bench.stock_faust BOOTSTRAP REDIS_URL TOPIC EVENTS SECONDS FOLDER`; it
stops after so many events or so many seconds, whichever is first; its last line is JSON.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

import faust
import msgspec
import redis.asyncio
import uvloop

from .report import Span

_COUNTER_S = 300


@dataclass(slots=True)
class _Watch:
    """Ends the process once enough was seen: a worker of Faust has no end of its own."""

    events: int
    seconds: float
    seen: int = 0
    began: float = field(default=0.0)

    def tick(self) -> None:
        """Count one event."""
        now = time.time()
        if not self.began:
            self.began = now
        self.seen += 1
        if self.seen >= self.events or now - self.began >= self.seconds:
            span = Span(events=self.seen, began=self.began, ended=now)
            # Faust redirects sys.stdout to its log.
            os.write(1, span.told().encode() + b"\n")
            os._exit(0)


def make(bootstrap: str, url: str, topic: str, folder: str, watch: _Watch) -> faust.App:
    """The stock application."""
    app = faust.App(
        f"stock-{uuid.uuid4().hex}",
        broker=f"kafka://{bootstrap}",
        datadir=folder,
        value_serializer="raw",
        web_enabled=False,
        consumer_auto_offset_reset="earliest",
        broker_max_poll_records=5000,
        stream_buffer_maxsize=8192,
        broker_commit_every=20_000,
        topic_disable_leader=True,
        topic_allow_declare=False,
    )
    client = redis.asyncio.Redis.from_url(url)
    decode = msgspec.json.decode

    async def count(stream: Any) -> None:
        async for raw in stream:
            event = decode(raw)
            if event["outcome"] == "failure":
                key = f"{event['ip']}:{event['occurred_at'][:16]}"
                async with client.pipeline(transaction=False) as calls:
                    calls.incr(key)
                    calls.expire(key, _COUNTER_S)
                    await calls.execute()
            watch.tick()

    logins = app.topic(topic, value_type=bytes, value_serializer="raw")
    app.agent(logins)(count)
    return app


def main(arguments: list[str]) -> None:
    """Run a worker until the watch ends it."""
    bootstrap, url, topic, events, seconds, folder = arguments
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    watch = _Watch(int(events), float(seconds))
    app = make(bootstrap, url, topic, folder, watch)
    faust.Worker(app, loglevel="warn").execute_from_commandline()


if __name__ == "__main__":
    main(sys.argv[1:])
