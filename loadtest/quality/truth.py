"""What really happened in a run, from its ledger, in one pass that the peers watch too."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from loadtest.ledger import LedgerLine

from .peers import Peer, PeerAlert

FIRST_ATTEMPTS: Final = 100
"""A campaign can be told from chance after its first hundred attempts; time to detect starts there
(issue text: "after the first 100 attempts")."""

_DEEDS: Final = frozenset(
    {
        "certificate_issue",
        "contact_change",
        "device_bind",
        "logout",
        "order",
        "order_refused",
        "password_reset",
        "settlement_change",
    }
)
"""What is done in a session: no attempt to log in, whoever does it (`thief_order` is a thief's)."""

_OWN_LOGIN: Final = "own_login"
"""An attacker in an account of his own: nobody is attacked by that, yet it is evidence."""

TAKEOVER_KINDS: Final = frozenset({"takeover", "hit"})
"""A right password in the attacker's hands: let in, or stopped at the second factor."""


@dataclass(slots=True)
class Campaign:
    """One attacker's undertaking; times in ms."""

    name: str
    start_ms: int
    end_ms: int = 0
    begun_ms: int = 0
    """Its hundredth attempt, or its last where it has fewer."""
    attempts: int = 0


class Takeover(NamedTuple):
    """One right password in the attacker's hands."""

    event_id: str
    at_ms: int
    account: str | None
    ip: str | None
    campaign: str


class Heard(NamedTuple):
    """An alert of a peer, and the campaign of the attempt that set it off ("" for a customer's)."""

    alert: PeerAlert
    campaign: str


@dataclass(slots=True)
class PeerTruth:
    """What a peer did in a run. `under_ban`: logins from an address while it was banned."""

    alerts: list[Heard] = field(default_factory=list)
    good_under_ban: int = 0
    takeovers_under_ban: set[str] = field(default_factory=set)
    until: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Truth:
    """One run as it was. `campaign_of`: of the events asked for, "" for a customer's."""

    campaigns: dict[str, Campaign] = field(default_factory=dict)
    takeovers: list[Takeover] = field(default_factory=list)
    attacks: int = 0
    attacks_from: dict[str, int] = field(default_factory=dict)
    """Attempts of attackers by address."""
    source_of: dict[str, str] = field(default_factory=dict)
    """The campaign that last came from an address."""
    target_of: dict[str, str] = field(default_factory=dict)
    """The campaign that last tried an account."""
    good: int = 0
    good_asked: int = 0
    """Good logins among the events `asked`."""
    campaign_of: dict[str, str] = field(default_factory=dict)
    since_ms: int = 0
    """Before, devices and places are learnt: customers' logins and alerts are not counted yet."""
    last_ms: int = 0
    peers: dict[str, PeerTruth] = field(default_factory=dict)


def read(
    lines: Iterable[LedgerLine],
    *,
    evidence: Container[str] = (),
    asked: Container[str] = (),
    peers: Sequence[Peer] = (),
    since_ms: int = 0,
) -> Truth:
    """The truth of a ledger in the order of event time; second copies and bad records left out."""
    truth = Truth(peers={peer.name: PeerTruth() for peer in peers}, since_ms=since_ms)
    for line in lines:
        if line.bad or line.copy:
            continue
        truth.since_ms = truth.since_ms or line.at_ms
        truth.last_ms = max(truth.last_ms, line.at_ms)
        if line.event_id in evidence:
            truth.campaign_of[line.event_id] = line.campaign
        if line.kind == _OWN_LOGIN or line.kind.removeprefix("thief_") in _DEEDS:
            continue
        if line.label == "attack":
            _attack(truth, line)
        elif _good(line, since_ms):
            truth.good += 1
            truth.good_asked += line.event_id in asked
        if line.ip is not None:
            for peer in peers:
                _peer(truth.peers[peer.name], peer, line, line.ip, since_ms)
    return truth


def _good(line: LedgerLine, since_ms: int) -> bool:
    """A customer's good login after the time of learning."""
    good = line.label == "benign" and line.outcome == "success" and line.kind == "login"
    return good and line.at_ms >= since_ms


def _attack(truth: Truth, line: LedgerLine) -> None:
    truth.attacks += 1
    if line.ip is not None:
        truth.attacks_from[line.ip] = truth.attacks_from.get(line.ip, 0) + 1
        truth.source_of[line.ip] = line.campaign
    if line.account is not None:
        truth.target_of[line.account] = line.campaign
    campaign = truth.campaigns.get(line.campaign)
    if campaign is None:
        campaign = truth.campaigns[line.campaign] = Campaign(line.campaign, line.at_ms)
    campaign.attempts += 1
    campaign.end_ms = line.at_ms
    if campaign.attempts <= FIRST_ATTEMPTS:
        campaign.begun_ms = line.at_ms
    if line.kind in TAKEOVER_KINDS:
        truth.takeovers.append(
            Takeover(line.event_id, line.at_ms, line.account, line.ip, line.campaign)
        )


def _peer(told: PeerTruth, peer: Peer, line: LedgerLine, ip: str, since_ms: int) -> None:
    if told.until.get(ip, 0) > line.at_ms:
        told.good_under_ban += _good(line, since_ms)
        if line.kind in TAKEOVER_KINDS:
            told.takeovers_under_ban.add(line.event_id)
    for alert in peer.feed(line.at_ms, ip, line.account, failed=line.outcome == "failure"):
        if line.at_ms >= since_ms:
            told.alerts.append(Heard(alert, line.campaign))
        told.until[ip] = line.at_ms + peer.ban_ms
