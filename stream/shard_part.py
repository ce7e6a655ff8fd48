"""What one shard gets of a batch, and the one script call that writes it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
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
RENEWED_FOR_S: Final = 3_600.0
"""Logs expire so much later than they must, so that a busy one has its expiry renewed once in that
time and not with every batch: an eighth of what an event writes to the append-only file.
"""
_LOG_SLACK_MS: Final = int(RENEWED_FOR_S * 1000)


@dataclass(slots=True)
class Slot:
    """Where a log lies, and when (seconds since 1970) this process last saw its expiry renewed."""

    shard: int
    name: str
    renewed: float = 0.0

    def is_renewed(self, now: float) -> bool:
        """Whether its expiry is far enough; never where the clock was set back."""
        return 0.0 <= now - self.renewed < RENEWED_FOR_S


_Class = tuple[Kind, bool]
"""Logs of one kind, and whether their expiry is due to be renewed."""


@dataclass(slots=True)
class Part:
    """What one shard gets of a batch."""

    appended: dict[_Class, list[tuple[Subject, Slot]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    looked: dict[Subject, bytes] = field(default_factory=dict)
    owners: list[bytes] = field(default_factory=list)

    @property
    def subjects(self) -> list[Subject]:
        """The logs of the call, in the order of its keys."""
        appended = [subject for logs in self.appended.values() for subject, _ in logs]
        return [*appended, *self.looked]

    def renewed(self, now: float) -> None:
        """The call of `now` was answered."""
        for (_, renew), logs in self.appended.items():
            if renew:
                for _, slot in logs:
                    slot.renewed = now

    def call(self, shard: int, observed: Observed, first_look: Mapping[Kind, int]) -> Call:
        """The script call that writes it and reads what is to be looked at."""
        names: list[str | bytes] = [
            slot.name for logs in self.appended.values() for _, slot in logs
        ]
        names += [keys.log(shard, subject) for subject in self.looked]
        names += [keys.memory(shard, owner) for owner in self.owners]
        names.append(keys.unsettled(shard))
        args: list[Any] = [_MEMORY_TTL_MS, len(self.appended), len(self.looked)]
        for (kind, renew), logs in self.appended.items():
            ttl = retention_ms(kind) + _LOG_SLACK_MS
            first = look_bytes(first_look[kind], kind)
            args += (len(logs), ttl, first, int(renew), int(kind == "logins"))
        for (kind, _), logs in self.appended.items():
            of = observed.entries
            if kind == "logins":
                args += [b"".join(of[subject]) for subject, _ in logs]
                continue
            for subject, _ in logs:
                entries = of[subject]
                newest = due_ms(kind, max(map(at_ms, entries)))
                args += (b"".join(entries), keys.member(subject), newest)
        args += self.looked.values()
        args += [observed.remembered[owner] for owner in self.owners]
        return "record", names, args
