"""Broken world: the same call again, in place, with capped back-off, until it succeeds."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

T = TypeVar("T")

FIRST_WAIT_S = 0.05
LONGEST_WAIT_S = 2.0
"""Soon enough that a server that is back is used at once, rare enough not to hammer one that
starts.
"""
_SAID_EVERY = 10

log = structlog.get_logger(__name__)


async def until_done(
    what: str,
    call: Callable[[], Awaitable[T]],
    transient: Callable[[BaseException], bool],
    on_failure: Callable[[], None] = lambda: None,
) -> T:
    """Await `call()` until it returns; an error that is not `transient` is raised at once.

    Nothing is acknowledged meanwhile: Kafka is the buffer. `what` names the call in the log, which
    speaks of the first failure, of every tenth, and of the end of the outage.
    """
    failures = 0
    while True:
        try:
            result = await call()
        except Exception as failure:
            if not transient(failure):
                raise
            if failures % _SAID_EVERY == 0:
                log.warning("retrying", what=what, failures=failures + 1, error=repr(failure)[:300])
            failures += 1
            on_failure()
        else:
            if failures:
                log.info("recovered", what=what, failures=failures)
            return result
        wait = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** min(failures, 10))
        await asyncio.sleep(wait * (0.5 + random.random() / 2))  # noqa: S311 (jitter, not a secret)
