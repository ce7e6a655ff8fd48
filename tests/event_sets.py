"""Hypothesis strategies for sets of events in which the detections find something."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate

from hypothesis import strategies as st

from detectors.events import LoginEvent

from .builders import HOUR, QUIET, login

ADDRESSES = (
    "192.0.2.7",
    "::ffff:192.0.2.7",
    "2001:db8:0:7::1",
    "2001:db8:0:7:ffff::2",
    "203.0.113.4",
)
PACES = (0, 0.001, 1, 6, 12, 31, 60, 240, 660)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Logins of one address at one pace (seconds); small, so that a failing example can be read."""

    start: float
    every: float
    count: int
    ip: str
    accounts: int
    system: str
    outcome: str
    action: str

    def events(self, name: str) -> list[LoginEvent]:
        """The logins, accounts taken in turn; none has an account where `accounts` is 0."""
        return [
            login(
                self.start + n * self.every,
                f"{name}-{n}",
                ip=self.ip,
                account=f"account{n % self.accounts}" if self.accounts else None,
                system=self.system,
                outcome=self.outcome,
                action=self.action,
            )
            for n in range(self.count)
        ]


def events_of(runs: Iterable[Run]) -> list[LoginEvent]:
    """All logins of some runs, in the order of event time."""
    logins = [event for n, run in enumerate(runs) for event in run.events(f"run{n}")]
    return sorted(logins, key=lambda event: event.occurred_at)


@st.composite
def run(draw: st.DrawFn, *, first: float, last: float) -> Run:
    """Up to forty logins between `first` and `last` (seconds after START)."""
    every = draw(st.sampled_from(PACES))
    longest = 40 if not every else max(1, min(40, int((last - first) / every)))
    count = draw(st.integers(1, longest))
    return Run(
        start=draw(st.integers(int(first), int(last - (count - 1) * every))),
        every=every,
        count=count,
        ip=draw(st.sampled_from(ADDRESSES)),
        accounts=draw(st.integers(0, 20)),
        system=draw(st.sampled_from(["web", "app"])),
        outcome=draw(st.sampled_from(["failure"] * 4 + ["success"])),
        action=draw(st.sampled_from(["login"] * 6 + ["order"])),
    )


@st.composite
def slow_series(draw: st.DrawFn) -> list[LoginEvent]:
    """One address at the limits of slowness: gaps of half minutes to quarter hours."""
    gaps = draw(st.lists(st.sampled_from([0, 30, 59, 60, 61, 590, 600, 601, 900]), max_size=14))
    outcomes = draw(
        st.lists(
            st.sampled_from(["failure"] * 6 + ["success"]),
            min_size=len(gaps),
            max_size=len(gaps),
        )
    )
    return [
        login(QUIET - HOUR + at, f"s{n}", outcome=outcome)
        for n, (at, outcome) in enumerate(zip(accumulate(gaps), outcomes, strict=True))
    ]


def runs(
    *, first: float = QUIET - 3 * HOUR, last: float = QUIET + 2.9 * HOUR
) -> st.SearchStrategy[list[Run]]:
    """Up to six runs over a boundary of quiet times, within LATENESS by default."""
    return st.lists(run(first=first, last=last), min_size=1, max_size=6)
