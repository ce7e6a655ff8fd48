"""The counts of successes that shares are read from, against the successes that were sent."""

from __future__ import annotations

from pathlib import Path

from redis import Redis

from detectors.census import TOTAL
from detectors.errors import Rejected
from detectors.wire import decode


def difference(redis_url: str, events: Path) -> int:
    """By how much they differ: a batch that was counted twice, or not at all, shows here."""
    return abs(_counted(redis_url) - _sent(events))


def _counted(redis_url: str) -> int:
    client = Redis.from_url(redis_url)
    try:
        counts = (client.hget(key, TOTAL) for key in client.scan_iter(match="c:{*", count=1000))
        return sum(int(count) for count in counts if count is not None)
    finally:
        client.close()


def _sent(events: Path) -> int:
    known: set[tuple[str | None, str]] = set()
    total = 0
    with events.open("rb") as lines:
        for line in lines:
            try:
                event = decode(line.rstrip(b"\n"))
            except Rejected:
                continue
            identity = (event.source, event.event_id)
            if identity not in known:
                known.add(identity)
                total += event.outcome == "success" and event.action == "login"
    return total
