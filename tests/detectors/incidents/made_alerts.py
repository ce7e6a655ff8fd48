"""Alerts of campaigns for tests, without the logins behind them."""

from __future__ import annotations

from typing import Any

from detectors.alerts import Alert, AlertSubject
from detectors.events import rfc3339
from detectors.rule import Severity
from tests.builders import MINUTE, time


def alert(
    name: str,
    rule: str = "ip_account_spray",
    *,
    at: float = 0,
    lasts: float = 60,
    ip: str = "198.51.100.7",
    severity: Severity = "high",
    accounts: tuple[str, ...] = (),
    subject: AlertSubject | None = None,
    **counts: int,
) -> Alert:
    """An alert of an address, or of `subject`; times in seconds after START."""
    return Alert(
        alert_id=name,
        revision=1,
        system="web",
        rule=rule,
        rule_version="1-0000",
        severity=severity,
        opened_at=rfc3339(time(at)),
        updated_at=rfc3339(time(at + lasts)),
        subject=subject or AlertSubject("ip", ip),
        counts={"failures": 10, "accounts": len(accounts), "ips": 1} | counts,
        window_s=60,
        threshold=10,
        accounts=list(accounts),
        ips=[ip] if ip else [],
        event_ids=[],
        attack_ids=[],
        checklist_item="15",
        summary="",
    )


def takeover(
    name: str,
    account: str,
    *,
    at: float = 0,
    ip: str = "198.51.100.7",
    more: tuple[str, ...] = (),
) -> Alert:
    """An account was hit from an address, and `more` with it."""
    return alert(
        name,
        "success_after_attack",
        at=at,
        ip=ip,
        severity="critical",
        accounts=(account, *more),
        subject=AlertSubject("account", account),
    )


def botnet(count: int = 4, severity: Severity = "high") -> list[Alert]:
    """Grave alerts of so many addresses in as many networks, ten minutes apart."""
    return [
        alert(f"b{n}", ip=f"10.{n}.0.1", at=10 * MINUTE * n, accounts=(f"a{n}",), severity=severity)
        for n in range(count)
    ]


def everybody(name: str, *, at: float = 0, lasts: float = 60) -> Alert:
    """An attack on everybody is on."""
    return alert(
        name,
        "global_attack_mode",
        at=at,
        lasts=lasts,
        ip="",
        subject=AlertSubject("global", "all"),
    )


def later(one: Alert, revision: int, **fields: Any) -> Alert:
    """Another revision of an alert; `fields` win."""
    said = {name: getattr(one, name) for name in one.__struct_fields__}
    return Alert(**said | {"revision": revision} | fields)
