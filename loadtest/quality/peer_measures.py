"""A peer's alerts against the same truth, read as generously as its notions allow.

A peer knows addresses alone, and names each of them for itself. So: a campaign is caught by the
first alert that one of its attempts sets off; a takeover is flagged if its address was banned then,
or an alert on it follows within 60 s; an attempt is attributed if its address was ever named; every
alert is a page, as neither severity nor grouping tells them apart; a false campaign is an alert set
off by a customer; a good login from a banned address is stepped up (it is turned away). Nobody is
told.
"""

from __future__ import annotations

from collections import defaultdict

from .counts import Counts, RuleCounts
from .measures import IN_TIME_MS
from .truth import Heard, PeerTruth, Truth

_HOUR_MS = 3_600_000


def peer(truth: Truth, name: str) -> Counts:
    """What a peer came to in a run."""
    told = truth.peers[name]
    caught = _first(told.alerts)
    times = {
        campaign.name: (at - campaign.begun_ms, at - campaign.start_ms)
        for campaign in truth.campaigns.values()
        if (at := caught.get(campaign.name)) is not None
    }
    named = {heard.alert.ip for heard in told.alerts}
    return Counts(
        hours=(truth.last_ms - truth.since_ms) / _HOUR_MS,
        campaigns=len(truth.campaigns),
        caught=len(times),
        takeovers=len(truth.takeovers),
        flagged=_flagged(truth, told, told.alerts) + len(told.takeovers_under_ban),
        looked_back=None,
        attacks=sum(truth.attacks_from.values()),
        attributed=sum(n for ip, n in truth.attacks_from.items() if ip in named),
        good=truth.good,
        stepped_up=told.good_under_ban,
        notices=None,
        pages=len(told.alerts),
        false_campaigns=sum(not heard.campaign for heard in told.alerts),
        detect_s=[max(0, late) / 1000 for late, _ in times.values()],
        detect_first_s=[late / 1000 for _, late in times.values()],
        rules=_rules(truth, told),
    )


def _first(alerts: list[Heard]) -> dict[str, int]:
    """When each campaign first set off an alert."""
    found: dict[str, int] = {}
    for heard in alerts:
        if heard.campaign:
            found.setdefault(heard.campaign, heard.alert.at_ms)
    return found


def _flagged(truth: Truth, told: PeerTruth, alerts: list[Heard]) -> int:
    """Takeovers outside of a ban on whose address an alert follows within 60 s."""
    times: dict[str, list[int]] = defaultdict(list)
    for heard in alerts:
        times[heard.alert.ip].append(heard.alert.at_ms)
    return sum(
        takeover.event_id not in told.takeovers_under_ban
        and any(0 <= at - takeover.at_ms <= IN_TIME_MS for at in times.get(takeover.ip or "", ()))
        for takeover in truth.takeovers
    )


def _rules(truth: Truth, told: PeerTruth) -> dict[str, RuleCounts]:
    by_rule: dict[str, list[Heard]] = defaultdict(list)
    for heard in told.alerts:
        by_rule[heard.alert.rule].append(heard)
    found = {}
    for rule, alerts in by_rule.items():
        first = _first(alerts)
        found[rule] = RuleCounts(
            alerts=len(alerts),
            true_alerts=sum(bool(heard.campaign) for heard in alerts),
            pages=len(alerts),
            caught=len(first),
            flagged=None,
            detect_s=[
                max(0, at - truth.campaigns[name].begun_ms) / 1000 for name, at in first.items()
            ],
        )
    return found
