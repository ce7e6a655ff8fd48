"""What a provider does wrong, and for how many calls."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """slow: answers after `seconds`. refuse: answers `status` and takes nothing. lose: takes the
    message and ends the call without an answer. hang: takes it and answers after `seconds`.
    """

    kind: Literal["slow", "refuse", "lose", "hang"]
    status: int = 500
    code: int | str = 0
    seconds: float = 0.0


@dataclass(slots=True)
class Faults:
    """The faults to come; a call takes one. `always` holds when none is left."""

    always: Fault | None = None
    _next: list[Fault] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, *faults: Fault) -> None:
        """For the next calls, one each."""
        with self._lock:
            self._next += faults

    def take(self) -> Fault | None:
        """What is wrong with this call."""
        with self._lock:
            return self._next.pop(0) if self._next else self.always

    @property
    def left(self) -> int:
        """How many faults no call has met yet."""
        return len(self._next)
