"""How often one address may fail on the page; only failures count, for thousands share one address.

An address of a mobile carrier stands for thousands of customers, so what succeeds costs nothing.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

REMEMBERED: Final = 20_000
"""Addresses; beyond, the one that failed longest ago is forgotten. Some 3 MB."""

_MINUTE = 60.0
_V6_NETWORK = 64
"""Bits that one subscriber holds: he has as many addresses below as he likes."""


@dataclass(slots=True)
class FailureLimit:
    """A bucket an address: `a_minute` failures at once, as many again each minute.

    `elapsed` gives seconds of a clock that never goes back.
    """

    a_minute: int
    elapsed: Callable[[], float]
    _spent: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)

    def tired(self, address: str) -> bool:
        """Whether this address has failed too often of late."""
        return self._left(_subscriber(address)) < 1.0

    def failed(self, address: str) -> None:
        """Count a failure."""
        key = _subscriber(address)
        left = max(0.0, self._left(key) - 1.0)
        self._spent[key] = (left, self.elapsed())
        self._spent.move_to_end(key)
        if len(self._spent) > REMEMBERED:
            self._spent.popitem(last=False)

    def _left(self, key: str) -> float:
        left, since = self._spent.get(key, (float(self.a_minute), self.elapsed()))
        regained = (self.elapsed() - since) * self.a_minute / _MINUTE
        return min(float(self.a_minute), left + regained)


def _subscriber(address: str) -> str:
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(known, ipaddress.IPv6Address):
        if known.ipv4_mapped is not None:
            return str(known.ipv4_mapped)
        return str(ipaddress.ip_network((known, _V6_NETWORK), strict=False))
    return str(known)
