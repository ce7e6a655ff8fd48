"""What a page says: who attacks what, how hard, and how to acknowledge; bounded and escaped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from detectors.alerts import Alert
from detectors.errors import escaped

SHORTEST_ID: Final = 8
"""Digits of an alert's id that a page shows; `loginward alerts` finds it by them."""

_SUBJECT: Final = 45
"""An IPv6 address as written at its longest; other subjects are cut."""
_SYSTEM: Final = 24
_LISTED: Final = 3


def short(alert: Alert) -> str:
    """One alert in one line: `HIGH ip_account_spray 203.0.113.7 on web: 50 accounts, ...`."""
    system = escaped(alert.system, _SYSTEM)
    subject = escaped(alert.subject.value, _SUBJECT)
    counts = ", ".join(
        f"{count} {escaped(name, _SYSTEM)}"
        for name, count in list(alert.counts.items())[:_LISTED]
        if name != "capped"
    )
    return (
        f"{alert.severity.upper()} {escaped(alert.rule, _SUBJECT)} {subject} on {system}: {counts}"
    )


def page_text(page: int, kind: str, alerts: Sequence[Alert], count: int) -> str:
    """The text of a page by SMS, push and webhook: no link, nothing to click."""
    if kind == "alert" and count == 1 and alerts:
        code = alerts[0].alert_id[:SHORTEST_ID]
        return f"[loginward] {short(alerts[0])}. Ack: loginward alerts ack {code}"
    first = short(alerts[0]) if alerts else "already pruned"
    if kind == "incident":
        ack = f"Ack: loginward alerts ack -p {page}"
        return f"[loginward] attack, by now {count} alerts: {first}. {ack}"
    grave = "the first" if kind == "alert" else "held back; the first"
    return f"[loginward] {count} alerts, {grave}: {first}. Ack: loginward alerts ack -p {page}"


def spoken(kind: str, alerts: Sequence[Alert], count: int) -> str:
    """The text of a call: no ids, since nobody writes down 32 digits at night."""
    if not alerts:
        return "loginward has an alert. Look at the console."
    rule = alerts[0].rule.replace("_", " ")
    what = f"{count} alerts, held back" if kind == "digest" else "an alert"
    return (
        f"loginward has {what} of severity {alerts[0].severity}: {escaped(rule, _SUBJECT)}, "
        f"system {escaped(alerts[0].system, _SYSTEM)}. Look at the console and acknowledge."
    )
