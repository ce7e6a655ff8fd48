"""Profile H: guard poisoning. The attacker logs in to accounts of his own between the tries.

A guard that spares an address from which customers log in holds the attacker's switch: he opens
accounts in his own name and logs in to them, properly, from every address that he attacks from.
With a list of which 20 % of the pairs are good (tomsguide.com 2012: 4.5 to 20 % of matching names)
a plain ratio of successes to failures is then on his side half of the time. All names on the list
are customers', each is tried once, 133 tries an address as from a datacenter (datadome.co), but in
the customers' networks and programs, where a guard must be kind.

Assumptions: 20,000 pairs in a day; 50 own accounts (at least 8), each with one device; one own
login after every second try, from the try's address, within a minute; for eight days before, every
own account logs in once a day from those addresses, so that its device is well known. A shorter run
has all of it in proportion, eight ninths before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from random import Random

from loadtest.agents import AGENTS, AMONG_100
from loadtest.attempts import SUCCESS, Attempt, Model
from loadtest.botnet import Botnet, Machine
from loadtest.hours import Arrivals, mean_between
from loadtest.mixing import mixed
from loadtest.pending import Pending
from loadtest.population import OUTSIDERS
from loadtest.profile import Profile, Setting
from loadtest.stuffing import Ends, truth
from loadtest.thief import Thief

_MS = timedelta(milliseconds=1)
_DAY_MS = 86_400_000
_TRY_THEN_OWN = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Poisoning:
    """The numbers of the attack; sources in the module's text."""

    pairs: int = 20_000
    good: float = 0.20
    per_address: float = 2_200_000 / 16_600
    own: int = 50
    fewest_own: int = 8
    before: timedelta = timedelta(days=8)
    attack: timedelta = timedelta(days=1)
    soon: timedelta = timedelta(minutes=1)

    @property
    def duration(self) -> timedelta:
        """Preparation and attack."""
        return self.before + self.attack

    def pairs_in(self, duration_ms: int) -> float:
        """Tries in a run at scale 1."""
        return self.pairs * duration_ms / (self.duration // _MS)

    def owned(self, scale: float) -> int:
        """The attacker's own accounts."""
        return min(OUTSIDERS, max(self.fewest_own, round(self.own * scale)))


NUMBERS = Poisoning()


class GuardPoisoning:
    """Eight days of own logins, then tries with own logins between them."""

    def __init__(self, setting: Setting, numbers: Poisoning = NUMBERS) -> None:
        self._setting, self._numbers = setting, numbers
        seed = mixed(setting.seed, ord("H"))
        self._random, self._seed = Random(seed), seed
        self._turn_ms = setting.start_ms + int(
            setting.duration_ms * (numbers.before / numbers.duration)
        )
        self._owned = numbers.owned(setting.scale)
        pairs = numbers.pairs_in(setting.duration_ms) * setting.scale
        days = max(1, setting.end_ms - self._turn_ms) / _DAY_MS
        level = mean_between(self._turn_ms, setting.end_ms)
        self._before = Arrivals(Random(mixed(seed, 1)), setting.start_ms, self._owned)
        self._tries = Arrivals(Random(mixed(seed, 2)), self._turn_ms, pairs / days / level)
        self._botnet = Botnet(
            setting, ord("H"), attempts=pairs, per_address=numbers.per_address, stay=pairs
        )
        self._thief = Thief(setting, "H")
        self._ends = Ends(setting, "H", kind="stuffing")
        self._own = truth("H", "own_login")
        self._pending = Pending()
        self._tried = 0

    def until(self, end_ms: int) -> list[Attempt]:
        """The attempts before `end_ms` not given yet."""
        end_ms = min(end_ms, self._setting.end_ms)
        found = [
            self._own_login(at, self._botnet.some(at))
            for at in self._before.until(min(end_ms, self._turn_ms))
        ]
        found += [self._try(at) for at in self._tries.until(end_ms)]
        return found + self._pending.due(end_ms) + self._thief.until(end_ms)

    def _try(self, at: int) -> Attempt:
        random, numbers = self._random.random, self._numbers
        self._tried += 1
        outcome, why = self._ends.of(right=random() < numbers.good)
        machine = self._botnet.next(at)
        if self._tried % _TRY_THEN_OWN == 0:
            soon = at + 1 + int(random() * (numbers.soon // _MS))
            self._pending.add([self._own_login(soon, machine)])
        account = self._setting.population.listed(self._tried)
        system = self._setting.system(AGENTS[machine.agent].channel)
        attempt = Attempt(
            *(at, system, account, machine.ip, machine.network, outcome, True, why),
            machine.device,
            machine.agent,
        )
        return self._thief.took(attempt) if outcome == SUCCESS else attempt

    def _own_login(self, at: int, machine: Machine) -> Attempt:
        which = int(self._random.random() * self._owned)
        device = mixed(self._seed, 3, which)
        agent = AMONG_100[device % 100]
        account = self._setting.population.outsider(which)
        system = self._setting.system(AGENTS[agent].channel)
        return Attempt(
            *(at, system, account, machine.ip, machine.network, SUCCESS, True, self._own),
            device,
            agent,
        )


def _expect(_start_ms: int, duration_ms: int, *_: object) -> float:
    before = NUMBERS.own * duration_ms / _DAY_MS * (NUMBERS.before / NUMBERS.duration)
    return NUMBERS.pairs_in(duration_ms) * (1 + 1 / _TRY_THEN_OWN) + before


def _models(setting: Setting) -> Sequence[Model]:
    return (GuardPoisoning(setting),)


PROFILE = Profile(
    letter="H",
    title="guard poisoning: own logins from every address, then a list with 20 % good pairs",
    duration=NUMBERS.duration,
    endless=False,
    expect=_expect,
    models=_models,
)
