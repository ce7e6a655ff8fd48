"""Profile A: stuffing from a datacenter, 133 attempts an address, one user agent.

The cashback case (datadome.co, threat research): 2.2 million attempts in 15 hours, a plateau of
65,000 to 75,000 per half hour, 16,600 datacenter addresses, one iPhone user agent. A public list:
9 names of 10 belong to nobody (eweek.com, 272 million pairs); 0.1 % of the attempts get in (a large
FI, mynetwatchman.com). Each pair of name and password is tried once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from random import Random

from loadtest.agents import OLD_IPHONE
from loadtest.attempts import SUCCESS, Attempt, Model
from loadtest.mixing import mixed
from loadtest.networks import HOSTING
from loadtest.population import HOME
from loadtest.profile import Profile, Setting
from loadtest.stuffing import Ends
from loadtest.thief import Thief


@dataclass(frozen=True, slots=True, kw_only=True)
class Datacenter:
    """The numbers of the attack, each with its source in the module's text."""

    attempts: int = 2_200_000
    addresses: int = 16_600
    duration: timedelta = timedelta(hours=15)
    unknown: float = 0.90
    success: float = 0.001
    plateau: float = 0.07
    """65-75 thousand per half hour is 70 thousand +- 7 %."""
    shared_with_customers: float = 0.01
    """Addresses that are also some customer's (StopGuessing)."""
    leased: float = 0.5
    """Share of attempts from addresses used for a lease and then dropped, the others being used
    from first to last. The source does not say which; half and half favours no kind of rule."""
    lease: timedelta = timedelta(minutes=20)


NUMBERS = Datacenter()

_DEVICE = 0xA
_SLOT_MS = 1_800_000  # the plateau is told per half hour


class DatacenterStuffing:
    """The attempts of one campaign over the whole run, its addresses in proportion.

    A run longer than the numbers' duration has new lasting addresses for each such span.
    """

    def __init__(
        self, setting: Setting, numbers: Datacenter = NUMBERS, *, letter: str = "A"
    ) -> None:
        self._setting = setting
        self._numbers = numbers
        self._random = Random(mixed(setting.seed, ord("A")))
        self._sent_until = setting.start_ms
        self._tried = 0
        full_ms = numbers.duration // timedelta(milliseconds=1)
        self._per_ms = numbers.attempts * setting.scale / full_ms
        per_address = numbers.attempts / numbers.addresses
        wanted = self._per_ms * setting.duration_ms / per_address
        self._spans = max(1, round(setting.duration_ms / full_ms))
        self._lasting = max(1, round(wanted * (1 - numbers.leased) / self._spans))
        leases = max(1, round(setting.duration_ms / (numbers.lease // timedelta(milliseconds=1))))
        self._lease_ms = setting.duration_ms / leases
        self._a_lease = max(1, round(wanted * numbers.leased / leases))
        self._system = setting.system("web")
        self._ends = Ends(setting, letter)
        self._thief = Thief(setting, letter)

    def until(self, end_ms: int) -> list[Attempt]:
        """The attempts before `end_ms` not given yet."""
        start, end = self._sent_until, min(end_ms, self._setting.end_ms)
        if end <= start:
            return []
        self._sent_until = end
        random = self._random.random
        times = [start + int(random() * (end - start)) for _ in range(self._count(start, end))]
        return [self._attempt(at) for at in times] + self._thief.until(end)

    def _count(self, start: int, end: int) -> int:
        """Attempts in a slice: the plateau's level of its half hour, rounded by chance."""
        level = mixed(self._setting.seed, 7, start // _SLOT_MS) / 2**64 * 2 - 1
        exact = self._per_ms * (1 + self._numbers.plateau * level) * (end - start)
        return int(exact + self._random.random())

    def _attempt(self, at: int) -> Attempt:
        random = self._random.random
        population = self._setting.population
        chance = random()
        exists = chance >= self._numbers.unknown
        if exists:
            account = population.account(int(random() * population.size))
        else:
            account = population.nobody(self._tried)
        self._tried += 1
        outcome, truth = self._ends.of(right=chance >= 1 - self._numbers.success)
        ip, network = self._address(at)
        attempt = Attempt(
            at, self._system, account, ip, network, outcome, exists, truth, _DEVICE, OLD_IPHONE
        )
        return self._thief.took(attempt) if outcome == SUCCESS else attempt

    def _address(self, at: int) -> tuple[str, int]:
        random = self._random.random
        into = at - self._setting.start_ms
        if random() >= self._numbers.leased:
            span = into * self._spans // self._setting.duration_ms
            number = span * self._lasting + int(random() * self._lasting)
        else:
            lease = int(into / self._lease_ms)
            number = (
                self._spans * self._lasting + lease * self._a_lease + int(random() * self._a_lease)
            )
        if mixed(self._setting.seed, 8, number) < self._numbers.shared_with_customers * 2**64:
            population = self._setting.population
            neighbour = population.customer(number % population.size)
            return population.where(neighbour, HOME, at)
        network = HOSTING[number % len(HOSTING)]
        return network.v4(number // len(HOSTING)), network.at


def _expect(_start_ms: int, duration_ms: int, *_: object) -> float:
    return NUMBERS.attempts * duration_ms / (NUMBERS.duration / timedelta(milliseconds=1))


def _models(setting: Setting) -> Sequence[Model]:
    return (DatacenterStuffing(setting),)


PROFILE = Profile(
    letter="A",
    title="datacenter stuffing: 133 attempts an address, one user agent, 90 % unknown names",
    duration=NUMBERS.duration,
    endless=False,
    expect=_expect,
    models=_models,
)
