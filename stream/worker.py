"""The composition root: settings in, running parts of the pipeline out. Only here adapters meet."""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial

import structlog
from mode import Service

from config.health import Vitals, serve
from config.kafka import ensure_topics, group_name, has_committed, topic_ids, topic_name
from config.settings import Settings
from detectors.engine import Engine

from . import metrics
from .detect import Detect
from .fences import Fences
from .keys import load_pseudonyms
from .looks_anew import RedisLooksAnew
from .lookups import Lookups
from .redis_client import connect
from .relay import Relay
from .rewind import Rewind
from .rule_watch import RuleWatch, TakeOver
from .sending import Sender
from .transport import TransportHooks, TransportOptions, make_app, run_worker
from .transport.marks import Partition
from .waiting import until_reachable

BATCHES_AT_ONCE = 2
"""While one waits for Redis (a third of its time), the other has the processor."""

log = structlog.get_logger(__name__)


def run_detect(settings: Settings) -> int:
    """Run one detect worker until it is told to stop; the exit code (70: work was left undone)."""
    vitals = Vitals("detect")
    vitals.unready("partitions", "none is assigned yet")
    serve(settings.metrics, vitals, metrics.REGISTRY)
    until_reachable(settings.kafka)
    ensure_topics(settings.kafka)
    topic = topic_name(settings.kafka, "logins")
    topic_id = topic_ids(settings.kafka, [topic])[topic]
    names = load_pseudonyms(settings)
    rules = RuleWatch(settings)
    lookups = Lookups(settings, names)
    engine = Engine(rules.in_force.book.active(), names)
    client = connect(settings.redis)
    store = RedisLooksAnew(
        client,
        names,
        shards=settings.redis.shards,
        identity_ttl=settings.detect.identity_ttl,
        on_failure=metrics.RETRIES.labels("redis").inc,
        on_loss=lambda: _state_lost(engine),
        cold_after_loss=settings.detect.cold_after_loss,
    )
    detect = Detect(
        settings,
        engine,
        store,
        Sender(settings.kafka),
        topic_id=topic_id,
        versions=TakeOver(rules, engine, store, datetime.now(tz=UTC)),
        lookups=lookups,
        judged_before=has_committed(settings.kafka, group_name(settings.kafka, "detect")),
    )
    detect.rewind = Rewind(
        Fences(client, metrics.RETRIES.labels("redis").inc),
        lambda: app.batch_consumer,
        on_loss=lambda: _forget(engine, store),
        cold=store.lost,
    )

    def assigned(partitions: frozenset[Partition]) -> None:
        vitals.ready("partitions")
        detect.assigned(partitions)

    app = make_app(
        settings.kafka,
        group=group_name(settings.kafka, "detect"),
        topic=topic,
        handle=vitals.during("batch", detect.handle),
        on_damage=vitals.during("batch", detect.damaged),
        options=TransportOptions(
            batch_records=settings.detect.batch_records,
            buffered_batches=settings.detect.buffered_batches,
            at_once=BATCHES_AT_ONCE,
            session_timeout=settings.kafka.session_timeout,
            group_instance_id=settings.kafka.static_member_id,
        ),
        hooks=TransportHooks(on_assigned=assigned, on_revoked=detect.revoked),
    )
    _collect_rarely()
    return run_worker(
        app,
        _Beside(vitals.pulse),
        _Beside(detect.sweep_for_ever),
        _Beside(lookups.watch_for_ever),
        _Beside(rules.watch_for_ever),
    )


def _forget(engine: Engine, store: RedisLooksAnew) -> None:
    """Some of the state is gone: what this process keeps of it in memory no longer holds."""
    engine.forget()
    store.forget()
    metrics.REWINDS.inc()


def _state_lost(engine: Engine) -> None:
    """What was remembered is gone: until it has grown again nothing is called new."""
    engine.forget()
    metrics.STATE_LOSSES.inc()
    log.error("the state of detection was lost: memory is cold, first-seen rules are off")


def _collect_rarely() -> None:
    """Let the cycle collector run rarely: a batch makes tens of thousands of objects, no cycles.

    With Python's own thresholds it took a third of a worker's time (50,000 events per processor
    second against 70,000).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)


def run_relay(settings: Settings) -> int:
    """Carry outboxes to `alerts` until told to stop."""
    vitals = Vitals("relay")
    vitals.unready("servers", "Kafka and Redis have not answered yet")
    serve(settings.metrics, vitals, metrics.REGISTRY)
    until_reachable(settings.kafka)
    ensure_topics(settings.kafka)
    asyncio.run(_relay(settings, vitals))
    return 0


async def _relay(settings: Settings, vitals: Vitals) -> None:
    client, sender = connect(settings.redis), Sender(settings.kafka)
    relay = Relay(
        client,
        sender,
        shards=range(settings.redis.shards),
        alerts=topic_name(settings.kafka, "alerts"),
        verdicts=topic_name(settings.kafka, "verdicts"),
    )
    relay.on_turn = partial(_turned, vitals)
    task = asyncio.create_task(relay.run())
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        log.info("relay stopped")
    finally:
        await sender.close()
        await client.aclose()


def _turned(vitals: Vitals) -> None:
    """A turn of the relay ended: both servers answered."""
    vitals.beat("relaying")
    vitals.ready("servers")


class _Beside(Service):
    """Runs something without end beside the agent, in its process and event loop."""

    def __init__(self, endless: Callable[[], Awaitable[None]]) -> None:
        super().__init__()
        self._endless = endless

    @Service.task
    async def _run(self) -> None:
        await self._endless()
