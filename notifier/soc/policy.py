"""Whether people are to be left alone about an alert: mutes and allow-lists, asked before a page.

Outputs get every alert all the same: who is not woken must still be able to look.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from detectors.alerts import Alert


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why nobody is paged: who decided so, what they wrote, and until when."""

    by: str
    text: str
    until: datetime | None = None


Policy = Callable[[Alert, datetime], Reason | None]


def suppressed(alert: Alert, now: datetime) -> Reason | None:  # noqa: ARG001 (the seam's shape)
    """Why nobody is paged for `alert` at `now` (aware); None: page. So far nothing is muted."""
    return None


NOBODY_MUTED: Final[Policy] = suppressed
