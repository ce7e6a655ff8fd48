"""Our alerts, incidents and verdicts against the truth of a run.

Definitions (also in docs/quality.md):
- An alert is *true* for a campaign if at least half of its listed evidence is the campaign's: of
  its events, or, where it lists none of the run's, of its addresses, else of its accounts. With
  nothing of the kind, or mostly customers' in it, it is false.
- A campaign is *caught* by the first alert of severity >= high that is true for it, opened between
  its first attempt and 60 s after its last. An incident that holds a true alert of any severity
  catches it too, from the moment at which the incident has one of severity >= high: a campaign
  that wakes nobody is not caught.
- A takeover is *flagged* if an alert of severity >= high names the account while it is open at the
  event, or opens within 60 s of it; or an incident says that the account was hit, by an alert that
  opened by 60 s after the event (where it does not say when: if by then it named the address or
  account, or the event's own verdict was ask or high). What is named otherwise was found by
  *look-back*.
- An attack attempt is *attributed* if an incident, or an alert of severity >= medium, names its
  address (its /64, a subnet around it).
- A *page* is what wakes an analyst by the policy of the SOC's queue, who acknowledges at once: an
  incident pages when it opens, when it is graver, and when it first hits an account
  (`detectors.incidents.pages.waking`); an alert in none pages once for its subject within its
  rule's quiet time; at most 12 an hour, the rest in a digest an hour at most, which is a page too.
- A *false campaign* is an incident with alerts of severity >= high none of which is true, or a page
  outside any incident of which the same holds.
- *Stepped up* are good logins with verdict ask or high; *notices* are all such verdicts.
- Runs begin with customers alone, so that devices and places are learnt; their logins, pages and
  notices count from the end of that time on (`loadtest/quality/courses.py`).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Final

from .counts import Counts, RuleCounts
from .pages import Page, in_force, pages
from .places import Named, place
from .said import AlertLine, Said
from .truth import Campaign, Takeover, Truth

IN_TIME_MS: Final = 60_000
_HALF: Final = 0.5
_HOUR_MS: Final = 3_600_000


def ours(said: Said, truth: Truth) -> Counts:
    """What the pipeline came to in a run."""
    return _Ours(said, truth).counts()


class _Ours:
    def __init__(self, said: Said, truth: Truth) -> None:
        self._said = said
        self._truth = truth
        self._measured = [one for one in said.alerts if one.opened_ms >= truth.since_ms]
        self._about = {alert.alert_id: _about(alert, truth) for alert in said.alerts}
        self._alerts = {alert.alert_id: alert for alert in said.alerts}
        self._naming: dict[str, list[AlertLine]] = defaultdict(list)
        for alert in said.alerts:
            for account in {*alert.accounts, *_subject(alert, "account")}:
                self._naming[account].append(alert)

    def counts(self) -> Counts:
        truth = self._truth
        caught = [self.caught(campaign) for campaign in truth.campaigns.values()]
        flagged, looked_back = self.takeovers()
        made = pages(self._said.alerts, in_force())
        return Counts(
            hours=(truth.last_ms - truth.since_ms) / _HOUR_MS,
            campaigns=len(truth.campaigns),
            caught=sum(at is not None for at in caught),
            takeovers=len(truth.takeovers),
            flagged=flagged,
            looked_back=looked_back,
            attacks=sum(truth.attacks_from.values()),
            attributed=self._attributed(),
            good=truth.good,
            stepped_up=None if self._said.verdicts is None else truth.good_asked,
            notices=self._notices(),
            pages=self._measured_pages(made),
            false_campaigns=self._false_campaigns(made),
            **_delays(truth, caught),
            rules=self._rules(),
        )

    def caught(self, campaign: Campaign) -> int | None:
        """When a campaign was caught; None: never."""
        times = [
            alert.opened_ms
            for alert in self._said.alerts
            if alert.pages and self._true(alert, campaign)
        ]
        for incident in self._said.incidents or ():
            alerts = [self._alerts[name] for name in incident.alerts if name in self._alerts]
            naming = [a.opened_ms for a in alerts if self._true(a, campaign)]
            waking = [a.opened_ms for a in alerts if a.pages and a.opened_ms <= _over(campaign)]
            if naming and waking:
                times.append(max(min(naming), min(waking)))
        return min(times, default=None)

    def _true(self, alert: AlertLine, campaign: Campaign) -> bool:
        return self._about[
            alert.alert_id
        ] == campaign.name and campaign.start_ms <= alert.opened_ms <= _over(campaign)

    def takeovers(self) -> tuple[int, int]:
        """How many were flagged in time, how many later."""
        flagged = looked_back = 0
        hit = self._hits()
        known = self._known_since()
        for takeover in self._truth.takeovers:
            naming = self._naming.get(takeover.account or "", ())
            since = known.get(takeover.account or "")
            if (
                any(a.pages and _in_time(a, takeover) for a in naming)
                or (since is not None and since <= takeover.at_ms + IN_TIME_MS)
                or self._hit_in_time(takeover, hit.get(takeover.account or "", ()))
            ):
                flagged += 1
            elif takeover.account in hit or any(
                a.pages and a.updated_ms >= takeover.at_ms for a in naming
            ):
                looked_back += 1
        return flagged, looked_back

    def _known_since(self) -> dict[str, int]:
        """When incidents first named an account as hit, where they say when."""
        found: dict[str, int] = {}
        for incident in self._said.incidents or ():
            for hit in incident.hits:
                found[hit.account] = min(found.get(hit.account, hit.at_ms), hit.at_ms)
        return found

    def _hits(self) -> dict[str, list[list[AlertLine]]]:
        """The alerts of the incidents that name an account as hit."""
        found: dict[str, list[list[AlertLine]]] = defaultdict(list)
        for incident in self._said.incidents or ():
            alerts = [self._alerts[name] for name in incident.alerts if name in self._alerts]
            timed = {hit.account for hit in incident.hits}
            for account in incident.accounts_hit:
                found[account].append([] if account in timed else alerts)
        return found

    def _hit_in_time(self, takeover: Takeover, incidents: Iterable[list[AlertLine]]) -> bool:
        until = takeover.at_ms + IN_TIME_MS
        asked = takeover.event_id in self._said.asked
        for alerts in incidents:
            early = [alert for alert in alerts if alert.opened_ms <= until]
            if early and (asked or any(_names(alert, takeover) for alert in early)):
                return True
        return False

    def _attributed(self) -> int:
        named = Named(
            name
            for alert in self._said.alerts
            if alert.severity != "low"
            for name in (*alert.ips, *_subject(alert, "ip"), *_subject(alert, "subnet"))
        )
        for incident in self._said.incidents or ():
            for ip in incident.ips:
                named.add(ip)
        return sum(n for ip, n in self._truth.attacks_from.items() if ip in named)

    def _notices(self) -> int | None:
        if self._said.verdicts is None:
            return None
        return sum(v.asks and v.at_ms >= self._truth.since_ms for v in self._said.verdicts)

    def _measured_pages(self, made: list[Page]) -> int:
        return sum(page.at_ms >= self._truth.since_ms for page in made)

    def _false_campaigns(self, made: list[Page]) -> int:
        """Incidents, and pages outside any, whose alerts >= high are all false."""
        paged = {alert: f"page {n}" for n, page in enumerate(made) for alert in page.alerts}
        groups: dict[str, list[AlertLine]] = defaultdict(list)
        for alert in self._measured:
            if alert.pages:
                name = alert.alert_id
                groups[self._said.incident_of.get(name) or paged[name]].append(alert)
        return sum(not any(self._about[a.alert_id] for a in alerts) for alerts in groups.values())

    def _rules(self) -> dict[str, RuleCounts]:
        found: dict[str, RuleCounts] = {}
        by_rule: dict[str, list[AlertLine]] = defaultdict(list)
        for alert in self._measured:
            by_rule[alert.rule].append(alert)
        for rule, alerts in by_rule.items():
            alone = _Ours(Said(alerts=alerts), self._truth)
            caught = [alone.caught(c) for c in self._truth.campaigns.values()]
            found[rule] = RuleCounts(
                alerts=len(alerts),
                true_alerts=sum(bool(self._about[alert.alert_id]) for alert in alerts),
                pages=len(pages(alerts, in_force())),
                caught=sum(at is not None for at in caught),
                flagged=alone.takeovers()[0],
                detect_s=_delays(self._truth, caught)["detect_s"],
            )
        return found


def _about(alert: AlertLine, truth: Truth) -> str:
    """The campaign an alert is true for; empty where it is false."""
    evidence = [truth.campaign_of[name] for name in alert.event_ids if name in truth.campaign_of]
    if not evidence:
        evidence = [truth.source_of.get(ip, "") for ip in {*alert.ips, *_subject(alert, "ip")}]
    if not evidence:
        accounts = {*alert.accounts, *_subject(alert, "account")}
        evidence = [truth.target_of.get(account, "") for account in accounts]
    for campaign, count in Counter(evidence).most_common():
        if campaign and count >= len(evidence) * _HALF:
            return campaign
    return ""


def _subject(alert: AlertLine, kind: str) -> tuple[str, ...]:
    return (alert.subject.value,) if alert.subject.type == kind else ()


def _in_time(alert: AlertLine, takeover: Takeover) -> bool:
    return alert.opened_ms <= takeover.at_ms + IN_TIME_MS and alert.updated_ms >= takeover.at_ms


def _names(alert: AlertLine, takeover: Takeover) -> bool:
    if takeover.account in alert.accounts or alert.subject.value == takeover.account:
        return True
    if takeover.ip is None:
        return False
    if any(place(ip) == place(takeover.ip) for ip in alert.ips):
        return True
    return takeover.ip in Named((*_subject(alert, "ip"), *_subject(alert, "subnet")))


def _over(campaign: Campaign) -> int:
    return campaign.end_ms + IN_TIME_MS


def _delays(truth: Truth, caught: list[int | None]) -> dict[str, list[float]]:
    """Seconds from the hundredth and from the first attempt of campaigns that were caught."""
    pairs = [
        (at, campaign)
        for at, campaign in zip(caught, truth.campaigns.values(), strict=True)
        if at is not None
    ]
    return {
        "detect_s": [max(0, at - campaign.begun_ms) / 1000 for at, campaign in pairs],
        "detect_first_s": [(at - campaign.start_ms) / 1000 for at, campaign in pairs],
    }
