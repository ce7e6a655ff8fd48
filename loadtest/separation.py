"""Could an attack be told by one field of the wire alone? Measured as AUC, field by field.

AUC is the chance that an attack's record looks more like an attack than a customer's does: 0.5 is a
coin, 1 is certainty. Each field is looked at through several readings (its value where values are
few, its shape where every value is an identity). Of each reading the likelihood ratio of every
value is learned on one half of the records and scored on the other, so that nothing is won by
chance.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from ipaddress import IPv6Address
from random import Random
from typing import Any

import msgspec

from detectors.errors import LoginwardError

from .delivery import Deliveries
from .mixing import mixed
from .run import Request, deliveries

LIMIT = 0.7
"""No field but `EXEMPT` separates B, D, E and F by more."""

EXEMPT = ("outcome", "reason")
"""Most of an attack fails: that is what it is."""

_PLAIN = (
    *("system", "outcome", "reason", "account_class", "channel", "mfa"),
    *("fingerprint", "user_agent", "action", "instrument", "market"),
)
_IDENTITIES = ("event_id", "account", "device_id", "session_id")
_RETURNING = ("account", "ip", "device_id", "session_id")
_DIGITS = re.compile(r"[0-9]")
_HEX = re.compile(r"[0-9a-f]{8,}")
_LETTERS = re.compile(r"[A-Z]")
_BEFORE, _WHICH = "how often before", "which value"
_MOST_SEEN = 20
_V6_GROUPS = 8

Record = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Separation:
    """The AUC of one field: the largest of its readings, which is named.

    Two more for what comes again, neither of which a record tells by itself: how often the value
    came before in the run, and which value it is (what a list of the campaign would be worth).
    An attack that uses an address 5 times and customers who use theirs for weeks differ there.
    """

    auc: float
    reading: str
    before: float | None = None
    which: float | None = None


def _shape(text: str) -> str:
    """Digits as 9, runs of hexadecimal as their length, capitals as A."""
    text = _HEX.sub(lambda found: f"<{len(found[0])}>", text)
    return _LETTERS.sub("A", _DIGITS.sub("9", text))


def _identity(name: str, text: str) -> Iterator[tuple[str, Any]]:
    yield name, ("shape", _shape(text))
    yield name, ("first", text[:1])
    yield name, ("last", text[-1:])
    if name != "account":  # random, so more of it must tell no more; of names that is "which"
        yield name, ("last two", text[-2:])
        yield name, ("middle", text[len(text) // 2 :][:2])


def _address(text: str) -> Iterator[tuple[str, Any]]:
    yield "ip", ("version", ":" in text)
    if ":" not in text:
        a, b, _, last = text.split(".")
        yield "ip", ("first byte", a)
        yield "ip", ("first 12 bits", (a, int(b) >> 4))
        yield "ip", ("last bits", int(last) & 7)
        yield "ip", ("edge of a block", last in {"0", "1", "254", "255"})
        return
    groups = [int(group, 16) for group in IPv6Address(text).exploded.split(":")]
    yield "ip", ("length", len(text))
    yield "ip", ("first 36 bits", groups[2] >> 12)
    for at in range(4, _V6_GROUPS):
        yield "ip", (f"group {at}, high", groups[at] >> 12)
        yield "ip", (f"group {at}, low", groups[at] & 15)


def _times(record: Record) -> Iterator[tuple[str, Any]]:
    at = record["occurred_at"]
    yield "occurred_at", ("hour", at[11:13])
    yield "occurred_at", ("second", at[17:19])
    yield "occurred_at", ("millisecond", at[20:22])
    received = record.get("received_at")
    yield "received_at", ("as occurred_at", None if received is None else received == at)


def _readings(record: Record) -> Iterator[tuple[str, Any]]:
    """(field, (reading, value)) of one record."""
    for name in _PLAIN:
        yield name, ("value", record.get(name))
    origin = record.get("origin") or {}
    yield "origin.country", ("value", origin.get("country"))
    yield "origin.asn", ("value", origin.get("asn"))
    for name in (*_IDENTITIES, "ip", "origin"):
        yield name, ("present", record.get(name) is not None)
    for name in _IDENTITIES:
        if record.get(name) is not None:
            yield from _identity(name, record[name])
    if record.get("ip") is not None:
        yield from _address(record["ip"])
    yield from _times(record)


@dataclass(slots=True)
class Measured:
    """Counts of every value of every reading: [attack, benign] in the learned and scored half."""

    seed: int = 1
    records: Counter[str] = field(default_factory=Counter)
    _counts: defaultdict[tuple[str, str], defaultdict[Any, list[int]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(lambda: [0, 0, 0, 0]))
    )
    _seen: dict[str, Counter[Any]] = field(
        default_factory=lambda: {name: Counter() for name in _RETURNING}
    )

    def take(self, records: Iterable[tuple[Record, bool]]) -> None:
        """Count records, each with whether it is an attack's, in order of time."""
        half = Random(mixed(self.seed, 77))
        for record, attack in records:
            self.records["attack" if attack else "benign"] += 1
            column = (0 if attack else 1) + 2 * (half.random() < 0.5)  # noqa: PLR2004 (one half)
            for name, (reading, value) in _readings(record):
                self._counts[name, reading][value][column] += 1
            for name, seen in self._seen.items():
                value = record.get(name)
                if value is not None:
                    before = min(seen[value], _MOST_SEEN)
                    self._counts[name, _BEFORE][before][column] += 1
                    self._counts[name, _WHICH][value][column] += 1
                    seen[value] += 1

    def fields(self) -> dict[str, Separation]:
        """The AUC of each field, by name."""
        found: defaultdict[str, dict[str, float]] = defaultdict(dict)
        for (name, reading), counts in self._counts.items():
            found[name][reading] = _auc(counts.values())
        return {name: _separation(aucs) for name, aucs in sorted(found.items())}


def _separation(aucs: dict[str, float]) -> Separation:
    before, which = aucs.pop(_BEFORE, None), aucs.pop(_WHICH, None)
    reading = max(aucs, key=lambda one: aucs[one])
    return Separation(auc=aucs[reading], reading=reading, before=before, which=which)


def too_far(fields: dict[str, Separation]) -> list[str]:
    """The fields that separate by more than `LIMIT`, but `EXEMPT`."""
    return [name for name, one in fields.items() if one.auc > LIMIT and name not in EXEMPT]


def _auc(values: Iterable[list[int]]) -> float:
    """Of likelihood ratios learned on columns 0 and 1 (one added to each, so that what was never
    seen says nothing), scored on columns 2 and 3. A reading that records lack is left out for
    them; `present` measures that.
    """
    rows = list(values)
    attacks, benigns = sum(row[0] for row in rows), sum(row[1] for row in rows)
    ratio = (attacks + 1) / (benigns + 1)
    scored: defaultdict[float, list[int]] = defaultdict(lambda: [0, 0])
    for learned_attack, learned_benign, attack, benign in rows:
        score = (learned_attack + ratio) / (learned_benign + 1)
        scored[score][0] += attack
        scored[score][1] += benign
    positives = sum(pair[0] for pair in scored.values())
    negatives = sum(pair[1] for pair in scored.values())
    if not positives or not negatives:
        return 0.5
    won, below = 0.0, 0
    for score in sorted(scored):
        attack, benign = scored[score]
        won += attack * (below + benign / 2)
        below += benign
    return won / positives / negatives


def labelled(run: Deliveries) -> Iterator[tuple[Record, bool]]:
    """The records of a run as they are on the wire, each with whether it is an attack's."""
    decode: Callable[[bytes], Record] = msgspec.json.decode
    run.truths = True
    for chunk in run:
        for delivery in chunk:
            if delivery.value is not None and not delivery.truth.startswith('{"bad"'):
                yield decode(delivery.value), ',"label":"attack"' in delivery.truth


def measure(request: Request) -> Measured:
    """All of a run, held in counts alone (of every address and account too: for small runs).

    Raises LoginwardError where there is nothing to tell apart.
    """
    letters = {share.profile.letter for share in request.shares}
    for label, there in (("attack", letters - {"G"}), ("benign", letters & {"G", "I"})):
        if not there:
            raise LoginwardError(
                f"--separation: the run has no {label} record to tell apart; name an attack and "
                "customers, e.g. --profile B:0.18+G --scale 0.1 --duration 1d"
            )
    measured = Measured(seed=request.seed)
    measured.take(labelled(deliveries(request)))
    return measured
