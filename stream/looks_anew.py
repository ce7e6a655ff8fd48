"""A store whose logs are looked at once more after the rules have changed.

A store looks at a log again when it has grown to where a judgement may change, and that was
reckoned under the rules of the last look. Under a lower limit it may be too late: so for a while
after a change each log is looked at with its next attempt, whatever it has grown to.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from detectors.memory import MemoryStore
from detectors.windows import Kind, Observed, Reading, Subject

from .redis_store import RedisStore


class _Records(Protocol):
    async def record(
        self, observed: Observed, first_look: Mapping[Kind, int]
    ) -> dict[Subject, Reading]: ...


if TYPE_CHECKING:
    _Base = _Records
else:
    _Base = object


class LooksAnew(_Base):
    """Put before a store. What was looked at is known to this process alone; another looks again.

    Of each log a hash of 64 bits is kept (100 bytes): two that share one are looked at as usual.
    """

    _until = 0.0
    _looked: set[int]

    def look_anew(self, until: float) -> None:
        """From now on, until `until` (seconds since 1970)."""
        self._looked, self._until = set(), until

    async def record(
        self, observed: Observed, first_look: Mapping[Kind, int]
    ) -> dict[Subject, Reading]:
        """See WindowStore."""
        if self._until:
            observed = self._widened(observed)
        return await super().record(observed, first_look)  # type: ignore[safe-super]  # a mix-in

    def _widened(self, observed: Observed) -> Observed:
        if time.time() > self._until:
            self._looked, self._until = set(), 0.0
            return observed
        hashes = {subject: hash(subject) for subject in observed.entries}
        new = frozenset(one for one, known in hashes.items() if known not in self._looked)
        self._looked.update(hashes.values())
        return replace(observed, urgent=observed.urgent | new)


class RedisLooksAnew(LooksAnew, RedisStore):
    """What workers use."""


class MemoryLooksAnew(LooksAnew, MemoryStore):
    """The same over the exact store, for tests."""
