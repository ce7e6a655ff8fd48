"""Which revisions of incidents are worth telling, and what becomes of one that joins another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from msgspec.structs import replace

from .fold import Fold
from .record import Incident, Status, incident_id, incident_of, is_over
from .sums import Sum


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What the last revision said."""

    opened_with: str
    revision: int
    status: Status
    severity: str
    hit: int
    deeds: int
    sizes: tuple[int, int, int]


class News:
    """Beside a fold; `told` are the incidents as they were last told, each at any revisions."""

    def __init__(self, fold: Fold, told: Iterable[Incident] = ()) -> None:
        self._fold = fold
        self._told: dict[str, _Told] = {}
        for incident in told:
            self._note(incident)

    def look(self, now: int) -> list[Incident]:
        """The revisions that are due at `now` (ms); the same again until `note` says they are told.

        Worth telling: that one opened, doubled (alerts, addresses or accounts), became graver, hit
        another account, what was done in one, that it is over, that another one took it in.
        """
        campaigns = {incident_id(total.name): total for total in self._fold.campaigns()}
        due = [*self._grown(campaigns, now)]
        due += self._gone(campaigns, now)
        return due

    def note(self, told: Iterable[Incident]) -> None:
        """These are told."""
        for incident in told:
            self._note(incident)

    def _grown(self, campaigns: dict[str, Sum], now: int) -> Iterator[Incident]:
        for name, total in campaigns.items():
            known = self._told.get(name)
            if known is None:
                yield incident_of(total, now)
            elif _worth(known, total, now):
                yield replace(incident_of(total, now), revision=known.revision + 1)

    def _gone(self, campaigns: dict[str, Sum], now: int) -> Iterator[Incident]:
        """Told, and now part of another one, or no campaign any more."""
        for name, known in self._told.items():
            if name in campaigns or known.status == "merged":
                continue
            total = self._fold.group_of(known.opened_with)
            if total is None:
                continue
            own = replace(
                incident_of(total, now),
                incident_id=name,
                revision=known.revision + 1,
                opened_with=known.opened_with,
            )
            if total.is_campaign:
                # What it held stands in the other one, which grows from now on.
                yield replace(own, status="merged", merged_into=incident_id(total.name))
            elif known.status == "open":
                yield replace(own, status="closed")

    def _note(self, incident: Incident) -> None:
        known = self._told.get(incident.incident_id)
        if known is not None and known.revision > incident.revision:
            return
        self._told[incident.incident_id] = _Told(
            opened_with=incident.opened_with,
            revision=incident.revision,
            status=incident.status,
            severity=incident.severity,
            hit=len(incident.accounts_hit),
            deeds=sum(len(hit.next) for hit in incident.hits),
            sizes=_sizes_told(incident),
        )
        if incident.status != "merged":
            self._fold.opened(incident.opened_with)


def _worth(known: _Told, total: Sum, now: int) -> bool:
    if known.status != ("closed" if is_over(total, now) else "open"):
        return True
    if known.status == "closed":
        return total.alerts.count > known.sizes[0]
    sizes = (total.alerts.count, total.ips.count, total.accounts.count)
    return (
        len(total.hits) > known.hit
        or total.graver_than(known.severity)
        or total.deeds_of_hit > known.deeds
        or any(size >= 2 * max(1, before) for size, before in zip(sizes, known.sizes, strict=True))
    )


def _sizes_told(incident: Incident) -> tuple[int, int, int]:
    counts = incident.counts
    return counts.get("alerts", 0), counts.get("ips", 0), incident.accounts_tried
