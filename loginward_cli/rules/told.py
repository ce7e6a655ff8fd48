"""The ledger as people read it: one row a decision, with what became of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from config.governance.books import Governed
from config.governance.records import Adopted, Allowed, Approved, Line, Muted
from config.suppressions import load

from .common import when


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the ledger, its id, its state, and the detections it concerns."""

    line: Line
    identity: str
    state: str
    says: str
    details: list[str] = field(default_factory=list)
    rules: frozenset[str] = frozenset()

    def concerns(self, rule: str) -> bool:
        """Whether it is about this detection."""
        return rule in self.rules

    @property
    def text(self) -> str:
        """Several lines: who, when, what, why; then each difference."""
        head = f"{when(self.line.at)}  {self.identity:4} {self.line.by} {self.says}"
        state = f" [{self.state}]" if self.state else ""
        return "\n".join([f"{head}{state}: {self.line.reason}", *self.details])

    def facts(self) -> dict[str, Any]:
        """For `--json`."""
        line: dict[str, Any] = msgspec.to_builtins(self.line)
        return line | {"id": self.identity, "state": self.state}


def told(known: Governed, now: datetime) -> Iterator[Row]:
    """Every line of the ledger, oldest first."""
    quiet = {entry.id: entry for entry in load(known.ledger.lines).entries}
    rules: dict[str, frozenset[str]] = {}
    for line in known.ledger.lines:
        what = line.what
        if isinstance(what, Adopted):
            change = known.changes[f"C{line.number}"]
            rules[change.id] = frozenset(one.partition(".")[0] for one in what.differences)
            verb = "adopted in emergency" if what.emergency else "adopted"
            details = [f"    {one}" for one in what.differences]
            says = f"{verb} {what.rules[:16]}"
            yield Row(line, change.id, change.state(now), says, details, rules[change.id])
        elif isinstance(what, Muted | Allowed):
            entry = quiet[f"{'M' if isinstance(what, Muted) else 'A'}{line.number}"]
            rules[entry.id] = frozenset({what.rule}) if isinstance(what, Muted) else frozenset()
            says = f"{_quiet(what)} until {when(entry.until)}"
            yield Row(line, entry.id, entry.state(now), says, [], rules[entry.id])
        else:
            verb = "approved" if isinstance(what, Approved) else "withdrew"
            says = f"{verb} {what.id}"
            if isinstance(what, Approved) and what.effective is not None:
                says += f", in force from {when(what.effective)}"
            yield Row(line, "", "", says, [], rules.get(what.id, frozenset()))


def _quiet(what: Muted | Allowed) -> str:
    if isinstance(what, Allowed):
        return f"allowed {what.network} of {what.owner}"
    system = "" if what.system is None else f" of {what.system}"
    return f"muted {what.rule} on {what.subject_type} {what.subject_value}{system}"
