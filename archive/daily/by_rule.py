"""The alerts of a day by detection: what a reader takes in before the single ones."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from detectors.rule import SEVERITIES, Severity

from .record import AlertDay


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleAlerts:
    """The alerts of one detection, version and severity in one system."""

    severity: Severity
    system: str
    rule: str
    part: str
    rule_version: str
    mode: str
    alerts: int
    subjects: int
    went_on: int


def by_rule(alerts: Sequence[AlertDay]) -> list[RuleAlerts]:
    """The gravest first, then by number."""
    groups: defaultdict[tuple[Severity, str, str, str, str, str], list[AlertDay]]
    groups = defaultdict(list)
    for one in alerts:
        key = (one.severity, one.system, one.rule, one.part, one.rule_version, one.mode)
        groups[key].append(one)
    found = [
        RuleAlerts(
            severity=severity,
            system=system,
            rule=rule,
            part=part,
            rule_version=version,
            mode=mode,
            alerts=len(of),
            subjects=len({(one.subject_type, one.subject) for one in of}),
            went_on=sum(one.state == "went_on" for one in of),
        )
        for (severity, system, rule, part, version, mode), of in groups.items()
    ]
    return sorted(found, key=_order)


def _order(one: RuleAlerts) -> tuple[int, int, str, str, str, str, str]:
    rank = -SEVERITIES.index(one.severity)
    return rank, -one.alerts, one.system, one.rule, one.part, one.rule_version, one.mode
