"""`loginward run watch`: a round every few seconds, and the process around it."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from typing import Final

import structlog
from kafka.errors import KafkaError

from config.health import Vitals, serve
from config.rules import load_rules
from config.settings import Settings
from config.systems import load_systems
from config.trading_days import load_trading_days
from detectors.errors import LoginwardError, escaped

from . import metrics
from . import state as states
from .heartbeat import Heartbeat
from .kafka_view import KafkaView
from .round import Limits, Watchdog

log = structlog.get_logger(__name__)

_UNKNOWN_NAMES: Final = "ip_unknown_accounts"


def run_watch(settings: Settings) -> int:
    """Watch until SIGTERM or SIGINT; returns 0.

    Raises LoginwardError for a state, register or rule file that cannot be used.
    """
    vitals = Vitals("watch")
    vitals.unready("kafka", "no round has ended yet")
    serve(settings.metrics, vitals, metrics.REGISTRY)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    watch = settings.watch
    state = states.load(watch.state)
    view = KafkaView(settings.kafka)
    watchdog = Watchdog(
        settings,
        view,
        state,
        Limits(tries=canary_tries(settings)),
        register=load_systems(settings.files.systems),
        calendar=load_trading_days(settings.files.trading_days),
    )
    heartbeat = Heartbeat(watch, time.monotonic)
    while not stop.is_set():
        vitals.beat("round")
        if _round(watchdog, vitals, view.close):
            _told(heartbeat)
        stop.wait(watch.every.total_seconds())
    view.close()
    return 0


def _round(watchdog: Watchdog, vitals: Vitals, reconnect: Callable[[], None]) -> bool:
    """One round; whether Kafka answered and nothing is critical."""
    try:
        well = watchdog.turn(time.time_ns() // 1_000_000)
    except (KafkaError, LoginwardError, OSError) as failure:
        why = escaped(str(failure) or type(failure).__name__, 300)
        vitals.unready("kafka", why)
        metrics.ROUNDS.labels("failed").inc()
        log.warning("the watchdog could not look", error=why)
        reconnect()
        return False
    vitals.ready("kafka")
    metrics.ROUNDS.labels("done").inc()
    return well


def _told(heartbeat: Heartbeat) -> None:
    if wrong := heartbeat.beat():
        metrics.HEARTBEAT_FAILURES.inc()
        log.warning("the heartbeat could not be told", error=wrong)


def canary_tries(settings: Settings) -> int:
    """Twice as many names of nobody as the rule file's limit; 0: the detection is off."""
    entry = load_rules(settings.files.rules).entries[_UNKNOWN_NAMES]
    # Twice: a limit that was raised by `rules adopt` meanwhile must not silence the canaries.
    return 0 if entry.mode == "off" else 2 * int(entry.limits.names)
