"""What the live screen shows at one moment, as frozen facts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from detectors.incidents import Incident
from detectors.rule import SEVERITIES, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Records of `logins` so far; read = judged + duplicates + rejected."""

    read: int = 0
    judged: int = 0
    duplicates: int = 0
    rejected: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Logins a second now; `unknown` are failures on accounts that belong to nobody.

    The histories hold one number a second, oldest first, of the last minute.
    """

    failed: float
    succeeded: float
    unknown: float
    failed_history: tuple[int, ...]
    succeeded_history: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionRow:
    """One partition of `logins`, in records: its end, what is judged, what is sealed."""

    partition: int
    end: int
    judged: int
    sealed: int

    @property
    def lag(self) -> int:
        """Records that wait to be judged."""
        return max(0, self.end - self.judged)


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressRow:
    """One address in the last minute, and the worst alert that lists it."""

    address: str
    failed: int
    succeeded: int
    severity: Severity | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginRow:
    """One login as it passed; `account` is a pseudonym, empty where none is known."""

    at: str
    system: str
    address: str
    account: str
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRow:
    """One alert as it stands; ages in seconds of event time."""

    alert_id: str
    severity: Severity
    rule: str
    subject: str
    system: str
    failures: int
    accounts: int
    addresses: int
    at_least: bool
    opened_s: float
    grew_s: float
    revision: int
    staged: bool
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectRow:
    """All alerts on one address (account, network, ...): `worst` is the most severe of them.

    Counts are the largest of any alert; ages in seconds, of the first opening and the last growth.
    """

    worst: AlertRow
    rules: tuple[str, ...]
    failures: int
    accounts: int
    opened_s: float
    grew_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """All of the screen at one moment: alerts worst first, then newest; logins as they came."""

    rates: Rates
    counts: Counts
    partitions: tuple[PartitionRow, ...]
    addresses: tuple[AddressRow, ...]
    alerts: tuple[AlertRow, ...]
    logins: tuple[LoginRow, ...] = ()
    incidents: tuple[Incident, ...] = ()
    """Campaigns as they stand, the newest first; those that another one took in are left out."""
    problem: str = ""

    @property
    def lag(self) -> int:
        """Records that wait to be judged, over all partitions."""
        return sum(row.lag for row in self.partitions)

    @property
    def in_kafka(self) -> int:
        """Records of `logins` that Kafka has."""
        return sum(row.end for row in self.partitions)

    @property
    def sealed(self) -> int:
        """Records of `logins` that stand in sealed segments."""
        return sum(row.sealed for row in self.partitions)

    @property
    def by_severity(self) -> dict[Severity, int]:
        """How many alerts of each severity, worst first; none left out are zero."""
        found = Counter(alert.severity for alert in self.alerts)
        return {severity: found[severity] for severity in reversed(SEVERITIES) if found[severity]}

    @property
    def subjects(self) -> tuple[SubjectRow, ...]:
        """The alerts by whom they are about: worst first, then the ones that opened last."""
        found: dict[tuple[str, str], list[AlertRow]] = {}
        for alert in self.alerts:
            found.setdefault((alert.system, alert.subject), []).append(alert)
        rows = [_subject(alerts) for alerts in found.values()]
        return tuple(sorted(rows, key=_urgency))


def _subject(alerts: list[AlertRow]) -> SubjectRow:
    return SubjectRow(
        worst=alerts[0],  # a picture's alerts stand worst first
        rules=tuple(dict.fromkeys(alert.rule for alert in alerts)),
        failures=max(alert.failures for alert in alerts),
        accounts=max(alert.accounts for alert in alerts),
        opened_s=max(alert.opened_s for alert in alerts),
        grew_s=min(alert.grew_s for alert in alerts),
    )


def _urgency(row: SubjectRow) -> tuple[int, float, str]:
    return -SEVERITIES.index(row.worst.severity), row.opened_s, row.worst.subject
