"""What one shard gets of a batch, and the one script call that writes it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Final

from detectors.account_memory import FORGOTTEN_MS
from detectors.caps import at_ms
from detectors.windows import (
    LATENESS_MS,
    Kind,
    Observed,
    Subject,
    due_ms,
    look_bytes,
    retention_ms,
)

from . import keys_in_redis as keys
from .redis_calls import Call

_MEMORY_TTL_MS: Final = FORGOTTEN_MS + LATENESS_MS


@dataclass(slots=True)
class Part:
    """What one shard gets of a batch."""

    appended: dict[Kind, list[Subject]] = field(default_factory=lambda: defaultdict(list))
    looked: dict[Subject, bytes] = field(default_factory=dict)
    owners: list[bytes] = field(default_factory=list)

    @property
    def subjects(self) -> list[Subject]:
        """The logs of the call, in the order of its keys."""
        return [*chain.from_iterable(self.appended.values()), *self.looked]

    def call(self, shard: int, observed: Observed, first_look: Mapping[Kind, int]) -> Call:
        """The script call that writes it and reads what is to be looked at."""
        names: list[str | bytes] = [keys.log(shard, subject) for subject in self.subjects]
        names += [keys.memory(shard, owner) for owner in self.owners]
        names.append(keys.unsettled(shard))
        args: list[Any] = [_MEMORY_TTL_MS, len(self.appended), len(self.looked)]
        for kind, subjects in self.appended.items():
            args += (len(subjects), retention_ms(kind), look_bytes(first_look[kind], kind))
        for kind, subjects in self.appended.items():
            for subject in subjects:
                entries = observed.entries[subject]
                if kind == "logins":  # never flagged, so never unsettled
                    args += (b"".join(entries), b"", 0)
                else:
                    newest = due_ms(kind, max(map(at_ms, entries)))
                    args += (b"".join(entries), keys.member(subject), newest)
        args += self.looked.values()
        args += [observed.remembered[owner] for owner in self.owners]
        return "record", names, args
