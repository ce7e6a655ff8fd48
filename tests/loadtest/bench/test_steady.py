"""The steady load is logins of now, each with its own id, and attackers that cross a limit."""

from __future__ import annotations

import time

from config.rules import load_rules
from config.settings import load
from detectors import wire
from detectors.events import milliseconds
from loadtest.bench import steady
from loadtest.bench.steady import RULE, Steady


def test_logins_are_told_at_the_moment_they_are_sent() -> None:
    """However often the same ones go round."""
    load_of_now = Steady(load(environ={}), rate=10)
    began = time.time() * 1000

    events = [wire.decode(load_of_now._login(number)) for number in range(450)]

    assert len({event.event_id for event in events}) == 450
    assert all(began - 1 <= milliseconds(event.occurred_at) for event in events)
    assert {event.outcome for event in events} == {"success", "failure"}


def test_an_attacker_crosses_the_limit_with_its_last_failure() -> None:
    """As many failures as config/rules.toml wants of the detection that is timed."""
    (rule,) = (one for one in load_rules().active() if one.rule.id == RULE)

    events = [wire.decode(raw) for raw in steady._attacker(300)]

    assert len(events) == rule.limits.failures
    assert {event.ip for event in events} == {"198.18.1.44"}
    assert len({event.event_id for event in events}) == len(events)
