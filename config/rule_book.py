"""The rule book: how each detection is set, since when, and how the engine takes it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

from detectors.events import milliseconds
from detectors.periods import within
from detectors.rule import ActiveRule, Mode, Rule
from detectors.rules import RULES
from detectors.windows import FOR_EVER_MS, LONGEST_QUIET_MS

from .checks import Between, NonEmpty
from .durations import written

_SHORTEST = timedelta(seconds=1)
_LONGEST_QUIET = timedelta(milliseconds=LONGEST_QUIET_MS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One detection as rules.toml sets it; who answers for it and why stand beside the limits."""

    mode: Mode = "staged"
    owner: Annotated[str, NonEmpty()] = "nobody yet"
    reason: Annotated[str, NonEmpty()] = (
        "not in the file: it judges with its defaults and pages nobody"
    )
    quiet: Annotated[timedelta, Between(_SHORTEST, _LONGEST_QUIET)] = _LONGEST_QUIET
    effective: datetime | None = None
    """The event time from which this holds; None: since ever."""
    limits: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleBook:
    """All detections with what the file says of them, in the order of detectors/rules.

    `entries` are the newest; `earlier` holds what was in force before them, oldest first.
    """

    file: Path
    entries: Mapping[str, Entry]
    earlier: Mapping[str, tuple[Entry, ...]] = field(default_factory=dict)

    def periods(self, rule: str) -> tuple[Entry, ...]:
        """What was and is in force of one detection, oldest first, each until the next begins."""
        return (*self.earlier.get(rule, ()), self.entries[rule])

    def at(self, time: datetime) -> RuleBook:
        """What is in force for a limit crossed at `time`; a rule not yet in force is off."""
        return RuleBook(
            file=self.file, entries={rule: self._at(rule, time) for rule in self.entries}
        )

    def _at(self, rule: str, time: datetime) -> Entry:
        periods = self.periods(rule)
        held = [one for one in periods if one.effective is None or one.effective <= time]
        entry = held[-1] if held else replace(periods[0], mode="off")
        return replace(entry, effective=None)

    def active(self) -> tuple[ActiveRule, ...]:
        """The detections as the engine takes them: one for each period of each."""
        known = {rule.id: rule for rule in RULES}
        return tuple(active for name in known for active in self._active(known[name]))

    def version_at(self, rule: Rule, time: datetime) -> str:
        """The version that an alert of this rule has whose limit is crossed at `time`."""
        starts = [one.effective for one in self.periods(rule.id)]
        turns = zip(self._active(rule), starts, strict=True)
        held = [active.version for active, since in turns if since is None or since <= time]
        return held[-1] if held else "none"

    def _active(self, rule: Rule) -> Iterator[ActiveRule]:
        periods = self.periods(rule.id)
        starts = [0 if one.effective is None else milliseconds(one.effective) for one in periods]
        turns: Counter[str] = Counter()
        for entry, since, until in zip(periods, starts, [*starts[1:], FOR_EVER_MS], strict=True):
            plain = ActiveRule(rule=rule, limits=entry.limits, quiet=entry.quiet, mode=entry.mode)
            turns[plain.version] += 1
            whole = since == 0 and until == FOR_EVER_MS
            yield plain if whole else within(plain, since, until, turns[plain.version])


def told(limits: Any) -> dict[str, str]:
    """Limits as rules.toml writes them, for `rules show` and the record of what was in force."""
    return {
        part.name: written(value) if isinstance(value, timedelta) else str(value)
        for part in fields(limits)
        if (value := getattr(limits, part.name)) is not None
    }
