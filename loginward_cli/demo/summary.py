"""What a demo came to: for a script as JSON, for a person as a page of text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from console.live_lines import clock

from .places import short
from .reckoning import Archived, Replay
from .telling import Told

_CAMPAIGNS = 3
"""So many are named; an attack is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Seconds since the command was started, and from the attack's first attempt to its alert."""

    stack_ready: float
    pipeline_ready: float | None
    attack_began: float | None
    first_alert: float | None
    attack_to_alert: float | None
    ended: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The figures of one demo; `sent` is what Kafka acknowledged of `logins`."""

    times: Times
    sent: int
    read: int
    judged: int
    duplicates: int
    rejected: int
    archived: Archived
    alerts: int
    by_rule: Mapping[str, int]
    by_severity: Mapping[str, int]
    attackers: int
    attackers_caught: list[str]
    alerts_on_others: int
    incidents: list[str]
    """A line each, the newest first."""
    replay: Replay
    told: Told
    restarts: int
    folder: str
    left_running: list[int] = field(default_factory=list)

    @property
    def adds_up(self) -> bool:
        """Whether every login sent is judged, a duplicate or rejected, and every one sealed."""
        return (
            self.sent == self.read == self.judged + self.duplicates + self.rejected
            and self.archived.events + self.archived.undecodable == self.read
        )

    @property
    def sound(self) -> bool:
        """Whether everything that can be checked here held."""
        return self.adds_up and self.replay.same is not False and not self.left_running


def text(summary: Summary, commands: list[str]) -> str:
    """The summary for a person."""
    lines = ["", f"The demo is over ({clock(summary.times.ended)}).", ""]
    lines += [f"  {label:<13}{said}" for label, said in _rows(summary)]
    lines += [f"    {difference}" for difference in summary.replay.differences]
    lines += ["", f"Until the next demo the data stays in {short(Path(summary.folder))}. Try:"]
    lines += [f"  {command}" for command in commands]
    return "\n".join(lines)


def _rows(summary: Summary) -> list[tuple[str, str]]:
    times = summary.times
    return [
        ("set-up", _set_up(times)),
        ("first alert", _first_alert(times)),
        ("attack", _attack(summary)),
        ("alerts", _counted(summary.by_severity, summary.alerts)),
        ("", _counted(summary.by_rule, None)),
        *zip(("campaigns", *[""] * _CAMPAIGNS), _campaigns(summary.incidents), strict=False),
        ("told", _told(summary.told)),
        ("logins", _sum(summary)),
        ("archive", _archive(summary.archived)),
        ("adds up", "yes" if summary.adds_up else "NO: this is a fault of loginward"),
        ("judged again", _replayed(summary.replay)),
        ("left running", ", ".join(map(str, summary.left_running)) or "nothing"),
    ]


def _campaigns(lines: Sequence[str]) -> list[str]:
    """The first few, and how many more."""
    said = list(lines[:_CAMPAIGNS]) or ["none"]
    more = len(lines) - _CAMPAIGNS
    return [*said, f"and {more} more"] if more > 0 else said


def _set_up(times: Times) -> str:
    said = f"Kafka and Valkey after {times.stack_ready:.1f} s"
    if times.pipeline_ready is None:
        return f"{said}; the pipeline was not"
    return f"{said}, the pipeline after {times.pipeline_ready:.1f} s"


def _told(told: Told) -> str:
    said = f"{told.push} push, {told.sms} SMS, {told.email} e-mail to customers"
    return f"{said}; {told.held} held by the firm" if told.held else said


def _sum(summary: Summary) -> str:
    return (
        f"{summary.sent:,} sent = {summary.judged:,} judged + {summary.duplicates:,} duplicates "
        f"+ {summary.rejected:,} rejected"
    )


def _archive(archived: Archived) -> str:
    return f"{archived.events:,} logins sealed, and {archived.undecodable:,} records that are none"


def _first_alert(times: Times) -> str:
    if times.first_alert is None:
        return "no new one"
    said = f"{times.first_alert:.1f} s after the start"
    if times.attack_to_alert is None:
        return said
    return f"{said}, {times.attack_to_alert:.1f} s after the attack began"


def _attack(summary: Summary) -> str:
    if not summary.attackers:
        return "none was simulated"
    others = summary.alerts_on_others
    return (
        f"{len(summary.attackers_caught)} of {summary.attackers} attacking addresses caught, "
        f"{others or 'no'} alert{'s' if others > 1 else ''} on customers"
    )


def _counted(counts: Mapping[str, int], total: int | None) -> str:
    parts = ", ".join(f"{number} {name}" for name, number in counts.items()) or "none"
    return parts if total is None else f"{total}: {parts}"


def _replayed(replay: Replay) -> str:
    if replay.same is None:
        return f"not run: {replay.reason}"
    if not replay.same:
        return f"{replay.events:,} archived logins give other alerts: NO, these differ:"
    return (
        f"{replay.events:,} archived logins give the same {replay.alerts} alerts: yes "
        f"({replay.seconds:.1f} s)"
    )
