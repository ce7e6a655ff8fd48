"""A login succeeds where an attack is on: the password was guessed, and the thief is inside."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from ..attempts import (
    KNOWN_DEVICE,
    NEW_ASN,
    NEW_COUNTRY,
    NEW_DEVICE,
    SUCCESS,
    UNFAMILIAR,
    account_of,
    flags_of,
    place_bytes,
    tells_device,
    written_address,
)
from ..caps import at_ms
from ..counting import Hot, each_at
from ..deeds import device_of
from ..events import AS_OF_MS
from ..guard import Known
from ..look_back import Bounds, is_settled, reopened, turns
from ..rule import NEVER, Clause, Rule, Severity, Sighting, whole_ms
from ..verdicts import NoticeRisk
from ..windows import LOOK_BACK_MS, SubjectLog


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Wazuh correlates within 240 s, Panther 5 failures and a success in 30 min, Auth0 looks back
    5 days; flagged for a day and 3 failures of one's own are ours (DETECTIONS.md 5), as are the
    bounds of looking back: `reopened` accounts a turn have an alert each, `few`
    accounts behind an address may be judged without devices, and a network is looked at where
    `bad_percent` of its addresses turned bad. An address at which fewer than `others` other
    accounts failed says little of who else logs in there (ours): a telephone that repeats one old
    password all day is no attacker, and his household is not his booty.
    """

    flagged_for: timedelta = timedelta(hours=24)
    own_failures: int = 3
    own_window: timedelta = timedelta(minutes=30)
    logins: int = 1
    look_back: timedelta = timedelta(days=5)
    reopened: int = 500
    few: int = 5
    bad_percent: int = 90
    others: int = 2


def judge(log: SubjectLog, limits: Limits) -> list[Sighting]:
    """Successes from a flagged address or network; successes on a new device after failures."""
    if log.kind == "account":
        return _after_own_failures(log, limits)
    return [*_from_flagged(log, limits), *_before_the_turn(log, limits)]


def _from_flagged(log: SubjectLog, limits: Limits) -> Iterator[Sighting]:
    """Each account that got in within a day of a hot instant of the address, or of its network.

    Critical where other accounts failed there, and it was bad with severity high or the login is
    unlike the account's own and the address is no NAT (`_is_grave`); else medium: one forgotten
    telephone flags a carrier's address, and hundreds get in there.
    """
    clause = Clause(
        part="",
        order="as_of",
        severity="critical",
        window=limits.flagged_for,
        threshold=limits.logins,
        says="{subject} logged in from {where}, which had been attacking: "
        "{successes} logins, at least {threshold} within {window} of the attack",
    )
    span = whole_ms(limits.flagged_for)
    hits: dict[tuple[bytes, bytes], list[bytes]] = {}
    logins = log.logins
    pending = False
    if logins is not None:
        for entry, now, account in zip(logins.entries, logins.at, logins.accounts, strict=True):
            if account is None or flags_of(entry) & KNOWN_DEVICE:
                continue
            if _lately(log.flagged, now, span):
                hits.setdefault((account, place_bytes(entry)[0]), []).append(entry)
        unlike = any(flags_of(e) & UNFAMILIAR for entries in hits.values() for e in entries)
        known = Known(log) if unlike and log.kind == "ip" else None
        for (account, where), entries in sorted(hits.items()):
            mine = SubjectLog.holding(entries, logins.settled_ms, logins.kind, logins.capped_hours)
            part = f"{log.kind} {written_address(where)}"
            by_severity: dict[Severity, list[Hot]] = {}
            for hot in each_at(mine.at, limits.logins, span):
                grave = _is_grave(log, known, entries[hot.last], limits)
                pending = pending or mine.at[hot.last] - AS_OF_MS > log.settled_ms
                by_severity.setdefault("critical" if grave else "medium", []).append(hot)
            for severity, hots in sorted(by_severity.items()):
                graded = replace(clause, part=part, severity=severity)
                yield Sighting(graded, hots, 0, log=mine, about=account)
    yield Sighting(clause, [], NEVER, pending=pending)


def _is_grave(log: SubjectLog, known: Known | None, login: bytes, limits: Limits) -> bool:
    """Whether a login from a flagged address or network is the attacker's rather than a customer's
    beside him. Where as many known customers come as accounts fail, that it is unlike its account
    says little; asked only when those are all here (settled_ms).
    """
    now = at_ms(login)
    if not _others_failed(log, account_of(login), now, limits):
        return False
    if _lately(log.flagged_high, now, whole_ms(limits.flagged_for)):
        return True
    if not flags_of(login) & UNFAMILIAR or now - AS_OF_MS > log.settled_ms:
        return False
    return known is None or not known.outweigh(bisect_right(log.at, now) - 1)


def _others_failed(log: SubjectLog, account: bytes | None, now: int, limits: Limits) -> bool:
    """Whether enough accounts besides this one failed at the address. Where nobody knows who
    failed they did; of a network only its addresses are known.
    """
    if log.kind != "ip":
        return True
    since = now - whole_ms(limits.flagged_for)
    others: set[bytes] = set()
    for index in range(bisect_right(log.at, now) - 1, -1, -1):
        other = log.accounts[index]
        if log.at[index] <= since:
            break
        if other is None:
            return True
        if other != account:
            others.add(other)
            if len(others) >= limits.others:
                return True
    return False


def _lately(flagged: Sequence[int], now: int, span: int) -> bool:
    """Whether the last of these instants, no later than `now`, was within `span`."""
    before = bisect_right(flagged, now)
    return before > 0 and now - flagged[before - 1] < span


def _before_the_turn(log: SubjectLog, limits: Limits) -> Iterator[Sighting]:
    """Each account that got in on no device of its own in the days before the address turned bad;
    beyond the gravest of them one alert with their number. The SOC looks first: no notice. Medium
    where hardly anybody else failed there.
    """
    clause = Clause(
        part="look-back",
        order="as_of",
        severity="high",
        window=limits.look_back,
        threshold=limits.logins,
        says="{subject} logged in, not on a device of its own, before {where} turned bad: "
        "{successes} logins, at least {threshold} within {window}",
        tells="nobody",
    )
    pending = False
    bounds = Bounds(whole_ms(limits.look_back), limits.few, limits.bad_percent)
    for turned in turns(log):
        if not is_settled(log, turned):
            pending = True
            continue
        found = [*reopened(log, turned, bounds).accounts.items()]
        for account, places in found[: limits.reopened]:
            for where, entries in places.items():
                part = f"look-back {log.kind} {written_address(where)}"
                grave = _others_failed(log, account, turned, limits)
                graded = replace(clause, part=part, severity="high" if grave else "medium")
                yield _at_the_turn(graded, entries, turned, about=account)
        rest = [e for _, places in found[limits.reopened :] for own in places.values() for e in own]
        if rest:
            yield _at_the_turn(_beyond(clause, limits), sorted(rest), turned)
    yield Sighting(clause, [], NEVER, pending=pending)


def _beyond(clause: Clause, limits: Limits) -> Clause:
    return replace(
        clause,
        part="look-back rest",
        threshold=limits.reopened,
        says="at least {threshold} accounts logged in from {subject} within {window} before it "
        "turned bad; these {accounts} come on top of them and have no alert of their own",
    )


def _at_the_turn(
    clause: Clause, entries: Sequence[bytes], turned_ms: int, about: bytes | None = None
) -> Sighting:
    """Logins as a sighting of the instant at which they became suspicious."""
    dated = replace(SubjectLog.holding(entries, kind="logins"), at=(turned_ms,) * len(entries))
    return Sighting(clause, [Hot(0, len(entries) - 1)], 0, log=dated, about=about)


def _after_own_failures(log: SubjectLog, limits: Limits) -> list[Sighting]:
    """A success on a new device with enough failures of the account shortly before. From one
    address, or on the very device that failed, it is mostly a traveller who mistyped: the customer
    is told, nobody is woken.
    """
    clause = Clause(
        part="account",
        order="as_of",
        severity="critical",
        window=limits.own_window,
        threshold=limits.own_failures,
        says="{subject} logged in on a new device after {failures} failures: "
        "at least {threshold} within {window}",
    )
    hot: list[Hot] = []
    from_one: list[Hot] = []
    pending = False
    for index, entry in enumerate(log.entries):
        flags = flags_of(entry)
        if not (flags & SUCCESS and flags & NEW_DEVICE):
            continue
        if log.at[index] - AS_OF_MS > log.settled_ms:
            pending = True
            continue
        failed = _unanswered(log, index, whole_ms(limits.own_window))
        if len(failed) < limits.own_failures:
            continue
        seen = Hot(failed[0], index)
        if not _is_of_one([log.entries[n] for n in (*failed, index)]):
            hot.append(seen)
        elif not _is_at_home(entry):
            from_one.append(seen)
    return [
        Sighting(clause, hot, 0 if hot else NEVER, pending=pending),
        Sighting(replace(clause, severity="medium"), from_one, 0 if from_one else NEVER),
    ]


def _unanswered(log: SubjectLog, index: int, span: int) -> list[int]:
    """The failures before a success, without those on a device that got in after them: they were
    that login's, whoever it was, and were judged with it.
    """
    now, device = log.at[index], device_of(log.entries[index])
    let_in: dict[bytes, int] = {}
    for n in range(bisect_right(log.at, now - AS_OF_MS)):
        if flags_of(log.entries[n]) & SUCCESS and tells_device(log.entries[n]):
            let_in[device_of(log.entries[n])] = n
    let_in.pop(device, None)
    since = bisect_right(log.at, now - span)
    return [
        n
        for n in range(since, bisect_right(log.at, now))
        if _is_failure(log.entries[n]) and let_in.get(device_of(log.entries[n]), -1) < n
    ]


def _is_of_one(series: Sequence[bytes]) -> bool:
    """Whether all are from one address, or on one device, that is told."""
    addresses = {place_bytes(entry)[0] for entry in series}
    devices = {device_of(entry) for entry in series}
    return (len(addresses) == 1 and any(addresses.pop())) or (
        len(devices) == 1 and any(devices.pop())
    )


def _is_at_home(success: bytes) -> bool:
    """Whether it is a country and network that the account is used to; not known is not at home."""
    _, country, network, _ = place_bytes(success)
    return any(country) and any(network) and not flags_of(success) & (NEW_COUNTRY | NEW_ASN)


def _is_failure(entry: bytes) -> bool:
    return not flags_of(entry) & SUCCESS


def notice(_entry: bytes) -> NoticeRisk:
    """The customer is told at once, on every channel."""
    return "high"


RULE = Rule(
    id="success_after_attack",
    version=3,
    title="A login succeeds where an attack is on",
    watches=("ip", "subnet", "account"),
    checklist_item="15",
    attack_ids=("T1078", "T1110.004", "OAT-008"),
    known_gaps=(
        "A takeover from an address used once or twice is seen only with its network or campaign.",
        "Without device ids a customer behind an attacking NAT is named too.",
    ),
    limits=Limits,
    judge=judge,
    reads_logins=True,
    follows=True,
    flags=False,
    role="hit",
    notice=notice,
    longest={"look_back": timedelta(milliseconds=LOOK_BACK_MS)},
)
