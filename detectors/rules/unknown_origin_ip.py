"""An address of unknown origin (不明來源IP) logs in, or fails again and again (item 15)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from ..attempts import KNOWN_DEVICE, RARE_COUNTRY, RISKY_NETWORK, flags_of, marked
from ..counting import Hot, each_at, event_count
from ..rule import NEVER, Clause, Rule, Sighting, whole_ms
from ..windows import SubjectLog

DEFINITION = (
    "unknown origin, definition 1: a cloud, hosting, VPN or Tor network, an address on a list of "
    "threat intelligence, or a country with under 0.1 % of the system's successes of 90 days"
)
"""What the firm calls an address of unknown origin, on every alert; a change gets a number."""

_UNKNOWN = RISKY_NETWORK | RARE_COUNTRY


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Okta and OWASP weigh such origins; alone they alert only with a success or 3 failures, as
    Auth0's and CrowdSec's lists would drown a shift otherwise (DETECTIONS.md 5).
    """

    failures: int = 3
    logins: int = 1
    window: timedelta = timedelta(hours=24)


def judge(log: SubjectLog, limits: Limits) -> list[Sighting]:
    """Failures from such an address, and logins on devices their accounts do not know."""
    failing = Clause(
        part="",
        order="as_of",
        severity="medium",
        window=limits.window,
        threshold=limits.failures,
        says="{subject} failed {failures} times on {accounts} accounts: at least {threshold} "
        f"within {{window}} ({DEFINITION})",
    )
    inside = Clause(
        part="login",
        order="as_of",
        severity="medium",
        window=limits.window,
        threshold=limits.logins,
        says="{subject} logged in {successes} times on {accounts} accounts: at least {threshold} "
        f"within {{window}} ({DEFINITION})",
    )
    strange = [n for n, one in enumerate(marked(log.entries, _UNKNOWN)) if one]
    swept = event_count([log.at[n] for n in strange], limits.failures, whole_ms(limits.window))
    hot = [Hot(strange[seen.first], strange[seen.last]) for seen in swept.hot]
    found = [Sighting(failing, hot, 0 if hot else max(1, swept.lacking))]
    logins = log.logins
    if logins is None:
        return [*found, Sighting(inside, [], NEVER)]
    strange = [
        n
        for n, entry in enumerate(logins.entries)
        if flags_of(entry) & _UNKNOWN and not flags_of(entry) & KNOWN_DEVICE
    ]
    each = each_at([logins.at[n] for n in strange], limits.logins, whole_ms(limits.window))
    entered = [Hot(strange[seen.first], strange[seen.last]) for seen in each]
    return [*found, Sighting(inside, entered, 0 if entered else NEVER, log=logins)]


RULE = Rule(
    id="unknown_origin_ip",
    version=1,
    title="An address of unknown origin fails or logs in",
    watches=("ip",),
    checklist_item="15",
    attack_ids=("T1078", "T1090", "OAT-008"),
    known_gaps=(
        "Residential proxies have the customers' own networks.",
        "Without geo data, and where the source does not say it, no origin is known.",
    ),
    limits=Limits,
    judge=judge,
    reads_logins=True,
    flags=False,
    role="news",
)
