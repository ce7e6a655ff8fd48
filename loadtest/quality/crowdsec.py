"""CrowdSec's ssh scenarios as leaky buckets of our own: one bucket an address and scenario.

Numbers from crowdsecurity/hub `scenarios/crowdsecurity/` (ssh-bf, ssh-slow-bf, ssh-time-based-bf,
their user-enum forms), behaviour from crowdsecurity/crowdsec `pkg/leakybucket`, `pkg/time/rate`:
- A bucket holds `capacity` events and leaks one each `leak`. The event too many overflows it: an
  alert, and the bucket is gone; the next event opens a new one.
- After an alert the same bucket's overflows are swallowed for `blackhole` (they do not prolong it).
- A bucket without an event for (capacity + 1) x leak is gone.
- user-enum: a name counts once a bucket; a repeated name neither fills it nor keeps it alive.
- time-based: four failures whose gaps have a median above 10 minutes; a success empties the bucket.
Whole milliseconds, so that a bucket exactly full is exactly full (Go rounds to a nanosecond).

`tests/loadtest/quality/test_crowdsec.py` holds this to what the real CrowdSec said on public logs:
the same 218 alerts, 216 of them to the second. In two the real one lost the first event of a bucket
that followed an overflow (its buckets are goroutines that die while the next event is on its way).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median
from typing import Final

from .peers import PeerAlert

_S: Final = 1_000
_MINUTE: Final = 60 * _S
_HOUR: Final = 60 * _MINUTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaky:
    """A scenario `type: leaky`; spans in milliseconds."""

    name: str
    capacity: int
    leak_ms: int
    distinct: bool = False
    blackhole_ms: int = _MINUTE

    @property
    def life_ms(self) -> int:
        """A bucket without an event for so long is gone."""
        return (self.capacity + 1) * self.leak_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeBased:
    """A scenario `type: conditional`: a few failures, far apart."""

    name: str
    failures: int = 4
    gap_ms: int = 10 * _MINUTE
    life_ms: int = 2 * _HOUR
    distinct: bool = False
    blackhole_ms: int = 5 * _MINUTE


Scenario = Leaky | TimeBased

SSH: Final[tuple[Scenario, ...]] = (
    Leaky(name="ssh-bf", capacity=5, leak_ms=10 * _S),
    Leaky(name="ssh-bf_user-enum", capacity=5, leak_ms=10 * _S, distinct=True),
    Leaky(name="ssh-slow-bf", capacity=10, leak_ms=60 * _S),
    Leaky(name="ssh-slow-bf_user-enum", capacity=10, leak_ms=60 * _S, distinct=True),
    TimeBased(name="ssh-time-based-bf"),
    TimeBased(name="ssh-time-based-bf_user-enum", distinct=True),
)
"""What CrowdSec watches ssh with, as installed by its collection `crowdsecurity/sshd`."""

_SWEEP_EVERY: Final = 50_000
"""Attempts between two walks that drop the buckets of addresses long gone."""


@dataclass(slots=True)
class _Bucket:
    first_ms: int
    last_ms: int
    level_ms: int = 0
    """How full, in the time it takes to leak away: one event adds `leak_ms`."""
    events: int = 0
    names: set[str | None] = field(default_factory=set)
    times: list[int] = field(default_factory=list)


class CrowdSec:
    """The scenarios over a stream of attempts."""

    name = "crowdsec"
    ban_ms = 4 * _HOUR  # its profiles.yaml

    def __init__(self, scenarios: tuple[Scenario, ...] = SSH) -> None:
        self._scenarios = scenarios
        self._buckets: list[dict[str, _Bucket]] = [{} for _ in scenarios]
        self._silent: list[dict[str, int]] = [{} for _ in scenarios]
        self._fed = 0

    def feed(self, at_ms: int, ip: str, account: str | None, *, failed: bool) -> list[PeerAlert]:
        """Take one attempt; the alerts of all scenarios it makes overflow."""
        self._fed += 1
        if self._fed % _SWEEP_EVERY == 0:
            self._sweep(at_ms)
        found = []
        for number, scenario in enumerate(self._scenarios):
            if not failed:
                if isinstance(scenario, TimeBased):
                    self._buckets[number].pop(ip, None)
                continue
            bucket = self._poured(number, scenario, at_ms, ip, account)
            if bucket is None or self._silent[number].get(ip, at_ms) > at_ms:
                continue
            self._silent[number][ip] = at_ms + scenario.blackhole_ms
            found.append(PeerAlert(scenario.name, ip, bucket.first_ms, at_ms, bucket.events))
        return found

    def _poured(
        self, number: int, scenario: Scenario, at_ms: int, ip: str, account: str | None
    ) -> _Bucket | None:
        """Pour one failure; the bucket where it overflowed, which is then gone."""
        buckets = self._buckets[number]
        bucket = buckets.get(ip)
        if bucket is None or at_ms > bucket.last_ms + scenario.life_ms:
            bucket = buckets[ip] = _Bucket(at_ms, at_ms)
        if scenario.distinct:
            if account in bucket.names:
                return None
            bucket.names.add(account)
        bucket.events += 1
        full = (
            _leaked(bucket, scenario, at_ms)
            if isinstance(scenario, Leaky)
            else _far_apart(bucket, scenario, at_ms)
        )
        bucket.last_ms = at_ms
        return buckets.pop(ip) if full else None

    def _sweep(self, now_ms: int) -> None:
        for scenario, buckets, silent in zip(
            self._scenarios, self._buckets, self._silent, strict=True
        ):
            for ip in [ip for ip, b in buckets.items() if now_ms > b.last_ms + scenario.life_ms]:
                del buckets[ip]
            for ip in [ip for ip, until in silent.items() if until <= now_ms]:
                del silent[ip]


def _leaked(bucket: _Bucket, scenario: Leaky, at_ms: int) -> bool:
    level = max(0, bucket.level_ms - (at_ms - bucket.last_ms)) + scenario.leak_ms
    bucket.level_ms = level
    return level > scenario.capacity * scenario.leak_ms


def _far_apart(bucket: _Bucket, scenario: TimeBased, at_ms: int) -> bool:
    times = bucket.times = [*bucket.times, at_ms][-scenario.failures :]
    if len(times) < scenario.failures:
        return False
    gaps = [later - earlier for earlier, later in pairwise(times)]
    return median(gaps) > scenario.gap_ms
