"""Addresses that were told to be bad, and since when until when that is so: by event time, as-of.

An entry judges the logins of its span alone. So what was imported later changes no earlier login,
what was revoked or has expired still explains the logins of its time, and a replay says the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Final, NamedTuple

from .networks import Network

SINCE_EVER: Final = -(1 << 62)
FOR_EVER: Final = 1 << 62
"""Bounds of a span without a beginning or an end, in milliseconds since 1970."""

_CACHED = 65_536
_BITS: Final = {4: 32, 6: 128}


class Span(NamedTuple):
    """From `since_ms` until before `until_ms` (event time); `bulletin` is who told it."""

    since_ms: int
    until_ms: int
    bulletin: str

    def holds(self, at_ms: int) -> bool:
        """Whether a login at `at_ms` is judged by it."""
        return self.since_ms <= at_ms < self.until_ms


class Indicators:
    """Networks with their spans; nothing in it ever changes. False where there are none.

    `version` names the list in the record of what was in force.
    """

    def __init__(self, entries: Iterable[tuple[Network, Span]] = (), *, version: str = "") -> None:
        self.version = version
        found: defaultdict[tuple[int, int], dict[int, list[Span]]] = defaultdict(dict)
        for network, span in entries:
            if span.since_ms < span.until_ms:
                length = network.prefixlen
                prefix = int(network.network_address) >> (_BITS[network.version] - length)
                found[network.version, length].setdefault(prefix, []).append(span)
        # By length of prefix: a look-up asks each length that occurs, few in any real list.
        self._lengths: dict[int, list[tuple[int, dict[int, tuple[Span, ...]]]]] = {4: [], 6: []}
        for (version_of_ip, length), held in sorted(found.items()):
            frozen = {prefix: tuple(sorted(set(spans))) for prefix, spans in held.items()}
            self._lengths[version_of_ip].append((_BITS[version_of_ip] - length, frozen))
        self._any = bool(found)
        self.spans = lru_cache(maxsize=_CACHED)(self._spans)

    def __bool__(self) -> bool:
        """Whether there is anything to ask."""
        return self._any

    def __len__(self) -> int:
        """How many networks there are."""
        return sum(len(held) for lengths in self._lengths.values() for _, held in lengths)

    def listed(self, address: str, at_ms: int) -> bool:
        """Whether `address` (canonical) is told to be bad at `at_ms` (event time)."""
        return any(span.holds(at_ms) for span in self.spans(address))

    def entries(self) -> Iterator[tuple[Network, tuple[Span, ...]]]:
        """All networks with their spans: IPv4 first, wide ones first, by address."""
        for version, lengths in self._lengths.items():
            kind = IPv4Network if version == 4 else IPv6Network  # noqa: PLR2004 (IP version 4)
            for shift, held in lengths:
                for prefix, spans in sorted(held.items()):
                    yield kind((prefix << shift, _BITS[version] - shift)), spans

    def _spans(self, address: str) -> tuple[Span, ...]:
        """Every span of the networks that hold `address` (canonical), past and future ones too."""
        parsed = ip_address(address)
        number = int(parsed)
        spans: tuple[Span, ...] = ()
        for shift, held in self._lengths[parsed.version]:
            spans += held.get(number >> shift, ())
        return spans


NO_INDICATORS: Final = Indicators()
"""No list."""
