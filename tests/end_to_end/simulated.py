"""Days of simulated customers, judged by the engine as live would judge them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from itertools import islice

from detectors import alerts, verdicts
from detectors.alerts import Alert
from detectors.engine import Arrival, Engine
from detectors.events import milliseconds
from detectors.memory import MemoryStore
from detectors.verdicts import Verdict
from detectors.windows import FOR_EVER_MS, WindowStore
from detectors.wire import decode
from loadtest.profile import parse
from loadtest.run import Request, deliveries
from tests.builders import START, engine, finish

BATCH = 2_000
DAY_MS = 86_400_000
FIELDS = ("origin", "reason", "account_class", "channel", "device_id", "user_agent")


def customers(
    *, days: float, people: int, scale: float, seed: int = 1, after_days: int = 0, offset: int = 0
) -> Iterator[Arrival]:
    """Profile G from START on: customers alone, the same for a seed, with all their mistakes."""
    request = Request(
        shares=parse("G"),
        seed=seed,
        start_ms=milliseconds(START) + after_days * DAY_MS,
        duration_ms=round(days * DAY_MS),
        customers=people,
        scale=scale,
        fields=FIELDS,
    )
    for chunk in deliveries(request):
        for delivery in chunk:
            event = decode(delivery.value)
            yield Arrival(event, 0, offset, milliseconds(event.occurred_at))
            offset += 1


async def judge(judge: Engine, store: WindowStore, arrivals: Iterator[Arrival]) -> int:
    """Judge arrivals in batches with sweeps between them, and come to rest; how many there were."""
    count = clock = 0
    while batch := list(islice(arrivals, BATCH)):
        tally = await judge.handle(batch, store)
        clock = max(clock, tally.latest_ms)
        await judge.sweep(store, range(4), clock, idle=False)
        count += len(batch)
    await store.advance(0, FOR_EVER_MS)
    await finish(judge, store, clock, 4)
    return count


def judged(arrivals: Iterator[Arrival] | Sequence[Arrival]) -> tuple[list[Alert], list[Verdict]]:
    """The final alerts and the verdicts of arrivals, by the exact store."""
    store = MemoryStore()
    asyncio.run(judge(engine(), store, iter(arrivals)))
    return (
        [alerts.decode(body) for body in store.alerts.values()],
        [verdicts.decode(body) for body in store.verdicts.values()],
    )
