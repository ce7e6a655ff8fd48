"""Health pages and staleness: what a probe is told, and when a part must end."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from prometheus_client import CollectorRegistry, Counter

from config.health import Vitals, pages


class Clock:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """The time now."""
        return self.now


def ask(vitals: Vitals, path: str, registry: CollectorRegistry | None = None) -> tuple[str, bytes]:
    """What the page answers: status and body."""
    told: list[str] = []

    def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        told.append(status)

    environ = {"PATH_INFO": path, "REQUEST_METHOD": "GET", "QUERY_STRING": ""}
    body = b"".join(pages(vitals, registry or CollectorRegistry())(environ, start))
    return told[0], body


def test_a_part_is_healthy_while_it_beats_and_unwell_when_it_does_not() -> None:
    """Thirty seconds without a beat are told with the name of what stands still."""
    clock = Clock()
    vitals = Vitals("detect", clock)
    vitals.beat("event loop")
    clock.now += 30
    assert ask(vitals, "/healthz")[0] == "200 OK"

    clock.now += 1
    status, body = ask(vitals, "/healthz")

    assert status.startswith("503")
    assert msgspec.json.decode(body) == {
        "part": "detect",
        "healthy": False,
        "reasons": ["event loop: nothing for 31 s"],
    }


def test_a_part_is_ready_only_when_nothing_is_wanting() -> None:
    """Alive is not ready: the reason stands in the page until it is gone."""
    vitals = Vitals("detect", Clock())
    vitals.unready("partitions", "none is assigned yet")
    status, body = ask(vitals, "/readyz")
    assert status.startswith("503")
    assert msgspec.json.decode(body)["reasons"] == ["partitions: none is assigned yet"]
    assert ask(vitals, "/healthz")[0] == "200 OK"

    vitals.ready("partitions")

    assert ask(vitals, "/readyz")[0] == "200 OK"


def test_work_that_never_ends_is_stale_and_work_that_ended_is_not() -> None:
    """A batch owes its end; between two batches nothing is owed."""
    clock = Clock()
    vitals = Vitals("detect", clock)
    seen: list[dict[str, float]] = []

    async def work(minutes: int) -> None:
        clock.now += 60 * minutes
        seen.append(vitals.stale(timedelta(minutes=10)))

    asyncio.run(vitals.during("batch", work)(9))
    clock.now += 3600
    assert vitals.stale(timedelta(minutes=10)) == {}
    asyncio.run(vitals.during("batch", work)(11))

    assert seen == [{}, {"batch 2": 660.0}]


def test_a_batch_that_ends_does_not_speak_for_another_one() -> None:
    """Two batches are in work at once; the one that hangs is still seen."""
    clock = Clock()
    vitals = Vitals("detect", clock)

    async def both() -> None:
        hanging = asyncio.Event()
        first = asyncio.create_task(vitals.during("batch", hanging.wait)())
        await asyncio.sleep(0)
        await vitals.during("batch", asyncio.sleep)(0)
        clock.now += 3600
        assert list(vitals.stale(timedelta(minutes=10))) == ["batch 1"]
        hanging.set()
        await first

    asyncio.run(both())
    assert vitals.stale(timedelta(minutes=10)) == {}


def test_metrics_stay_where_they_were() -> None:
    """Every other path is Prometheus's."""
    registry = CollectorRegistry()
    Counter("logins_read_total", "Read.", registry=registry).inc(7)

    status, body = ask(Vitals("detect", Clock()), "/metrics", registry)

    assert status == "200 OK"
    assert b"logins_read_total 7.0" in body


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_a_part_without_beats_is_well(path: str) -> None:
    """A part that has not begun its work owes nothing."""
    assert ask(Vitals("relay", Clock()), path)[0] == "200 OK"
