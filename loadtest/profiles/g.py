"""Profile G: customers only, with everything about them that looks like an attack and is none.

35,000 good logins a day (the RBA data set, Wiefling et al. 2022) by the hours of hours.py.
Mistakes are those of StopGuessing's simulator (microsoft/StopGuessing,
ExperimentalConfiguration.cs): 2 % typos, each repeated with 2/3; 2 % another account's password,
repeated with 1/3; 2 % a wrong name, repeated with 20 %; 7 s between tries; 1 login in 2,500 leaves
a device that replays a stale password every 5 minutes for 24 hours; cookies known in 90 % of
logins, addresses in 85 %. Together about 19 % of attempts fail. In the RBA data set 55 % do on a
normal day: with `failure_share` above the mistakes' own, people who forgot
their password and gave up fill the difference; below it, all mistakes become rarer in proportion.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from heapq import heappop, heappush
from itertools import count
from random import Random

from loadtest.agents import AGENTS
from loadtest.attempts import FAILURE, SUCCESS, Attempt, Model, Truth
from loadtest.hours import Arrivals, mean_between, monday_morning
from loadtest.mixing import mixed
from loadtest.networks import UNKNOWN
from loadtest.pending import Pending
from loadtest.population import KNOWN_ADDRESS, PLACES, Customer
from loadtest.profile import Profile, Setting
from loadtest.sessions import RATES, Sessions


@dataclass(frozen=True, slots=True, kw_only=True)
class Customers:
    """The numbers of customers' behaviour; sources in the module's text."""

    good_per_day: int = 35_000
    typo: float = 0.02
    typo_again: float = 2 / 3
    wrong_password: float = 0.02
    wrong_password_again: float = 1 / 3
    wrong_name: float = 0.02
    wrong_name_again: float = 0.20
    wrong_name_exists: float = 0.10
    """A wrong name that is somebody else's: an assumption (a national id has a check digit)."""
    retry: timedelta = timedelta(seconds=7)
    stale: float = 1 / 2500
    stale_every: timedelta = timedelta(minutes=5)
    stale_for: timedelta = timedelta(hours=24)
    known_device: float = 0.90
    known_address: float = KNOWN_ADDRESS
    by_phone: float = 0.005
    """Logins without an address (phone, branch): an assumption."""
    monday: float = 2.0
    """How much likelier a mistake is on a Monday morning: an assumption (thread SP1: more)."""
    forgotten_tries: int = 3
    """Mean tries of one who forgot the password and gives up: an assumption."""

    @property
    def failures_a_login(self) -> float:
        """Failed attempts for each good login, Mondays left out."""
        return (
            self.typo / (1 - self.typo_again)
            + self.wrong_password / (1 - self.wrong_password_again)
            + self.wrong_name / (1 - self.wrong_name_again)
            + self.stale * (self.stale_for / self.stale_every)
        )

    def mistakes(self, failure_share: float | None) -> tuple[float, float]:
        """(factor on all mistakes, forgotten passwords for each good login) for a failure share."""
        if failure_share is None:
            return 1.0, 0.0
        wanted = failure_share / (1 - failure_share)
        own = self.failures_a_login
        if wanted <= own:
            return wanted / own, 0.0
        return 1.0, (wanted - own) / self.forgotten_tries


NUMBERS = Customers()

_MS = timedelta(milliseconds=1)
_REAL = True  # a customer's own name belongs to somebody


class CustomerTraffic:
    """The logins of a population over a run, with their mistakes and their stale devices."""

    def __init__(self, setting: Setting, numbers: Customers = NUMBERS) -> None:
        self._setting = setting
        self._numbers = numbers
        self._random = Random(mixed(setting.seed, ord("G"), 1))
        self._mistakes, self._forgotten = numbers.mistakes(setting.failure_share)
        self._arrivals = Arrivals(
            Random(mixed(setting.seed, ord("G"), 2)),
            setting.start_ms,
            numbers.good_per_day * setting.scale * (1 + self._forgotten),
        )
        self._gives_up = self._forgotten / (1 + self._forgotten)
        self._retry_ms = numbers.retry // _MS
        self._every_ms = numbers.stale_every // _MS
        self._later: list[Attempt] = []
        self._order = count()
        self._stale: list[tuple[int, int, int, Attempt]] = []
        self._sessions = Sessions(Random(mixed(setting.seed, ord("G"), 3)))
        self._pending = Pending()
        self._already_stale()

    def until(self, end_ms: int) -> list[Attempt]:
        """The attempts before `end_ms` not given yet."""
        found: list[Attempt] = []
        for at in self._arrivals.until(min(end_ms, self._setting.end_ms)):
            self._session(at, found)
        self._replays(end_ms, found)
        due = self._pending.due(end_ms)
        due += [attempt for attempt in self._later if attempt.at_ms < end_ms]
        self._later = [attempt for attempt in self._later if attempt.at_ms >= end_ms]
        ready = due + [attempt for attempt in found if attempt.at_ms < end_ms]
        self._later += [attempt for attempt in found if attempt.at_ms >= end_ms]
        return [attempt for attempt in ready if attempt.at_ms < self._setting.end_ms]

    def _session(self, at: int, out: list[Attempt]) -> None:
        random = self._random.random
        numbers = self._numbers
        customer = self._setting.population.active(random())
        login = self._login(customer, at)
        if self._forgotten and random() < self._gives_up:
            self._fail(login, _FORGOTTEN, 1 - 1 / numbers.forgotten_tries, out)
            return
        share = self._mistakes * (numbers.monday if monday_morning(at) else 1.0)
        chance = random()
        if chance < share * numbers.typo:
            login = self._fail(login, _TYPO, numbers.typo_again, out)
        elif (chance := chance - share * numbers.typo) < share * numbers.wrong_password:
            login = self._fail(login, _WRONG_PASSWORD, numbers.wrong_password_again, out)
        elif chance - share * numbers.wrong_password < share * numbers.wrong_name:
            login = self._misname(login, out)
        out.append(self._with_deeds(login))
        if login.ip is not None and random() < self._mistakes * numbers.stale:
            self._go_stale(login, customer)

    def _with_deeds(self, login: Attempt) -> Attempt:
        if not self._setting.actions:
            return login
        login, deeds = self._sessions.after(login)
        self._pending.add(deeds)
        return login

    def _login(self, customer: Customer, at: int) -> Attempt:
        random = self._random.random
        account, agent = customer.account, customer.agent
        if random() < self._numbers.by_phone:
            system = self._setting.system("phone")
            return Attempt(at, system, account, None, UNKNOWN, SUCCESS, _REAL, _LOGIN, 0, agent)
        place = customer.usual
        if random() >= self._numbers.known_address:
            place = (place + 1 + int(random() * (PLACES - 1))) % PLACES
        ip, network = self._setting.population.where(customer, place, at)
        chance = random()
        if chance < self._numbers.known_device:
            device = customer.device(int(chance * 1e6))
        else:
            device = customer.traits + at  # seen once, then never again
        system = self._setting.system(AGENTS[agent].channel)
        return Attempt(at, system, account, ip, network, SUCCESS, _REAL, _LOGIN, device, agent)

    def _fail(self, login: Attempt, truth: Truth, again: float, out: list[Attempt]) -> Attempt:
        """Append one failure and its repeats; the login that follows, a retry later."""
        at = login.at_ms
        while True:
            out.append(login._replace(at_ms=at, outcome=FAILURE, truth=truth))
            at += self._retry_ms
            if self._random.random() >= again:
                return login._replace(at_ms=at)

    def _misname(self, login: Attempt, out: list[Attempt]) -> Attempt:
        random = self._random.random
        population = self._setting.population
        exists = random() < self._numbers.wrong_name_exists
        right = login.account or ""
        if exists:
            name = population.account(int(random() * population.size))
        else:  # a digit left out: nobody's name, whatever the customer's was
            skipped = 1 + int(random() * (len(right) - 1))
            name = right[:skipped] + right[skipped + 1 :]
        wrong = login._replace(account=name, exists=exists)
        after = self._fail(wrong, _WRONG_NAME, self._numbers.wrong_name_again, out)
        return login._replace(at_ms=after.at_ms)

    def _go_stale(self, login: Attempt, customer: Customer) -> None:
        tries = self._numbers.stale_for // self._numbers.stale_every
        device = customer.device(0)
        first = login._replace(
            at_ms=login.at_ms + self._every_ms, outcome=FAILURE, truth=_STALE, device=device
        )
        self._replay(first, tries)

    def _replay(self, attempt: Attempt, left: int) -> None:
        heappush(self._stale, (attempt.at_ms, next(self._order), left, attempt))

    def _already_stale(self) -> None:
        """Devices that went stale in the 24 hours before the start, somewhere in their tries."""
        setting, numbers = self._setting, self._numbers
        random = self._random.random
        tries = numbers.stale_for // numbers.stale_every
        before = setting.start_ms - (numbers.stale_for // _MS)
        exact = numbers.good_per_day * setting.scale * self._mistakes * numbers.stale
        exact *= mean_between(before, setting.start_ms)
        for _ in range(int(exact + random())):
            customer = setting.population.customer(int(random() * setting.population.size))
            at = setting.start_ms + int(random() * self._every_ms)
            login = self._login(customer, at)
            if login.ip is not None:
                left = 1 + int(random() * tries)
                self._replay(login._replace(outcome=FAILURE, truth=_STALE), left)

    def _replays(self, end_ms: int, out: list[Attempt]) -> None:
        end = min(end_ms, self._setting.end_ms)
        while self._stale and self._stale[0][0] < end:
            at, _, left, attempt = heappop(self._stale)
            out.append(attempt)
            if left > 1:
                self._replay(attempt._replace(at_ms=at + self._every_ms), left - 1)


def _truth(kind: str) -> Truth:
    return Truth(profile="G", label="benign", campaign="", kind=kind)


_LOGIN = _truth("login")
_TYPO = _truth("typo")
_WRONG_PASSWORD = _truth("wrong_password")
_WRONG_NAME = _truth("wrong_name")
_FORGOTTEN = _truth("forgotten")
_STALE = _truth("stale")


def _expect(
    start_ms: int,
    duration_ms: int,
    failure_share: float | None,
    actions: bool = False,  # noqa: FBT001, FBT002 (an Expect)
    /,
) -> float:
    factor, forgotten = NUMBERS.mistakes(failure_share)
    a_login = 1 + factor * NUMBERS.failures_a_login + forgotten * NUMBERS.forgotten_tries
    a_login += actions * RATES.a_login * (1 - NUMBERS.by_phone)
    days = duration_ms / 86_400_000
    return NUMBERS.good_per_day * days * a_login * mean_between(start_ms, start_ms + duration_ms)


def _models(setting: Setting) -> Sequence[Model]:
    return (CustomerTraffic(setting),)


PROFILE = Profile(
    letter="G",
    title="customers only: market hours, typos, stale devices, CGNAT, households, weekly mobiles",
    duration=timedelta(days=1),
    endless=True,
    expect=_expect,
    models=_models,
)
