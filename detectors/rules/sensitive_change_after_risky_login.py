"""A change that lets a thief stay or cash in follows a login that was perhaps a thief's."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from ..attempts import NEW_COUNTRY, OLD_DEVICE, flags_of
from ..counting import Hot, each_at
from ..deeds import alarms, deed_of, device_of, one_device
from ..events import Action
from ..rule import Clause, Rule, Severity, Sighting, whole_ms
from ..windows import SubjectLog


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Auth0 and Okta hold such changes back for a while after a login that is in doubt; a day is
    ours (DETECTIONS.md 5).
    """

    changes: int = 1
    window: timedelta = timedelta(hours=24)


_UNSEEN: dict[Action, Severity] = {"contact_change": "medium", "settlement_change": "medium"}
_ABROAD: dict[Action, Severity] = {"contact_change": "medium", "settlement_change": "high"}
_ASKED: dict[Action, Severity] = {
    "contact_change": "high",
    "device_bind": "medium",
    "certificate_issue": "medium",
    "settlement_change": "critical",
    "password_reset": "high",
}
_ALARMED: dict[Action, Severity] = {
    **_ASKED,
    "device_bind": "high",
    "certificate_issue": "high",
}
_BY_ALARM = (_UNSEEN, _ASKED, _ALARMED)
"""How grave a change is after a login on a device that was merely unseen, one of which the customer
is asked, and one of which he is told. Whoever buys a telephone binds it, has a certificate issued
and has perhaps forgotten the password: that alone is no sign, another account to be paid to is,
and more so where the country is new too.
"""


def judge(log: SubjectLog, limits: Limits) -> list[Sighting]:
    """Changes within a day of a risky login of the account, on the same device where both tell."""
    found: dict[Severity, list[Hot]] = {"critical": [], "high": [], "medium": []}
    for pair in _after(log, whole_ms(limits.window)):
        change, login = deed_of(log.entries[pair.last]), log.entries[pair.first]
        severity = None if change is None else _grave(login).get(change)
        if severity is not None:
            found[severity].append(pair)
    lacking = 1 if log.entries else 2
    return [_sighting(log, limits, severity, pairs, lacking) for severity, pairs in found.items()]


def _grave(login: bytes) -> dict[Action, Severity]:
    """How grave changes after a login are."""
    alarm = alarms(login)
    return _ABROAD if not alarm and flags_of(login) & NEW_COUNTRY else _BY_ALARM[alarm]


def _after(log: SubjectLog, span: int) -> Iterator[Hot]:
    """Each change with the gravest risky login of the day before it, of equals the last."""
    logins = [n for n, entry in enumerate(log.entries) if deed_of(entry) is None]
    for index, entry in enumerate(log.entries):
        change = deed_of(entry)
        if change is None or (change == "device_bind" and flags_of(entry) & OLD_DEVICE):
            continue  # a device that was the account's before the login is no thief's
        since = bisect_right(log.at, log.at[index] - span)
        # Binding names the device that is bound, which need not be the one that was used.
        before = [
            login
            for login in logins[bisect_left(logins, since) : bisect_left(logins, index)]
            if change == "device_bind"
            or one_device(device_of(entry), device_of(log.entries[login]))
        ]
        if before:
            yield Hot(max(before, key=lambda login: (alarms(log.entries[login]), login)), index)


def _sighting(
    log: SubjectLog, limits: Limits, severity: Severity, pairs: Sequence[Hot], lacking: int
) -> Sighting:
    clause = Clause(
        part="",
        order="as_of",
        severity=severity,
        window=limits.window,
        threshold=limits.changes,
        says="{subject}: {actions} changes of contact, device, certificate, password or settlement "
        "account after a risky login, at least {threshold} within {window} of it",
    )
    at = [log.at[pair.last] for pair in pairs]
    series = each_at(at, limits.changes, whole_ms(limits.window))
    hot = [
        Hot(min(pair.first for pair in pairs[one.first : one.last + 1]), pairs[one.last].last)
        for one in series
    ]
    return Sighting(clause, hot, 0 if hot else lacking)


RULE = Rule(
    id="sensitive_change_after_risky_login",
    version=2,
    title="A sensitive change after a risky login",
    watches=("deeds",),
    checklist_item="16",
    attack_ids=("T1098", "T1556", "OAT-008"),
    known_gaps=(
        "A change on another device than that of the risky login is taken for the owner's.",
        "After a login whose device alone is new, a binding or a certificate is no sign.",
        "A thief who waits a day, or whose login was on no list of risks, is not seen.",
    ),
    limits=Limits,
    judge=judge,
    flags=False,
    role="deed",
)
