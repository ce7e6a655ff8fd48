"""One run: repeatable, exact in size, bounded in memory, and clear about what cannot be."""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest

from detectors import wire
from detectors.errors import LoginwardError
from loadtest.profile import known
from loadtest.rendering import OPTIONAL
from loadtest.run import deliveries

from .conftest import Make

pytestmark = pytest.mark.long

_EVERYTHING: dict[str, Any] = {"disorder_ms": 60_000, "duplicates": 0.05, "bad": 20}


@pytest.mark.parametrize("profile", [*known(), "A+G", "A:0.02@6h+G", "B:0.18+G"])
def test_the_same_seed_gives_the_same_bytes(make: Make, profile: str) -> None:
    """Two runs of one request are equal, ledger included."""
    first, second = (make(profile, fields=OPTIONAL, **_EVERYTHING) for _ in range(2))

    assert first.raw == second.raw
    assert first.ledger == second.ledger


@pytest.mark.parametrize("profile", known())
def test_another_seed_gives_another_run(make: Make, profile: str) -> None:
    """With another seed other accounts fail at other times, under other identities."""
    first, second = make(profile, seed=1), make(profile, seed=2)

    ids = [{line.event_id for line in run.ledger} for run in (first, second)]
    times = [[line.at_ms for line in run.ledger] for run in (first, second)]
    assert not ids[0] & ids[1]
    assert times[0] != times[1]


def test_no_two_requests_share_an_identity(make: Make) -> None:
    """Runs that differ in one option never send one identity with two contents."""
    plain, with_factor = make("A"), make("A", second_factor=True)

    assert not {x.event_id for x in plain.ledger} & {x.event_id for x in with_factor.ledger}


@pytest.mark.parametrize("profile", ["A", "G", "A+G", "A:0.1@20h+G"])
@pytest.mark.parametrize("events", [1, 10, 3_000])
def test_events_are_exact(make: Make, profile: str, events: int) -> None:
    """`events` is met to the event, however small, whatever the mixture."""
    made = make(profile, events=events, duration_ms=86_400_000)

    assert made.tally.events == len(made.lines) == events
    assert len({line.event_id for line in made.ledger}) == events


def test_rate_and_duration_give_the_volume(make: Make) -> None:
    """200 events a second for ten minutes are 120,000 within 5 %, spread over the ten minutes."""
    made = make("A+G", rate=200.0, duration_ms=600_000)

    times = [line.at_ms for line in made.ledger]
    assert made.tally.events == pytest.approx(120_000, rel=0.05)
    assert max(times) - min(times) == pytest.approx(600_000, rel=0.01)


@pytest.mark.parametrize("fields", [(), ("origin",), OPTIONAL])
def test_every_event_is_a_login_event(make: Make, fields: tuple[str, ...]) -> None:
    """Each line decodes, is canonical already, and says what the ledger says."""
    made = make("A+G", fields=fields, failure_share=0.5)

    for raw, truth in zip(made.lines, made.ledger, strict=True):
        event = wire.decode(raw)
        assert (event.event_id, event.account, event.ip) == (
            truth.event_id,
            truth.account,
            truth.ip,
        )
        assert (event.outcome, event.judged_at.timestamp()) == (truth.outcome, truth.at_ms / 1000)
        assert b'"%b"' % (event.ip or "none").encode() in raw or event.ip is None


def test_optional_fields_tell_the_truth(make: Make) -> None:
    """Class, reason, session and second factor follow from what the attempt was."""
    made = make("A+G", fields=OPTIONAL, second_factor=True, events=60_000)

    for raw, truth in zip(made.lines, made.ledger, strict=True):
        event = wire.decode(raw)
        assert (event.session_id is None) == (event.ip is None)
        assert event.mfa is (None if event.ip is None else True)
        assert (event.reason is None) == (event.outcome == "success")
        assert (event.reason == "unknown_account") == (
            event.outcome == "failure" and event.account_class == "unknown"
        )
        assert (event.reason == "mfa_failed") == (truth.kind == "hit")
        assert (event.channel == "phone") == (event.ip is None)
        assert (event.device_id is None) == (event.ip is None)
    kinds = {line.kind for line in made.ledger}
    assert "hit" in kinds
    assert "takeover" not in kinds


@pytest.mark.parametrize(("profile", "hours"), [("A+G", 1), ("B+G", 1), ("C+G", 24), ("H+G", 54)])
def test_memory_does_not_grow_with_the_run(make: Make, profile: str, hours: int) -> None:
    """Four times as long a run needs no more memory: a run of any length streams.

    The short run is as long as what a campaign repeats (C's spikes), and the customers are few, so
    that their caches are full (they are bounded, but for hours they fill).
    """

    def peak(hours: int, of: int = hours) -> int:
        options = {"rate": 1.5 / of, "customers": 50, "duration_ms": hours * 3_600_000}
        run = deliveries(make.request(profile, fields=OPTIONAL, **options, **_EVERYTHING))
        tracemalloc.start()
        try:
            for _ in run:
                pass
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    short = peak(hours)  # 5,400 events
    assert peak(4 * hours) < short * 1.3


@pytest.mark.parametrize(
    ("options", "told"),
    [
        pytest.param({"events": 1, "rate": 1.0, "duration_ms": 1}, "two of the three", id="over"),
        pytest.param({"rate": 0.0}, "--rate 0", id="no rate"),
        pytest.param({"rate": float("nan")}, "--rate nan", id="nan"),
        pytest.param({"scale": -1.0}, "--scale -1", id="negative"),
        pytest.param({"duration_ms": 0}, "--duration 0", id="no time"),
        pytest.param({"failure_share": 1.0}, "--failure-share 1.0", id="all fail"),
        pytest.param({"rate": 9e6, "duration_ms": 86_400_000}, "customers", id="too large"),
    ],
)
def test_contradictions_are_told(make: Make, options: dict[str, Any], told: str) -> None:
    """What cannot be simulated is refused in a sentence that names the option."""
    with pytest.raises(LoginwardError, match=told):
        deliveries(make.request("A", **options))
