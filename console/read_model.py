"""What a person on shift sees, as pure folds of logins, alerts and batches; no I/O, no clock."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from detectors.alerts import Alert
from detectors.events import LoginEvent, milliseconds, rfc3339
from detectors.incidents import Incident
from detectors.rule import SEVERITIES, Severity

from .picture import AddressRow, AlertRow, Counts, LoginRow, PartitionRow, Picture, Rates

WINDOW_S = 60
"""Rates, history and addresses look back this far."""

RATE_S = 5
"""Rates are means over so many whole seconds: short enough to see a start, long enough to read."""

MOST_ADDRESSES = 2_000
"""Addresses counted one by one in one second; a flood from more is still counted in the rates."""

MOST_ALERTS = 10_000
"""Alerts kept; beyond, the ones that grew longest ago leave the board."""

RECUT = 256
"""Batches of a partition that may come again after a kill: far more than are ever in flight."""

LAST_LOGINS = 50
"""Logins kept to be shown as they pass."""

_UNKNOWN_CLASSES = frozenset({"unknown", "closed"})


class JudgedBatch(msgspec.Struct, frozen=True, kw_only=True):
    """What is read of a record of `judged`: which offsets one batch covered, and their fate."""

    partition: int
    first_offset: int
    next_offset: int
    read: int
    judged: int
    duplicates: int
    rejected: int


@dataclass(slots=True)
class _Second:
    failed: int = 0
    succeeded: int = 0
    unknown: int = 0
    addresses: dict[str, list[int]] = field(default_factory=dict)


@dataclass(slots=True)
class _Entry:
    alert: Alert
    opened_ms: int
    grew_ms: int
    told_ms: int


class ReadModel:
    """Folds records in the order they come; every time is an argument, in ms since 1970 UTC."""

    def __init__(self) -> None:
        self._seconds: dict[int, _Second] = {}
        self._alerts: dict[str, _Entry] = {}
        self._batches: dict[int, deque[JudgedBatch]] = {}
        self._settled = Counts()
        self._ends: dict[int, int] = {}
        self._sealed: dict[int, int] = {}
        self._incidents: dict[str, Incident] = {}
        self._logins: deque[LoginRow] = deque(maxlen=LAST_LOGINS)

    def login(self, event: LoginEvent, appended_ms: int, pseudonym: str = "") -> None:
        """One login; `appended_ms` is when Kafka took it, `pseudonym` stands for its account."""
        second = self._seconds.setdefault(appended_ms // 1000, _Second())
        failed = event.outcome == "failure"
        if failed:
            second.failed += 1
            second.unknown += (
                event.reason == "unknown_account" or event.account_class in _UNKNOWN_CLASSES
            )
        else:
            second.succeeded += 1
        if event.ip is not None and (
            event.ip in second.addresses or len(second.addresses) < MOST_ADDRESSES
        ):
            second.addresses.setdefault(event.ip, [0, 0])[not failed] += 1
        self._forget(appended_ms // 1000)
        self._logins.append(
            LoginRow(
                at=rfc3339(event.occurred_at),
                system=event.system,
                address=event.ip or "",
                account=pseudonym,
                outcome=event.outcome if event.reason is None else event.reason,
            )
        )

    def alert(self, alert: Alert, told_ms: int) -> bool:
        """One revision of an alert, delivered at `told_ms`; whether it is the alert's first."""
        known = self._alerts.get(alert.alert_id)
        if known is not None and known.alert.revision >= alert.revision:
            return False
        self._alerts[alert.alert_id] = _Entry(
            alert=alert,
            opened_ms=_ms(alert.opened_at),
            grew_ms=_ms(alert.updated_at),
            told_ms=told_ms if known is None else known.told_ms,
        )
        if len(self._alerts) > MOST_ALERTS:
            del self._alerts[min(self._alerts, key=lambda name: self._alerts[name].grew_ms)]
        return known is None

    def incident(self, incident: Incident) -> None:
        """One revision of an incident."""
        known = self._incidents.get(incident.incident_id)
        if known is None or known.revision < incident.revision:
            self._incidents[incident.incident_id] = incident

    def judged(self, batch: JudgedBatch) -> None:
        """One batch of a partition. After a kill batches come again, cut differently.

        The second reader begins where some batch began, so what it covers replaces all from there.
        """
        batches = self._batches.setdefault(batch.partition, deque())
        while batches and batches[-1].first_offset >= batch.first_offset:
            batches.pop()
        batches.append(batch)
        if len(batches) > RECUT:
            self._settled = _total([self._settled, batches.popleft()])

    def positions(self, ends: Mapping[int, int], sealed: Mapping[int, int]) -> None:
        """Where each partition of `logins` ends, and how far the archive has sealed it."""
        self._ends.update(ends)
        self._sealed.update(sealed)

    def current_alerts(self) -> dict[str, Alert]:
        """The highest revision of each alert, by id."""
        return {name: entry.alert for name, entry in self._alerts.items()}

    def incidents(self) -> tuple[Incident, ...]:
        """As they stand, the newest first; those that another one took in are left out."""
        found = [one for one in self._incidents.values() if one.status != "merged"]
        return tuple(sorted(found, key=lambda one: (one.last_seen, one.incident_id), reverse=True))

    def told(self) -> list[tuple[Alert, int]]:
        """Each alert with the time (ms) its first revision was delivered."""
        return [(entry.alert, entry.told_ms) for entry in self._alerts.values()]

    @property
    def counts(self) -> Counts:
        """What became of the records read so far."""
        recent = [batch for batches in self._batches.values() for batch in batches]
        return _total([self._settled, *recent])

    def picture(self, now_ms: int, *, problem: str = "") -> Picture:
        """The screen at `now_ms`."""
        return Picture(
            rates=self._rates(now_ms // 1000),
            counts=self.counts,
            partitions=tuple(self._partition(number) for number in sorted(self._ends)),
            addresses=self._addresses(now_ms // 1000),
            alerts=self._rows(now_ms),
            logins=tuple(self._logins),
            incidents=self.incidents(),
            problem=problem,
        )

    def _forget(self, newest: int) -> None:
        oldest = newest - 2 * WINDOW_S
        if len(self._seconds) > 3 * WINDOW_S:
            self._seconds = {at: second for at, second in self._seconds.items() if at > oldest}

    def _rates(self, now: int) -> Rates:
        # The second that runs is not whole, and what Kafka has may not have been read yet.
        empty = _Second()
        past = [self._seconds.get(at, empty) for at in range(now - WINDOW_S, now)]
        recent = past[-RATE_S:]
        return Rates(
            failed=sum(second.failed for second in recent) / RATE_S,
            succeeded=sum(second.succeeded for second in recent) / RATE_S,
            unknown=sum(second.unknown for second in recent) / RATE_S,
            failed_history=tuple(second.failed for second in past),
            succeeded_history=tuple(second.succeeded for second in past),
        )

    def _partition(self, number: int) -> PartitionRow:
        batches = self._batches.get(number)
        judged = batches[-1].next_offset if batches else 0
        return PartitionRow(
            partition=number,
            end=max(self._ends[number], judged),  # ends are asked for less often
            judged=judged,
            sealed=self._sealed.get(number, 0),
        )

    def _addresses(self, now: int) -> tuple[AddressRow, ...]:
        failed: Counter[str] = Counter()
        succeeded: Counter[str] = Counter()
        for at, second in self._seconds.items():
            if at > now - WINDOW_S:
                for address, (bad, good) in second.addresses.items():
                    failed[address] += bad
                    succeeded[address] += good
        worst = self._worst_by_address()
        names = sorted(failed, key=lambda name: (-failed[name], succeeded[name], name))
        return tuple(
            AddressRow(
                address=name,
                failed=failed[name],
                succeeded=succeeded[name],
                severity=worst.get(name),
            )
            for name in names
        )

    def _worst_by_address(self) -> dict[str, Severity]:
        worst: dict[str, Severity] = {}
        for entry in self._alerts.values():
            severity = entry.alert.severity
            for address in entry.alert.ips:
                known = worst.get(address)
                if known is None or SEVERITIES.index(known) < SEVERITIES.index(severity):
                    worst[address] = severity
        return worst

    def _rows(self, now_ms: int) -> tuple[AlertRow, ...]:
        entries = sorted(
            self._alerts.values(),
            key=lambda entry: (
                -SEVERITIES.index(entry.alert.severity),
                -entry.opened_ms,
                entry.alert.alert_id,
            ),
        )
        return tuple(_row(entry, now_ms) for entry in entries)


def _total(parts: Sequence[Counts | JudgedBatch]) -> Counts:
    return Counts(
        read=sum(part.read for part in parts),
        judged=sum(part.judged for part in parts),
        duplicates=sum(part.duplicates for part in parts),
        rejected=sum(part.rejected for part in parts),
    )


def _row(entry: _Entry, now_ms: int) -> AlertRow:
    alert = entry.alert
    return AlertRow(
        alert_id=alert.alert_id,
        severity=alert.severity,
        rule=alert.rule,
        subject=alert.subject.value,
        system=alert.system,
        failures=alert.counts.get("failures", 0),
        accounts=alert.counts.get("accounts", 0),
        addresses=alert.counts.get("ips", 0),
        at_least="capped" in alert.counts,
        opened_s=max(0, now_ms - entry.opened_ms) / 1000,
        grew_s=max(0, now_ms - entry.grew_ms) / 1000,
        revision=alert.revision,
        staged=alert.mode != "live",
        summary=alert.summary,
    )


def _ms(text: str) -> int:
    return milliseconds(datetime.fromisoformat(text))
