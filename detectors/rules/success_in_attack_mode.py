"""While an attack on everybody is on, somebody logs in who does not look like the customer."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

from ..attempts import NEW_DEVICE, SUCCESS, UNFAMILIAR, flags_of, place_bytes, written_address
from ..counting import Hot, each_at
from ..events import AS_OF_MS
from ..guard import Known
from ..rule import NEVER, Clause, Rule, Sighting, whole_ms
from ..verdicts import NoticeRisk
from ..windows import SubjectLog


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """One login is enough (DETECTIONS.md 5, rows 7 and 8); device and place or program both new:
    Wiefling et al., Freeman et al.; one other account that failed there within a day is ours.
    """

    logins: int = 1
    window: timedelta = timedelta(hours=24)
    others: int = 1


def judge(log: SubjectLog, limits: Limits) -> list[Sighting]:
    """Successes under attack mode: by an account on a device, and from a place or with a program,
    that are not its own; or on a new device from an address from which other accounts failed.
    """
    if log.kind == "ip":
        return [*_beside_failures(log, limits)]
    return [_unfamiliar(log, limits)]


def _unfamiliar(log: SubjectLog, limits: Limits) -> Sighting:
    clause = Clause(
        part="",
        order="as_of",
        severity="high",
        window=limits.window,
        threshold=limits.logins,
        says="{subject} logged in on a device, and from a country or network or with a program, "
        "that are not its own, while everybody was attacked: {successes} logins, at least "
        "{threshold} within {window}",
    )
    asked = [index for index, entry in enumerate(log.entries) if _has(entry, UNFAMILIAR)]
    settled = [index for index in asked if log.at[index] <= log.settled_ms]
    under = [index for index in settled if _stands_out(log, index)]
    seen = each_at([log.at[index] for index in under], limits.logins, whole_ms(limits.window))
    hot = [Hot(under[one.first], under[one.last]) for one in seen]
    return Sighting(clause, hot, 0 if hot else NEVER, pending=len(settled) < len(asked))


def _stands_out(log: SubjectLog, index: int) -> bool:
    """Whether a strange login is worth a look. Of an account that is not known yet every login is
    strange: of those only what comes while the attack is news. In a drift of two weeks (profile F)
    they were 1,720 of 2,373 false alerts and 7 of 100 takeovers.
    """
    now = log.at[index]
    if _has(log.entries[index], NEW_DEVICE):
        return log.mode.on(now)
    return log.mode.is_fresh(now)


def _beside_failures(log: SubjectLog, limits: Limits) -> Iterator[Sighting]:
    """Accounts that got in on a new device where others had failed a minute before or earlier; the
    address's own customers are weighed.
    """
    clause = Clause(
        part="ip",
        order="as_of",
        severity="high",
        window=limits.window,
        threshold=limits.others,
        says="{subject} logged in on a new device from {where}, where other accounts had failed, "
        "while everybody was attacked: at least {threshold} within {window}",
    )
    pending = False
    logins = log.logins
    if logins is not None:
        known = Known(log)
        span = whole_ms(limits.window)
        hits: dict[tuple[bytes, bytes], list[bytes]] = {}
        for entry, now, account in zip(logins.entries, logins.at, logins.accounts, strict=True):
            if account is None or not _has(entry, NEW_DEVICE | UNFAMILIAR):
                continue
            if now > log.settled_ms:
                pending = True
                continue
            first, end = bisect_right(log.at, now - span), bisect_right(log.at, now - AS_OF_MS)
            others = set(log.accounts[first:end]) - {account, None}
            if len(others) < limits.others or known.customers(now) >= len(others):
                continue
            if log.mode.on(now):
                hits.setdefault((account, place_bytes(entry)[0]), []).append(entry)
        for (account, where), entries in sorted(hits.items()):
            mine = SubjectLog.holding(entries, logins.settled_ms, logins.kind, logins.capped_hours)
            hot = [Hot(index, index) for index in range(len(mine))]
            part = f"{log.kind} {written_address(where)}"
            yield Sighting(replace(clause, part=part), hot, 0, log=mine, about=account)
    yield Sighting(clause, [], NEVER, pending=pending)


def _has(entry: bytes, marks: int) -> bool:
    flags = flags_of(entry)
    return bool(flags & SUCCESS and flags & marks)


def notice(entry: bytes) -> NoticeRisk:
    """The customer is asked, where the account is known well enough to be told of news."""
    return "ask" if flags_of(entry) & NEW_DEVICE else "none"


RULE = Rule(
    id="success_in_attack_mode",
    version=1,
    title="A login unlike the customer's, under attack",
    watches=("account", "ip"),
    checklist_item="15",
    attack_ids=("T1078", "T1110.004", "OAT-008"),
    known_gaps=(
        "A thief with the customer's program in the customer's network, on an unused address.",
        "Customers who travel while an attack is on are named too.",
        "An account with fewer than three logins, in a slow attack's third day and later.",
        "In its first week a system knows too few accounts: only those it knows well are named.",
    ),
    limits=Limits,
    judge=judge,
    reads_logins=True,
    reads_mode=True,
    flags=False,
    role="hit",
    notice=notice,
)
