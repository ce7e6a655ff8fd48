"""What quality is to reach (DETECTIONS.md 4.6 and the issue), profile by profile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from .figures import Figures


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """One figure of one profile: at least or at most so much."""

    letter: str
    key: str
    sense: Literal["at least", "at most"]
    value: float

    def met(self, figures: Figures) -> bool | None:
        """Whether it is reached; None where it was not measured."""
        value: float | None = getattr(figures, self.key)
        if value is None:
            return None
        return value >= self.value if self.sense == "at least" else value <= self.value


def _goals(
    letters: str, key: str, sense: Literal["at least", "at most"], value: float
) -> list[Goal]:
    return [Goal(letter=letter, key=key, sense=sense, value=value) for letter in letters]


GOALS: Final = (
    *_goals("ABCEH", "campaign_recall", "at least", 1.0),
    *_goals("DF", "campaign_recall", "at least", 0.95),
    *_goals("A", "takeover_recall", "at least", 0.998),
    *_goals("BCDEFH", "takeover_recall", "at least", 0.975),
    *_goals("A", "attempt_attribution", "at least", 0.995),
    *_goals("AB", "detect_p95_s", "at most", 60),
    *_goals("C", "detect_p95_s", "at most", 300),
    *_goals("D", "detect_p95_s", "at most", 3600),
    *_goals("G", "false_campaigns_per_5_days", "at most", 1),
    *_goals("G", "stepped_up_share", "at most", 0.001),
    *_goals("I", "pages_per_12h", "at most", 2),
    *_goals("I", "notices_per_1000_good_logins", "at most", 3),
)


def goal(letter: str, key: str) -> Goal | None:
    """The goal of a figure of a profile, where there is one."""
    return next((one for one in GOALS if (one.letter, one.key) == (letter, key)), None)
