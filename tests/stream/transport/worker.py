"""A worker process for the tests: appends what it handled to a file and misbehaves where told.

Each journal line is one JSON object, written in one piece before `done()`, so that it outlives a
kill -9.
On standard output it says what it is at, one word and a number a line.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import faust
import mode

from config.settings import load
from stream.transport import (
    Batch,
    Partition,
    TransportHooks,
    TransportOptions,
    make_app,
    run_worker,
)
from stream.transport.app import BatchApp


def say(word: str, *numbers: object) -> None:
    """Print one line that a test waits for."""
    os.write(1, (" ".join(map(str, [word, *numbers])) + "\n").encode())


def appears(path: Path) -> None:
    """Wait for a file."""
    while not path.exists():
        time.sleep(0.02)


class Handler:
    """Journals each batch; `plan` says where to fail, hang, be cancelled, be slow."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self.plan = plan
        self.agent: faust.app.App | None = None
        self.journal = os.open(plan["journal"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    async def __call__(self, batch: Batch) -> None:
        """Handle one batch."""
        start, end = batch.covers
        say("begin", batch.partition, start, end)
        await self.misbehave(start, end)
        line: dict[str, Any] = {
            "partition": batch.partition,
            "start": start,
            "end": end,
            "offsets": list(batch.offsets),
            "damage": batch.damage is not None,
            "highwater": batch.highwater,
        }
        if self.plan.get("with_values"):
            line["values"] = [v and v.decode() for v in batch.values]
            line["keys"] = [k and k.decode() for k in batch.keys]
            line["ms"] = list(batch.timestamps_ms)
        os.write(self.journal, (json.dumps(line) + "\n").encode())
        say("handled", batch.partition, start, end)

    async def misbehave(self, start: int, end: int) -> None:
        """Do what the plan says about a batch that covers the named offset."""

        def meant(key: str) -> bool:
            return key in self.plan and start <= self.plan[key] < end

        if "slow_s" in self.plan:
            await asyncio.sleep(self.plan["slow_s"])
        if "wait_for_file" in self.plan:
            await asyncio.to_thread(appears, Path(self.plan["wait_for_file"]))
        if meant("raise_at"):
            raise KeyError("A123456789")
        if meant("hang_at"):
            say("hanging", start)
            await asyncio.Event().wait()
        if meant("cancel_at"):
            await self.walk(self.plan["awaits"])
        if meant("stop_agent_at"):
            assert self.agent is not None
            (agent,) = self.agent.agents.values()
            self.agent.loop.create_task(agent.stop())
            await asyncio.sleep(60)

    async def walk(self, cancelled_at: int) -> None:
        """Await five times, of three kinds; the agent's task is cancelled during the given one."""
        task = asyncio.current_task()
        assert task is not None
        steps: list[Callable[[], Awaitable[object]]] = [
            lambda: asyncio.sleep(0),
            lambda: asyncio.sleep(0.01),
            # Not shorter: Python 3.11's wait_for swallows a cancellation that meets its result.
            lambda: asyncio.wait_for(asyncio.sleep(1), 5),
            lambda: asyncio.shield(asyncio.sleep(1)),
            lambda: asyncio.to_thread(time.sleep, 0.2),
        ]
        for number, step in enumerate(steps[: cancelled_at + 1]):
            if number == cancelled_at:
                asyncio.get_running_loop().call_soon(task.cancel)
            await step()


class Watch(mode.Service):
    """Says how many batches are open and how many partitions stalled, whenever that changes."""

    def __init__(self, app: BatchApp) -> None:
        self.app = app
        super().__init__()

    @mode.Service.task
    async def watch(self) -> None:
        """Look a hundred times a second."""
        seen = {"open": 0, "stalled": 0}
        while not self.should_stop:
            consumer = self.app.batch_consumer
            now = {
                "open": consumer.marks.open_count(),
                "stalled": len(consumer.transport_state.stalled),
            }
            for word in now.keys() - {w for w in now if now[w] == seen[w]}:
                say(word, now[word])
            seen = now
            await self.sleep(0.01)


def say_revoked(app: BatchApp, tps: frozenset[Partition]) -> None:
    """Say what was taken away, and how many partitions still have marks then."""
    say("marks", len(app.batch_consumer.progress()))
    say("revoked", *sorted(p for _, p in tps))


class HangsAtStop(mode.Service):
    """Does not come to its end, as Faust's own services are known to do."""

    async def on_stop(self) -> None:
        """Wait for ever."""
        await asyncio.Event().wait()


def main(plan: dict[str, Any]) -> int:
    """Run one worker as planned."""
    logging.basicConfig(level=plan.get("log", "WARNING"), stream=sys.stderr)
    kafka = load(environ=plan.get("environ") or {"KAFKA_BOOTSTRAP": plan["bootstrap"]}).kafka
    limits: dict[str, Any] = dict(plan.get("options", {}))
    limits |= {k: timedelta(seconds=v) for k, v in plan.get("spans", {}).items()}
    options = TransportOptions(**limits)
    handler = Handler(plan)
    app = make_app(
        kafka,
        group=plan["group"],
        topic=plan["topic"],
        handle=handler,
        on_damage=handler if plan.get("report_damage") else None,
        options=options,
        hooks=TransportHooks(
            on_assigned=lambda tps: say("assigned", *sorted(p for _, p in tps)),
            on_jump=lambda partition, expected, found: say(
                "jump", partition.partition, expected, found
            ),
            on_revoked=lambda tps: say_revoked(app, tps),
        ),
    )
    handler.agent = app
    services: list[mode.Service] = []
    if plan.get("watch"):
        services.append(Watch(app))
    if plan.get("hang_at_stop"):
        services.append(HangsAtStop())
    return run_worker(app, *services)
