"""What a filled Valkey comes to; filling one is `loginward quality --memory`, not a test."""

from __future__ import annotations

from loadtest.profiles.c import PLAN
from loadtest.quality import memory
from loadtest.quality.memory import Kept, Memory

_MIB = 1024 * 1024


def _told(hours: float) -> Memory:
    return memory.told(
        addresses=1_000,
        attempts=1_180,
        used=_MIB,
        rss=2 * _MIB,
        kinds={"logs": Kept(keys=1_000, mb=0.9, hours=hours)},
        hours=hours,
        took_s=1,
    )


def test_memory_is_rate_times_lifetime() -> None:
    """Inside a spike twice the lifetime is twice the memory; in the end the whole campaign is in
    it.
    """
    short, long, longest = _told(1), _told(2), _told(1_000)

    assert short.bytes_an_address == 1049
    assert short.million_mb == 1000
    assert short.needed_mb == round(short.per_hour * _MIB / 1_000 / _MIB)
    assert abs(long.needed_mb - 2 * short.needed_mb) <= 1
    assert longest.needed_mb == round(PLAN.volume.attempts / PLAN.per_address * _MIB / 1_000 / _MIB)


def test_the_figures_as_lines() -> None:
    """Measured, by kind, and calculated beside it."""
    lines = list(memory.lines(_told(6)))

    assert "1,000 attacking addresses, 1,180 attempts (profile C): 1.0 MB" in lines[0]
    assert lines[1] == "  logs: 1,000 keys, 0.9 MB, for 6.0 h at most"
    assert lines[2] == "1,000,000 addresses: 1,000 MB"
    assert "a log lives 6.0 h" in lines[3]
