"""The only loop an agent uses: handle a batch to its end, then and only then say done."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterable, Awaitable, Callable

from .batch import Batch
from .exits import leave

Handle = Callable[[Batch], Awaitable[None]]

log = logging.getLogger(__name__)


async def run_batches(
    stream: AsyncIterable[Batch], handle: Handle, *, on_damage: Handle | None = None
) -> None:
    """Hand each batch to `handle`, which returns only when every effect of it is durable.

    `handle` retries transient errors inside itself. Whatever leaves it before it returns, be it an
    exception or our own cancellation, ends the process with exit code 70: there is no second path
    on which a batch could be acked undone. Cancelled between two batches it ends quietly.

    `on_damage` gets batches of which the log could not be read (no records, `batch.damage` says
    why) and must report them durably; without it, or where the end of the damage cannot be told,
    the process ends with exit code 70 and stays there until somebody looks.
    """
    async for batch in stream:
        if not batch.begin():
            log.info("left %r: its partition is no longer ours", batch)
            continue
        chosen = handle
        if batch.damage is not None:
            if on_damage is None or batch.damage.next_offset is None:
                leave(f"unreadable records in {batch!r}: {batch.damage.reason}")
            chosen = on_damage
        try:
            await chosen(batch)
        except BaseException as exc:  # noqa: BLE001 - CancelledError included, see above
            leave(f"{batch!r} was left undone", exc)
        batch.done()
