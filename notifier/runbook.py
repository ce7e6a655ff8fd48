"""The firm acts on a "no": its webhook is called until it says that it is done, however long.

Durable in the ledger; several processes may run this loop, a lease lets one at a time call.
"""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import msgspec
import structlog

from config.failpoints import hit

from .answers import CALL_BACK_TASK, RUNBOOK_TASK
from .call_back import ask_to_call
from .denial import Order
from .hook import Hook
from .ledger import Ledger, Task
from .locked import LOCKED_TASK
from .runbook_metrics import RunbookMetrics

_log = structlog.get_logger(__name__)

POLL_S: Final = 0.3
"""How soon a "no" is seen; the call has to be out within 5 s of the answer."""

LONGEST_PAUSE: Final = timedelta(seconds=60)
"""Between two tries of an order whose webhook stays down."""

_LEASE: Final = timedelta(seconds=60)
"""Longer than any call may take; a process that was killed in a call gives its orders back."""

_AT_ONCE: Final = 20
_SWEEP_EVERY: Final = timedelta(minutes=1)


@dataclass(slots=True, kw_only=True)
class Runbook:
    """`hook` None: no webhook is set, orders wait and are shown. `now` gives aware UTC times.

    `silence`: how long a high-risk notice may stay unanswered before somebody calls. `jitter`
    gives 0 to 1.
    """

    ledger: Ledger
    hook: Hook | None
    now: Callable[[], datetime]
    metrics: RunbookMetrics
    silence: timedelta = timedelta(hours=24)
    jitter: Callable[[], float] = random.random
    _swept: datetime | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set."""
        while not stop.is_set():
            try:
                await self.turn()
            except sqlite3.OperationalError as failure:
                # A full disk, a lock held for long: orders stand in the file and wait for it.
                _log.warning("runbook waits for the ledger", error=str(failure))
            try:
                await asyncio.wait_for(stop.wait(), POLL_S)
            except TimeoutError:
                continue

    async def turn(self) -> int:
        """Call for every order that is due, make call-backs; how many orders were done."""
        done = 0
        if self.hook is not None:
            tasks = await asyncio.to_thread(self._claim)
            done = sum(await asyncio.gather(*(self._serve(task, self.hook) for task in tasks)))
        await asyncio.to_thread(self._look_around)
        return done

    def _claim(self) -> list[Task]:
        # A read first: a write transaction three times a second would hold others up for nothing.
        now = self.now()
        if not any(task.due_at <= now for task in self.ledger.open_tasks(RUNBOOK_TASK)):
            return []
        return self.ledger.claim_tasks(RUNBOOK_TASK, now, lease=_LEASE, limit=_AT_ONCE)

    async def _serve(self, task: Task, hook: Hook) -> bool:
        order = msgspec.json.decode(task.payload, type=Order)
        called = await hook.call(task.payload, order.idempotency_key)
        hit("runbook.called")
        if called.done:
            self.metrics.calls.labels("done").inc()
            await asyncio.to_thread(self._finish, task)
            _log.info("runbook order done", notice=task.notice_id, attempts=task.attempts)
            return True
        self.metrics.calls.labels("failed").inc()
        due = self.now() + pause(task.attempts, self.jitter())
        await asyncio.to_thread(self.ledger.postpone_task, task.task_id, due, called.detail)
        _log.warning(
            "runbook order not taken",
            notice=task.notice_id,
            attempts=task.attempts,
            detail=called.detail,
        )
        return False

    def _finish(self, task: Task) -> None:
        """The firm has acted, and the customer is told so, on every channel (COMPLIANCE.md 3.8)."""
        now = self.now()
        with self.ledger.transaction():
            self.ledger.finish_task(task.task_id, now)
            self.ledger.add_task(LOCKED_TASK, task.notice_id, b"{}", now, now)

    def _look_around(self) -> None:
        now = self.now()
        waiting = self.ledger.open_tasks(RUNBOOK_TASK)
        oldest = min((task.created_at for task in waiting), default=now)
        self.metrics.open_orders.set(len(waiting))
        self.metrics.oldest_seconds.set(max(0.0, (now - oldest).total_seconds()))
        if self._swept is None or now - self._swept >= _SWEEP_EVERY:
            self._swept = now
            made = ask_to_call_back(self.ledger, now, self.silence)
            if made:
                _log.warning("customers to be called back", new=made)
            self.metrics.call_backs.set(len(self.ledger.open_tasks(CALL_BACK_TASK)))


def ask_to_call_back(ledger: Ledger, now: datetime, silence: timedelta) -> int:
    """A task for a person for every high-risk notice that nobody answered; how many are new."""
    made = 0
    for notice in ledger.silent_high(now - silence, CALL_BACK_TASK):
        made += ask_to_call(ledger, notice, now)
    return made


def pause(attempts: int, jitter: float) -> timedelta:
    """How long to wait after the `attempts`-th failure: 1 s, doubled up to LONGEST_PAUSE.

    `jitter` 0 to 1 takes up to half of it off, so that many orders do not come back together.
    """
    full = min(LONGEST_PAUSE.total_seconds(), 2.0 ** min(attempts - 1, 16))
    return timedelta(seconds=full * (1.0 - 0.5 * jitter))
