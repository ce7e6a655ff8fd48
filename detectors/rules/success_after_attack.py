"""A login succeeds where an attack is on: the password was guessed, and the thief is inside."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
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
    flags_of,
    place_bytes,
    written_address,
)
from ..counting import Hot, each_at
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
    `bad_percent` of its addresses turned bad.
    """

    flagged_for: timedelta = timedelta(hours=24)
    own_failures: int = 3
    own_window: timedelta = timedelta(minutes=30)
    logins: int = 1
    look_back: timedelta = timedelta(days=5)
    reopened: int = 500
    few: int = 5
    bad_percent: int = 90


def judge(log: SubjectLog, limits: Limits) -> list[Sighting]:
    """Successes from a flagged address or network; successes on a new device after failures."""
    if log.kind == "account":
        return _after_own_failures(log, limits)
    return [*_from_flagged(log, limits), *_before_the_turn(log, limits)]


def _from_flagged(log: SubjectLog, limits: Limits) -> Iterator[Sighting]:
    """Each account that got in within a day of a hot instant of the address, or of its network.

    Critical where it was bad with severity high, or where the login is unlike the account's own;
    else medium: one forgotten telephone flags a carrier's address, and hundreds get in there.
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
    if logins is not None:
        for entry, now, account in zip(logins.entries, logins.at, logins.accounts, strict=True):
            if account is None or flags_of(entry) & KNOWN_DEVICE:
                continue
            if _lately(log.flagged, now, span):
                hits.setdefault((account, place_bytes(entry)[0]), []).append(entry)
        for (account, where), entries in sorted(hits.items()):
            mine = SubjectLog.holding(entries, logins.settled_ms, logins.kind, logins.capped_hours)
            part = f"{log.kind} {written_address(where)}"
            by_severity: dict[Severity, list[Hot]] = {}
            for hot in each_at(mine.at, limits.logins, span):
                grave = _lately(log.flagged_high, mine.at[hot.last], span)
                grave = grave or bool(flags_of(entries[hot.last]) & UNFAMILIAR)
                by_severity.setdefault("critical" if grave else "medium", []).append(hot)
            for severity, hots in sorted(by_severity.items()):
                graded = replace(clause, part=part, severity=severity)
                yield Sighting(graded, hots, 0, log=mine, about=account)
    yield Sighting(clause, [], NEVER)


def _lately(flagged: Sequence[int], now: int, span: int) -> bool:
    """Whether the last of these instants, no later than `now`, was within `span`."""
    before = bisect_right(flagged, now)
    return before > 0 and now - flagged[before - 1] < span


def _before_the_turn(log: SubjectLog, limits: Limits) -> Iterator[Sighting]:
    """Each account that got in on no device of its own in the days before the address turned bad;
    beyond the gravest of them one alert with their number. The SOC looks first: no notice.
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
                yield _at_the_turn(replace(clause, part=part), entries, turned, about=account)
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
    address it is mostly a traveller who mistyped: the customer is told, nobody is woken.
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
    span = whole_ms(limits.own_window)
    failed = [at for at, entry in zip(log.at, log.entries, strict=True) if _is_failure(entry)]
    hot: list[Hot] = []
    from_one: list[Hot] = []
    for index, entry in enumerate(log.entries):
        flags = flags_of(entry)
        if not (flags & SUCCESS and flags & NEW_DEVICE):
            continue
        now = log.at[index]
        first, end = bisect_right(failed, now - span), bisect_right(failed, now)
        if end - first < limits.own_failures:
            continue
        since = bisect_left(log.at, failed[first])
        series = log.entries[since : index + 1]
        if not _is_from_one_address(series):
            hot.append(Hot(since, index))
        elif not _is_at_home(entry):
            from_one.append(Hot(since, index))
    return [
        Sighting(clause, hot, 0 if hot else NEVER),
        Sighting(replace(clause, severity="medium"), from_one, 0 if from_one else NEVER),
    ]


def _is_from_one_address(series: Sequence[bytes]) -> bool:
    addresses = {place_bytes(entry)[0] for entry in series}
    return len(addresses) == 1 and any(addresses.pop())


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
    version=2,
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
