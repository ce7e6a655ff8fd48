"""Stock Faust on the same topic: what the batched transport is there to replace.

Transport `kafka` is Faust's own; `batched` is ours with an agent of the same kind, so that a test
can show both side by side.
"""

from __future__ import annotations

import asyncio
import os
from datetime import timedelta
from typing import Any

import faust

from config.settings import load
from stream.transport import Batch, TransportOptions, run_batches, run_worker
from stream.transport.app import BatchApp, bare_app, batch_topic


def say(word: str, *numbers: object) -> None:
    """Print one line that a test waits for."""
    os.write(1, (" ".join(map(str, [word, *numbers])) + "\n").encode())


def stock_app(plan: dict[str, Any]) -> faust.App:
    """An ordinary Faust agent with the settings that Faust's own documentation gives."""
    app = faust.App(
        plan["group"],
        broker=f"kafka://{plan['bootstrap']}",
        value_serializer="raw",
        consumer_auto_offset_reset="earliest",
        web_enabled=False,
        topic_disable_leader=True,
        table_standby_replicas=0,
        broker_commit_interval=0.5,
        broker_request_timeout=15.0,
        broker_session_timeout=6.0,
        datadir=f"{plan['journal']}-data",
    )
    topic = app.topic(plan["topic"], value_serializer="raw", key_serializer="raw")

    @app.agent(topic, concurrency=plan.get("concurrency", 1))
    async def consume(stream: faust.StreamT[bytes]) -> None:
        async for event in stream.events():
            offset = event.message.offset
            say("begin", 0, offset)
            if offset == plan.get("hang_at"):
                await asyncio.Event().wait()
            if offset == plan.get("raise_at"):
                raise KeyError(offset)
            say("handled", 0, offset)

    return app


def batched_app(plan: dict[str, Any]) -> BatchApp:
    """Two agents on one topic of the batched transport: batches are done out of order."""
    kafka = load(environ={"KAFKA_BOOTSTRAP": plan["bootstrap"]}).kafka
    limits = TransportOptions(batch_records=5)
    app = bare_app(kafka, group=plan["group"], options=limits)

    async def handle(batch: Batch) -> None:
        start, end = batch.covers
        say("begin", 0, start)
        if start <= plan["hang_at"] < end:
            await asyncio.Event().wait()
        say("handled", 0, start)

    @app.agent(batch_topic(app, plan["topic"]), concurrency=plan["concurrency"])
    async def consume(stream: faust.StreamT[Any]) -> None:
        await run_batches(stream, handle)

    return app


def careless_app(plan: dict[str, Any]) -> BatchApp:
    """An agent on the batched transport that does not use run_batches, and fails or sleeps."""
    kafka = load(environ={"KAFKA_BOOTSTRAP": plan["bootstrap"]}).kafka
    limits = TransportOptions(batch_records=5, stall_after=timedelta(seconds=1))
    app = bare_app(kafka, group=plan["group"], options=limits)

    @app.agent(batch_topic(app, plan["topic"]))
    async def consume(stream: faust.StreamT[Any]) -> None:
        if plan.get("asleep"):
            await asyncio.Event().wait()
        async for batch in stream:
            say("begin", 0, batch.first_offset)
            if batch.last_offset >= plan["raise_at"]:
                raise KeyError(batch.first_offset)
            batch.done()

    return app


def main(plan: dict[str, Any]) -> int:
    """Run one worker as planned."""
    if plan["transport"] == "careless":
        return run_worker(careless_app(plan))
    if plan["transport"] == "kafka":
        stock_app(plan).Worker(override_logging=False).execute_from_commandline()
    return run_worker(batched_app(plan))
