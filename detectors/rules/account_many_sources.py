"""One account is tried from many addresses: a botnet shares the work of guessing one password."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from ..attempts import MAPPED, SUCCESS, flags_of, place_bytes
from ..counting import Hot, event_count
from ..rule import Clause, Rule, Sighting, whole_ms
from ..windows import SubjectLog


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Elastic: failures of one account from several addresses; Panther: 5 in 30 min. That the
    addresses differ in country, network or program too keeps one customer's telephone out.
    """

    addresses: int = 5
    failures: int = 10
    window: timedelta = timedelta(minutes=30)
    countries: int = 2
    networks: int = 3
    many_addresses: int = 8
    agents: int = 3


def judge(log: SubjectLog, limits: Limits) -> list[Sighting]:
    """Instants with enough failures from enough addresses that are not of one kind."""
    clause = Clause(
        part="",
        order="monotone",
        severity="high",
        window=limits.window,
        threshold=limits.failures,
        says="{subject} failed {failures} times from {ips} addresses: "
        "at least {threshold} within {window}, from several countries, networks or programs",
    )
    span = whole_ms(limits.window)
    failed = [n for n, entry in enumerate(log.entries) if not flags_of(entry) & SUCCESS]
    at = [log.at[n] for n in failed]
    places = [_counted(place_bytes(log.entries[n])) for n in failed]
    hot: list[Hot] = []
    swept = event_count(at, limits.failures, span)
    if swept.hot:
        window = _Window()
        first = 0
        end = 0
        for seen in swept.hot:
            while end <= seen.last:
                window.enter(places[end])
                end += 1
            while first < seen.first:
                window.leave(places[first])
                first += 1
            if window.varied(limits):
                hot.append(Hot(failed[seen.first], failed[seen.last]))
    return [Sighting(clause, hot, 0 if hot else max(1, swept.lacking))]


def _counted(place: Sequence[bytes]) -> Sequence[bytes]:
    """A place whose IPv6 address is its /64: a telephone changes the rest of it every day."""
    address, *others = place
    return (address if address.startswith(MAPPED) else address[:8], *others)


class _Window:
    """How many distinct addresses, countries, networks and programs the window holds."""

    def __init__(self) -> None:
        self._counts: tuple[Counter[bytes], ...] = (Counter(), Counter(), Counter(), Counter())

    def enter(self, place: Sequence[bytes]) -> None:
        for counts, value in zip(self._counts, place, strict=True):
            if any(value):
                counts[value] += 1

    def leave(self, place: Sequence[bytes]) -> None:
        for counts, value in zip(self._counts, place, strict=True):
            if any(value):
                counts[value] -= 1
                if not counts[value]:
                    del counts[value]

    def varied(self, limits: Limits) -> bool:
        addresses, countries, networks, agents = map(len, self._counts)
        return addresses >= limits.addresses and (
            countries >= limits.countries
            or networks >= limits.networks
            or addresses >= limits.many_addresses
            or agents >= limits.agents
        )


RULE = Rule(
    id="account_many_sources",
    version=1,
    title="One account fails from many addresses",
    watches=("account",),
    checklist_item="15",
    attack_ids=("T1110.001", "T1110.004", "OAT-007"),
    known_gaps=(
        "An attacker with fewer than five addresses, or slower than ten tries in half an hour.",
        "Failures on a device that the account knows are never counted.",
    ),
    limits=Limits,
    judge=judge,
    flags=False,
    role="campaign",
    shape="targeted",
)
