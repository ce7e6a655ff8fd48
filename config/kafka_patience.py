"""A broker that says "not yet" is asked again: after a start, an election, under load."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from time import monotonic, sleep
from typing import TypeVar

from kafka.errors import KafkaError

PATIENCE = timedelta(seconds=15)
"""How long an answer of a broker is awaited: an election takes a few seconds."""

_AGAIN_S = 0.2

T = TypeVar("T")


def answered(
    ask: Callable[[], T],
    patience: timedelta = PATIENCE,
    *,
    elapsed: Callable[[], float] = monotonic,
    pause: Callable[[float], None] = sleep,
) -> T:
    """What `ask` returns, asked again while it raises what kafka-python calls retriable.

    `ask` may be carried out more than once. After `patience` the last KafkaError is raised; one
    that is not retriable at once. `elapsed` (seconds) and `pause` are the clock.
    """
    until = elapsed() + patience.total_seconds()
    while True:
        try:
            return ask()
        except KafkaError as failure:
            if not failure.retriable or elapsed() >= until:
                raise
        pause(_AGAIN_S)
