"""What a broker says "not yet" to is asked again, for a bounded time, and nothing else is."""

from __future__ import annotations

from datetime import timedelta

import pytest
from kafka.errors import (
    CoordinatorLoadInProgressError,
    KafkaError,
    NotControllerError,
    TopicAuthorizationFailedError,
)

from config.kafka import answered


class Broker:
    """Refuses so often, then answers; waiting lets its clock go on."""

    def __init__(self, *refusals: type[KafkaError]) -> None:
        self.refusals = list(refusals)
        self.asked = 0
        self.now = 0.0

    def ask(self) -> str:
        """One question."""
        self.asked += 1
        if self.refusals:
            raise self.refusals.pop(0)
        return "answer"

    def pause(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds

    def answered(self, patience: timedelta) -> str:
        """The answer, on this broker's clock."""
        return answered(self.ask, patience, elapsed=lambda: self.now, pause=self.pause)


def test_not_yet_is_asked_again() -> None:
    """A coordinator that loads, then a controller that moved: the third answer counts."""
    broker = Broker(CoordinatorLoadInProgressError, NotControllerError)

    assert broker.answered(timedelta(seconds=5)) == "answer"
    assert broker.asked == 3


def test_patience_ends() -> None:
    """After the time allowed the broker's own words are raised, not another wait."""
    broker = Broker(*[CoordinatorLoadInProgressError] * 1_000)

    with pytest.raises(CoordinatorLoadInProgressError):
        broker.answered(timedelta(seconds=5))
    assert 5 <= broker.now < 6


def test_a_no_is_a_no() -> None:
    """What will not change by waiting is raised at once."""
    broker = Broker(TopicAuthorizationFailedError)

    with pytest.raises(TopicAuthorizationFailedError):
        broker.answered(timedelta(seconds=5))
    assert broker.asked == 1
