"""A customer logs in on a device and from a place that are both new to the account."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from ..attempts import (
    COMMON_ASN,
    LEARNING,
    NEW_ASN,
    NEW_COUNTRY,
    NEW_DEVICE,
    SUCCESS,
    flags_of,
)
from ..counting import Hot, each_at
from ..rule import NEVER, Clause, Rule, Sighting, whole_ms
from ..verdicts import NoticeRisk
from ..windows import SubjectLog


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Rauthy and Elastic tell of new devices and countries; 180 days of memory: Wiefling et al."""

    logins: int = 1
    window: timedelta = timedelta(hours=24)


def judge(log: SubjectLog, limits: Limits) -> list[Sighting]:
    """Successes whose device is new and whose country or network (AS) is new too."""
    clause = Clause(
        part="",
        order="as_of",
        severity="low",
        window=limits.window,
        threshold=limits.logins,
        says="{subject} logged in on a new device from a new country or network: "
        "{successes} logins, at least {threshold} within {window}",
    )
    new = [index for index, entry in enumerate(log.entries) if _is_new(entry)]
    seen = each_at([log.at[index] for index in new], limits.logins, whole_ms(limits.window))
    hot = [Hot(new[one.first], new[one.last]) for one in seen]
    return [Sighting(clause, hot, 0 if hot else NEVER)]


def _is_new(entry: bytes) -> bool:
    flags = flags_of(entry)
    # A network that is new to the account, but full of customers, is a walk to the next café.
    network = flags & NEW_ASN and not flags & COMMON_ASN
    return bool(flags & SUCCESS and flags & NEW_DEVICE and (flags & NEW_COUNTRY or network))


def notice(entry: bytes) -> NoticeRisk:
    """The customer is asked whether it was them, but not while their own places are being learnt:
    a traveller with the program he always uses is one of the first hundred then.
    """
    return "none" if flags_of(entry) & LEARNING else "ask"


RULE = Rule(
    id="new_device_and_place",
    version=2,
    title="A login on a new device from a new place",
    watches=("account",),
    checklist_item="16",
    attack_ids=("T1078", "OAT-008"),
    known_gaps=(
        "A thief on the victim's own device, or near by on a known network, is not new.",
        "In an account's first ninety days a thief with the owner's program is not asked about.",
        "Sources without device ids say nothing of devices, and the rule is off for them.",
    ),
    limits=Limits,
    judge=judge,
    flags=False,
    role="news",
    notice=notice,
)
