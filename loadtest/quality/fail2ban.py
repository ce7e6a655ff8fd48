"""fail2ban's default jail: `maxretry` 5 failures of an address within `findtime` 10 minutes.

Read as its manual says it: failures of the last `findtime` count (jail.conf, fail2ban.conf). Its
versions differ in how they age a count (0.x restart it, 1.x scale it down); neither catches an
address that this reading does not. While an address is banned, `bantime` 10 minutes, it cannot
knock, so its failures do not count then.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from .peers import PeerAlert

_MINUTE: Final = 60_000
_SWEEP_EVERY: Final = 50_000


class Fail2ban:
    """One count an address over a stream of attempts."""

    name = "fail2ban"

    def __init__(
        self, *, maxretry: int = 5, findtime_ms: int = 10 * _MINUTE, bantime_ms: int = 10 * _MINUTE
    ) -> None:
        self.ban_ms = bantime_ms
        self._maxretry = maxretry
        self._findtime_ms = findtime_ms
        self._failures: dict[str, deque[int]] = {}
        self._banned: dict[str, int] = {}
        self._fed = 0

    def feed(self, at_ms: int, ip: str, account: str | None, *, failed: bool) -> list[PeerAlert]:
        """Take one attempt; at most one alert."""
        del account
        self._fed += 1
        if self._fed % _SWEEP_EVERY == 0:
            self._sweep(at_ms)
        if not failed or self._banned.get(ip, at_ms) > at_ms:
            return []
        times = self._failures.get(ip)
        if times is None:
            times = self._failures[ip] = deque(maxlen=self._maxretry)
        times.append(at_ms)
        if len(times) < self._maxretry or at_ms - times[0] > self._findtime_ms:
            return []
        del self._failures[ip]
        self._banned[ip] = at_ms + self.ban_ms
        return [PeerAlert("sshd", ip, times[0], at_ms, self._maxretry)]

    def _sweep(self, now_ms: int) -> None:
        old = now_ms - self._findtime_ms
        for ip in [ip for ip, times in self._failures.items() if times[-1] < old]:
            del self._failures[ip]
        for ip in [ip for ip, until in self._banned.items() if until <= now_ms]:
            del self._banned[ip]
