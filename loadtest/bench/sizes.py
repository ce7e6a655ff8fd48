"""How many processes and servers a rate takes, reckoned from processor seconds an event.

Pure. Nothing here is measured but what goes in: the medians of one `bench` run.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Final

from .harness import Bench, Measured

RATES: Final = (1_000, 5_000, 10_000, 50_000, 100_000, 500_000, 1_000_000)
"""Events a second at the peak: an attack is ten to twenty times a quiet hour."""

BUSY: Final = 0.6
"""Share of a core that one process may use at the peak: the rest catches up after a stop."""

_FEWEST_PARTITIONS: Final = 4
_BYTES: Final = 250
_HOUR_S: Final = 3_600


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """Processor microseconds an event, of one process each; the dearest mix counts."""

    detect: float
    valkey: float
    kafka: float
    archive: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """What a peak of `rate` events a second takes. `cores`: all of them together, busy as BUSY."""

    rate: int
    workers: int
    partitions: int
    valkeys: int
    archives: int
    cores: int
    kafka_gb_an_hour: float
    """In `logins`, one copy, before compression, at the peak."""


def costs(bench: Bench) -> Costs | None:
    """The costs of a run; None where detect was not measured."""
    found = [mix["detect"] for mix in bench.mixes.values() if "detect" in mix]
    if not found:
        return None
    archives = [
        _us(process.cpu_s, bench.events)
        for mix in bench.mixes.values()
        if "detect_archive" in mix
        for name, process in mix["detect_archive"].processes.items()
        if name == "archive"
    ]
    return Costs(
        detect=max(1e6 / one.events_per_cpu_s for one in found if one.events_per_cpu_s),
        valkey=max(_server(one, "valkey") for one in found),
        kafka=max(_server(one, "kafka") for one in found),
        archive=max(archives, default=None),
    )


def size(rate: int, cost: Costs) -> Size:
    """What a rate takes, every process at most BUSY at the peak."""
    workers = _processes(rate, cost.detect)
    archives = 1 if cost.archive is None else _processes(rate, cost.archive)
    total = cost.detect + cost.valkey + cost.kafka + (cost.archive or 0.0)
    return Size(
        rate=rate,
        workers=workers,
        # Twice the workers, so that one more still gets some; keys move when more are added later.
        partitions=max(_FEWEST_PARTITIONS, _power_of_two(2 * workers)),
        valkeys=_processes(rate, cost.valkey),
        archives=archives,
        cores=ceil(rate * total / 1e6 / BUSY),
        kafka_gb_an_hour=round(rate * _BYTES * _HOUR_S / 1e9, 1),
    )


def _server(one: Measured, name: str) -> float:
    """A server's microseconds an event: its processor time in the time that detect needed."""
    events = one.events_per_cpu_s * one.cpu_s
    return _us(one.servers_cpu_s.get(name, 0.0), events)


def _us(seconds: float, events: float) -> float:
    return seconds * 1e6 / events if events else 0.0


def _processes(rate: int, us: float) -> int:
    return max(1, ceil(rate * us / 1e6 / BUSY))


def _power_of_two(least: int) -> int:
    return 1 << (least - 1).bit_length()
