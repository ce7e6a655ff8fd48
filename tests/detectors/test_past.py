"""A judgement that resumes where an earlier one ended says what one of the whole log says."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.attempts import (
    CONTEXT_BYTES,
    HEAD,
    KNOWN_DEVICE,
    NEW_DEVICE,
    NO_ADDRESS,
    NON_CUSTOMER,
    OLD_DEVICE,
    PLACED,
    RISKY_NETWORK,
    SUCCESS,
)
from detectors.events import AS_OF_MS, HOUR_MS, milliseconds
from detectors.judging import Judges, Look
from detectors.past import Pasts
from detectors.rules import RULES
from detectors.windows import FOR_EVER_MS, Reading, Subject, SubjectLog
from tests.builders import IP, NAMES, START, rules

NOW = milliseconds(START)
ADDRESS = Subject("web", "ip", IP)
NETWORK = Subject("web", "subnet", "203.0.113.0/24")
PACES = (100, 5_000, 40_000, 10 * 60_000, 2 * HOUR_MS)


class Said(NamedTuple):
    """What a judgement says of a log, as bytes."""

    drafts: list[tuple[str, int, int, bool, bytes]]
    pending: bool
    raised: set[tuple[Subject, bytes]]


def entry(dice: Random, at: int, number: int, marks: int, *, placed: bool = False) -> bytes:
    """An attempt on one of forty accounts."""
    account = bytes([dice.randrange(40)]) * 12
    event = dice.randbytes(4) + number.to_bytes(4, "big")
    head = HEAD.pack(at >> 32, at & 0xFFFFFFFF, event, account, marks | PLACED * placed, 2)
    where = bytes([*NO_ADDRESS[:15], dice.randrange(12)]) + bytes(CONTEXT_BYTES - 16)
    return head + where * placed + b"id"


def retold(entry: bytes) -> bytes:
    """The same event with other facts, after a new directory was loaded: it says less."""
    flags = int.from_bytes(entry[26:30], "big") & ~(NON_CUSTOMER | RISKY_NETWORK)
    return entry[:26] + flags.to_bytes(4, "big") + entry[30:]


def attempts(dice: Random, *, placed: bool) -> list[bytes]:
    """A log as it grows: fast and slow stretches, a few of one instant."""
    at, found = NOW, []
    for number in range(dice.randint(30, 160)):
        at += dice.choice((0, dice.randint(1, dice.choice(PACES))))
        marks = dice.choice((0, NON_CUSTOMER, NON_CUSTOMER, RISKY_NETWORK))
        found.append(entry(dice, at, number, marks, placed=placed))
    return found


def logins(dice: Random, latest: int) -> list[bytes]:
    """Successes of customers and strangers in between."""
    kinds = (KNOWN_DEVICE | OLD_DEVICE, NEW_DEVICE, 0)
    times = sorted(dice.randint(NOW, latest) for _ in range(dice.choice((0, 0, 2, 12))))
    return [
        entry(dice, at, 1_000 + n, SUCCESS | dice.choice(kinds), placed=True)
        for n, at in enumerate(times)
    ]


def said(
    judges: Judges, subject: Subject, entries: list[bytes], beside: list[bytes], look: Look
) -> Said:
    """One judgement of what has been appended so far."""
    blob = b"".join(entries)
    log = SubjectLog.of(blob, look.settled_ms, subject.kind)
    log = replace(log, logins=SubjectLog.holding(sorted(beside), look.settled_ms, "logins"))
    found = judges.judge(subject, Reading(blob, len(blob), 0), log, look, len(beside))
    drafts = [
        (one.alert_id, one.size, one.rank, one.final, one.body()) for one in found.settlement.drafts
    ]
    raised = {(larger, one) for larger, told in found.raised.items() for one in told}
    return Said(sorted(drafts), found.settlement.pending, raised)


@pytest.mark.parametrize("subject", [ADDRESS, NETWORK], ids=["address", "network"])
@given(seed=st.integers(0, 1 << 32))
@settings(deadline=None, max_examples=40)
def test_a_log_that_grows_is_judged_as_if_it_were_new(subject: Subject, seed: int) -> None:
    """Whatever comes late, is not settled yet, or logs in meanwhile: after each step the judge that
    has seen the log before and one that has not say the same.
    """
    dice = Random(seed)
    waiting = attempts(dice, placed=subject.kind == "subnet")
    latest = int.from_bytes(waiting[-1][:6], "big")
    entering = logins(dice, latest)
    late = [waiting.pop(dice.randrange(len(waiting))) for _ in range(dice.choice((0, 0, 1, 4)))]
    late += [retold(dice.choice(waiting)) for _ in range(dice.choice((0, 3)))]
    again, told = Judges(rules(), NAMES), set[tuple[Subject, bytes]]()
    there: list[bytes] = []
    inside: list[bytes] = []
    while waiting or late or entering:
        there += [waiting.pop(0) for _ in range(min(dice.randint(1, 40), len(waiting)))]
        if (late and dice.random() < 0.2) or not waiting:
            there += [late.pop()] * 2 if late else []
        now = int.from_bytes(max(there)[:6], "big")
        inside += [one for one in entering if int.from_bytes(one[:6], "big") <= now]
        entering = [one for one in entering if one not in inside] if waiting or late else []
        settled = dice.choice((now, now - AS_OF_MS, FOR_EVER_MS))
        look = Look(closed_ms=now - 120_000, now_ms=now, settled_ms=settled)

        resumed = said(again, subject, there, inside, look)
        whole = said(Judges(rules(), NAMES), subject, there, inside, look)

        assert resumed.drafts == whole.drafts
        assert resumed.pending == whole.pending
        told |= resumed.raised
        assert whole.raised <= told
        assert resumed.raised <= whole.raised


def test_what_has_been_seen_is_not_looked_at_again() -> None:
    """A long log that has grown by one is not judged whole: its past is kept, and bounded."""
    dice = Random(1)
    there = [entry(dice, NOW + 1000 * n, n, NON_CUSTOMER) for n in range(300)]
    judges = Judges(rules(), NAMES)
    look = Look(settled_ms=FOR_EVER_MS)
    said(judges, ADDRESS, there, [], look)

    log = replace(SubjectLog.of(b"".join(there)), logins=SubjectLog.of(b"", kind="logins"))
    past = judges.pasts.of(ADDRESS, 0, log)

    assert past is not None
    assert past.count == 300 - 61  # all but the last minute
    assert not past.holds(1, log)  # rewritten: no place in it is sure
    small = Pasts(most=1)
    small.keep(ADDRESS, past)
    assert ADDRESS not in small


def test_what_changes_the_past_makes_it_void() -> None:
    """A late attempt, an attempt told anew and a late login: each may change what was seen."""
    dice = Random(2)
    there = [entry(dice, NOW + 1000 * n, n, NON_CUSTOMER) for n in range(300)]
    judges = Judges(rules(), NAMES)
    said(judges, ADDRESS, there, [], Look())
    nobody = SubjectLog.of(b"", kind="logins")
    success = entry(dice, NOW + 5_000, 900, SUCCESS | OLD_DEVICE, placed=True)
    past = judges.pasts.of(ADDRESS, 0, replace(SubjectLog.of(b"".join(there)), logins=nobody))
    assert past is not None

    late = SubjectLog.of(b"".join([*there, entry(dice, NOW + 238_500, 901, 0)]))
    told_anew = SubjectLog.of(b"".join([*there, retold(there[7])]))
    later = SubjectLog.of(b"".join([*there, entry(dice, NOW + 301_000, 902, 0)]))

    assert past.holds(0, replace(later, logins=nobody))
    assert not past.holds(0, replace(late, logins=nobody))
    assert not past.holds(0, replace(told_anew, logins=nobody))
    assert not past.holds(0, replace(later, logins=SubjectLog.holding([success], kind="logins")))


def test_a_rule_that_resumes_tells_no_customer() -> None:
    """Of what it saw before, the single logins are forgotten: nobody may be told of them."""
    assert all(rule.is_silent and not rule.follows for rule in RULES if rule.resumes)
