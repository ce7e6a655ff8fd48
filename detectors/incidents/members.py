"""An alert as incidents see it: times as numbers, its rule's role, what it may share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ..addresses import network_of
from ..alerts import Alert
from ..events import milliseconds
from ..rule import SEVERITIES, Role, Shape
from ..rules import RULES

HIGH: Final = SEVERITIES.index("high")

_OF_PEOPLE: Final[dict[str, Role]] = {"customer_denied": "hit"}
"""Alerts that no detection raises: a customer says that it was somebody else."""
_ROLES: Final[Mapping[str, Role]] = {rule.id: rule.role for rule in RULES} | _OF_PEOPLE
_SHAPES: Final[Mapping[str, Shape]] = {rule.id: rule.shape for rule in RULES}


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One alert; times in milliseconds, `severity` counts up from 0 for low."""

    id: str
    revision: int
    system: str
    rule: str
    role: Role
    shape: Shape
    severity: int
    opened: int
    updated: int
    subject_type: str
    subject: str
    ips: tuple[str, ...]
    accounts: tuple[str, ...]
    tried: int
    """How many accounts it counts, more than it lists perhaps."""

    @property
    def grave(self) -> bool:
        """Whether it tells of an attack that wakes an analyst."""
        return self.severity >= HIGH and self.role in {"attack", "campaign", "everybody"}

    @property
    def lists_customers(self) -> bool:
        """Whether what it lists is a sample in which customers are."""
        below = self.role == "campaign" and self.severity < HIGH
        return self.role == "everybody" or below

    def shared(self) -> Iterator[tuple[str, str]]:
        """What other alerts may share with it."""
        if not self.lists_customers:
            for ip in self.ips:
                yield "ip", ip
                yield "network", network_of(ip)
        if self.subject_type == "subnet":
            yield "network", self.subject
        if self.subject_type == "account":
            yield "account", self.subject


def role_of(rule: str) -> Role:
    """What alerts of a rule are to an incident; of one that we do not know, an attack."""
    return _ROLES.get(rule, "attack")


def concerns(alert: Alert) -> bool:
    """Whether an alert may belong to an incident: live, of a core system, more than news."""
    own = alert.system.startswith("_")  # canaries, and troubles of our own
    return alert.mode == "live" and not own and role_of(alert.rule) != "news"


def member_of(alert: Alert) -> Member:
    """Raises ValueError where a time is none, or an address is none."""
    accounts = dict.fromkeys(alert.accounts)
    if alert.subject.type == "account":
        accounts = {alert.subject.value: None} | accounts
    for ip in alert.ips:
        network_of(ip)
    opened = _ms(alert.opened_at)
    return Member(
        id=alert.alert_id,
        revision=alert.revision,
        system=alert.system,
        rule=alert.rule,
        role=role_of(alert.rule),
        shape=_SHAPES.get(alert.rule, ""),
        severity=SEVERITIES.index(alert.severity),
        opened=opened,
        updated=max(opened, _ms(alert.updated_at)),
        subject_type=alert.subject.type,
        subject=alert.subject.value,
        ips=tuple(dict.fromkeys(alert.ips)),
        accounts=tuple(accounts),
        tried=max(len(accounts), alert.counts.get("accounts", 0)),
    )


def _ms(text: str) -> int:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"{text}: has no offset")
    return milliseconds(at)
