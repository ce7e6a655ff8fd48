"""The detections, listed by hand: a rule that is missing here is an import error, never a silent
hole.
"""

from __future__ import annotations

from ..rule import Rule
from . import ip_account_spray, ip_fail_burst, ip_fail_daily

RULES: tuple[Rule, ...] = (
    ip_fail_burst.RULE,
    ip_fail_daily.RULE,
    ip_account_spray.RULE,
)
