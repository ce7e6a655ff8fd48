"""What governance still wants from somebody: approvals that are due, files that differ, damage."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from ..suppressions import load
from .books import Governed

_ENDS_SOON = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Owed:
    """Sentences for people: `findings` must be mended, `notes` are worth knowing."""

    findings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def texts(self) -> list[str]:
        """All of them, the grave ones first."""
        return [*(f"MEND {text}" for text in self.findings), *(f"note {t}" for t in self.notes)]

    @property
    def grave(self) -> bool:
        """Whether something must be mended."""
        return bool(self.findings)


def owed(known: Governed, now: datetime) -> Owed:
    """What is wanted at `now`."""
    findings, notes = list(known.troubles), []
    for change in known.changes.values():
        said = f"{change.id} of {change.line.by} ({change.line.reason})"
        if change.overdue(now):
            findings.append(
                f"{said}: an emergency change that nobody approved within 24 hours; "
                f"loginward rules approve {change.id} --by NAME, or withdraw it"
            )
        elif change.approved is None and change.withdrawn is None:
            notes.append(f"{said}: {change.state(now)}")
    for entry in load(known.ledger.lines).entries:
        what = f"{entry.rule} on {entry.subject[1]}" if entry.subject else f"{entry.network}"
        said = f"{entry.id} of {entry.by}: {what} ({entry.reason})"
        if entry.overdue(now):
            findings.append(
                f"{said}: a mute that nobody approved within 24 hours; "
                f"loginward rules approve {entry.id} --by NAME"
            )
        elif entry.approved_by is None and entry.withdrawn_at is None:
            notes.append(f"{said}: {entry.state(now)}")
        elif entry.kind == "allow" and entry.holds(now) and entry.until - now < _ENDS_SOON:
            notes.append(f"{said}: ends at {entry.until:%Y-%m-%d %H:%M} UTC")
    return Owed(tuple(findings), tuple(notes))
