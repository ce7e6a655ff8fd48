"""PAM lines of sshd's helper process, which asks the questions and has a number of its own.

With keyboard-interactive sshd forks a child for PAM: `pam_unix(sshd:auth)` then carries the child's
process number, `error: PAM` and `Failed` the parent's. They are brought together by host, account,
address and a few seconds.
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import timedelta
from typing import Generic, Protocol, TypeVar

from detectors.addresses import canonical

from .marks import Mark

WINDOW = timedelta(seconds=10)
"""pam_unix delays a failure by 2-3 s; a loaded machine adds some."""

_MOST = 16_384


class Waiting(Protocol):
    """An attempt that waits for its decision, as far as it must be known here."""

    @property
    def mark(self) -> Mark:
        """Where and when its line stands."""
        ...

    @property
    def account(self) -> str | None:
        """The account, None where PAM did not know it."""
        ...

    @property
    def addresses(self) -> tuple[str, ...]:
        """Every spelling of the address so far."""
        ...


A = TypeVar("A", bound=Waiting)
_Key = tuple[str, str | None]


class PamChildren(Generic[A]):
    """Attempts of which PAM alone has spoken, by host and account; the oldest are dropped."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[int, tuple[_Key, A]] = OrderedDict()
        self._of: dict[_Key, list[A]] = {}

    def add(self, host: str, attempt: A) -> None:
        """Remember an attempt that another process may decide."""
        key = (host, attempt.account)
        self._waiting[id(attempt)] = (key, attempt)
        self._of.setdefault(key, []).append(attempt)
        if len(self._waiting) > _MOST:
            self.forget(next(iter(self._waiting.values()))[1])

    def forget(self, attempt: A) -> None:
        """It is decided, or was never here."""
        entry = self._waiting.pop(id(attempt), None)
        if entry is None:
            return
        same = self._of[entry[0]]
        same.remove(attempt)
        if not same:
            del self._of[entry[0]]

    def find(self, host: str, decided: A) -> A | None:
        """The attempt that `decided`, a line of another process, may be about, if any."""
        for account in {decided.account, None}:
            for waiting in self._of.get((host, account), ()):
                age = decided.mark.occurred_at - waiting.mark.occurred_at
                if abs(age) <= WINDOW and _may_be_same(waiting.addresses, decided.addresses):
                    return waiting
        return None


def is_address(text: str) -> bool:
    """Whether a host in a log is an IP address and not a name."""
    try:
        canonical(text)
    except ValueError:
        return False
    return True


def _may_be_same(ones: tuple[str, ...], others: tuple[str, ...]) -> bool:
    """Two addresses must be equal; a name (UseDNS) may be anybody's."""
    left, right = set(filter(is_address, ones)), set(filter(is_address, others))
    return not left or not right or bool(left & right)
