"""Kafka down at start: wait for it, saying so, instead of ending and starting again."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from datetime import timedelta

import structlog

from config.settings import KafkaSettings

_EVERY = timedelta(seconds=1)
_CONNECT = timedelta(seconds=3)
_SAID_EVERY = 15

log = structlog.get_logger(__name__)


def until_reachable(kafka: KafkaSettings, sleep: Callable[[float], None] = time.sleep) -> None:
    """Return when a broker of `kafka.bootstrap` takes a connection; waits for ever.

    A plain connection, for a Kafka client that fails to start leaves a socket behind.
    """
    tries = 0
    while not any(_answers(address) for address in kafka.bootstrap.split(",")):
        if tries % _SAID_EVERY == 0:
            log.warning(
                "kafka does not answer; waiting",
                bootstrap=kafka.bootstrap,
                hint="start it, or set KAFKA_BOOTSTRAP",
            )
        tries += 1
        sleep(_EVERY.total_seconds())
    if tries:
        log.info("kafka answers", bootstrap=kafka.bootstrap)


def _answers(address: str) -> bool:
    host, _, port = address.strip().rpartition(":")
    try:
        with socket.create_connection(
            (host.strip("[]"), int(port)), timeout=_CONNECT.total_seconds()
        ):
            return True
    except OSError:
        return False
