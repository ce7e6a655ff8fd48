"""A Faust app with one agent on one topic, and the process that runs it."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

import faust
from faust.app.base import BootStrategy
from faust.types import StreamT, TopicT
from faust.worker import Worker
from mode.types import ServiceT

from config.kafka_options import aiokafka_options
from config.sections import KafkaSettings

from .driver import ALIAS, BatchConsumer, register
from .exits import EXIT_UNFINISHED, leave
from .inflate import bound_inflation
from .loop import Handle, run_batches
from .options import TransportHooks, TransportOptions

log = logging.getLogger(__name__)


class _ConsumerOnly(BootStrategy):
    """Faust's producer is not idempotent and forgets failures; what we send we send ourselves."""

    enable_kafka_producer = False
    enable_web = False


class BatchApp(faust.App):
    """A Faust app that knows the limits of its transport."""

    BootStrategy = _ConsumerOnly
    transport_options: TransportOptions
    transport_hooks: TransportHooks
    kafka_connection: Mapping[str, Any]

    def _create_directories(self) -> None:
        """Nothing: without tables there is nothing to keep on disk."""

    @property
    def batch_consumer(self) -> BatchConsumer:
        """The consumer, for its progress and counters."""
        consumer = self.consumer
        if not isinstance(consumer, BatchConsumer):
            raise TypeError(f"the app runs on {consumer!r}, not on the batched transport")
        return consumer


def make_app(
    kafka: KafkaSettings,
    *,
    group: str,
    topic: str,
    handle: Handle,
    on_damage: Handle | None = None,
    options: TransportOptions | None = None,
    hooks: TransportHooks | None = None,
) -> BatchApp:
    """A Faust app whose one agent hands each batch of `topic` to `handle`.

    `group` is the consumer group, `topic` the name on the broker. See `run_batches` for what
    `handle` and `on_damage` must keep. Raises LoginwardError where a key, certificate or password
    file of `kafka` cannot be used.
    """
    app = bare_app(kafka, group=group, options=options, hooks=hooks)
    source = batch_topic(app, topic)

    @app.agent(source, name=f"{group}:{topic}", concurrency=1)
    async def consume(stream: StreamT[Any]) -> None:
        await run_batches(
            stream, handle, on_damage=on_damage, at_once=app.transport_options.at_once
        )
        if not app.should_stop:
            leave("the agent's stream ended by itself")

    return app


def bare_app(
    kafka: KafkaSettings,
    *,
    group: str,
    options: TransportOptions | None = None,
    hooks: TransportHooks | None = None,
) -> BatchApp:
    """The app without its agent."""
    chosen = options or TransportOptions(session_timeout=kafka.session_timeout)
    register()
    bound_inflation(chosen.inflated_bytes)
    app = BatchApp(
        group,
        broker=f"{ALIAS}://kafka.invalid",  # the real address, with TLS and SASL, stands in `kafka`
        store="memory://",
        processing_guarantee="at_least_once",
        web_enabled=False,
        table_standby_replicas=0,
        topic_disable_leader=True,
        topic_allow_declare=False,
        stream_wait_empty=True,
        stream_buffer_maxsize=chosen.buffered_batches * 2,
        broker_session_timeout=chosen.session_timeout,
        broker_rebalance_timeout=chosen.rebalance_timeout,
        worker_redirect_stdouts=False,
        key_serializer="raw",
        value_serializer="raw",
    )
    app.transport_options = chosen
    app.transport_hooks = hooks or TransportHooks()
    app.kafka_connection = aiokafka_options(kafka)
    return app


def batch_topic(app: BatchApp, name: str) -> TopicT:
    """A topic whose messages are batches: raw, and without Faust's acks."""
    # With acks Faust would keep its own beside our marks, where they only pile up.
    return app.topic(name, key_serializer="raw", value_serializer="raw", acks=False)


class _BatchWorker(Worker):
    """Faust's worker without its hold on logging and standard output."""

    def __init__(self, app: BatchApp, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(app, loop=loop, override_logging=False, redirect_stdouts=False, quiet=True)
        self.spinner = None

    def change_workdir(self, path: Any) -> None:
        """Nothing: the folder the process was started in is right."""

    async def _sentinel_task(self) -> None:
        """Let cancelled tasks end; mode waits a whole second, which every restart would cost."""
        await asyncio.sleep(0.05)

    def _setproctitle(self, info: str, *, ident: str = "") -> None:
        """Nothing: `ps` shows the command line."""


def run_worker(app: BatchApp, *services: ServiceT, use_uvloop: bool = True) -> int:
    """Run the app until SIGTERM or SIGINT; the exit code: 0 when all work was finished, else 70.

    Further `services` start before the app and stop after it. Needs the main thread of a process.
    A shutdown that hangs, after a signal or a crash, is ended by a watchdog with exit code 70.
    """
    loop = _new_loop(use_uvloop=use_uvloop)
    asyncio.set_event_loop(loop)
    worker = _BatchWorker(app, loop)
    worker.services = services
    options = app.transport_options
    _Watchdog(worker, app, options.stop_grace + options.exit_grace).start()
    try:
        worker.execute_from_commandline()
    except SystemExit as exc:
        return 0 if exc.code in (0, None) and not app.crashed else EXIT_UNFINISHED


def _new_loop(*, use_uvloop: bool) -> asyncio.AbstractEventLoop:
    if use_uvloop:
        try:
            import uvloop  # noqa: PLC0415 - optional
        except ImportError:
            log.info("uvloop is not installed: running on asyncio's own loop")
        else:
            asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    return asyncio.new_event_loop()


class _Watchdog(threading.Thread):
    """Ends a process that was told to stop, or has crashed, and does not come to its end.

    Faust workers are known to hang there (robinhood/faust#684, faust-streaming#175): a dead worker
    that holds its partitions is worse than none.
    """

    _POLL = 0.25  # seconds

    def __init__(self, worker: Worker, app: BatchApp, grace: timedelta) -> None:
        super().__init__(name="watchdog", daemon=True)
        self._watched: Iterable[ServiceT] = (worker, app)
        self._grace = grace

    def run(self) -> None:
        """Wait for a stop or crash to begin, then give it its time."""
        while not any(service.should_stop for service in self._watched):
            time.sleep(self._POLL)
        time.sleep(self._grace.total_seconds())
        leave(f"stopping took longer than {self._grace}")
