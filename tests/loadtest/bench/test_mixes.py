"""The streams that contenders read have the sizes at which the peers were measured."""

from __future__ import annotations

from collections import Counter

import pytest

from detectors import wire
from loadtest.bench.mixes import MIXES, Mix, stream


def _events(mix: Mix, events: int) -> list[bytes]:
    return [delivery.value or b"" for chunk in stream(mix, events) for delivery in chunk]


@pytest.mark.parametrize("mix", MIXES, ids=lambda mix: mix.name)
def test_a_mix_has_its_failures_and_its_size(mix: Mix) -> None:
    """Exact in number, failures as the mix says, about 250 bytes each, all of them events."""
    raw = _events(mix, 20_000)
    events = [wire.decode(line) for line in raw]

    assert len(events) == len({event.event_id for event in events}) == 20_000
    failed = sum(event.outcome == "failure" for event in events) / len(events)
    assert failed == pytest.approx(mix.failures, abs=0.02)
    assert sum(map(len, raw)) / len(raw) == pytest.approx(250, abs=30)
    assert len({event.ip for event in events}) <= mix.addresses


def test_addresses_are_as_many_and_as_skewed_as_said() -> None:
    """Attack spreads over a million evenly; normal has a hundredth with a tenth of the events."""
    mixes = {mix.name: mix for mix in MIXES}
    attack = Counter(wire.decode(raw).ip for raw in _events(mixes["attack"], 30_000))
    normal = Counter(wire.decode(raw).ip for raw in _events(mixes["normal"], 30_000))

    assert len(attack) == pytest.approx(1e6 * (1 - (1 - 1e-6) ** 30_000), rel=0.01)
    busiest = sum(count for _, count in normal.most_common(500))
    assert busiest / 30_000 == pytest.approx(0.12, abs=0.03)


def test_a_mix_repeats() -> None:
    """Every repetition and every contender reads the same bytes."""
    assert _events(MIXES[0], 3_000) == _events(MIXES[0], 3_000)
