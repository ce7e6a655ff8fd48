"""Profile F: two weeks of probing that nobody notices, then a hundred takeovers in a day.

That low probing comes first is from the fintech case (DataDome 2025); that the botnet without a
spike is the most worrying, from a credit union (infosecurity-magazine.com). How much probing,
nobody tells: 9,700 tries, 29 an hour, which at 1.03 % right passwords for names that exist (272
million pairs at Microsoft, eweek.com) is what 100 good pairs cost. The probing itself enters
nowhere: which pairs are good was found out elsewhere (86 % of a financial institution's good pairs
had been seen in earlier attacks, mynetwatchman.com). That half of the accounts entered have been
probed is an assumption. An address is used 2.2 times (Shape) within a day. In the customers'
hours, networks and programs. A shorter run probes at the same rate for less long; the takeovers
come in its last fifteenth, as many as ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from random import Random

from loadtest.agents import AGENTS
from loadtest.attempts import SUCCESS, Attempt, Model
from loadtest.botnet import Botnet
from loadtest.hours import Arrivals, mean_between, spread
from loadtest.mixing import mixed
from loadtest.profile import Profile, Setting
from loadtest.stuffing import Ends
from loadtest.thief import Thief

_MS = timedelta(milliseconds=1)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Probing:
    """The numbers of the attack; sources in the module's text."""

    probes: int = 9_700
    probing: timedelta = timedelta(days=14)
    takeovers: int = 100
    harvest: timedelta = _DAY
    per_address: float = 2.2
    stay: timedelta = _DAY
    probed: float = 0.5

    @property
    def duration(self) -> timedelta:
        """Probing and takeovers."""
        return self.probing + self.harvest

    def probes_in(self, duration_ms: int) -> float:
        """Probes in a run at scale 1."""
        return self.probes * duration_ms / (self.duration // _MS)


NUMBERS = Probing()


class ProbingThenTakeovers:
    """First names are tried slowly, then known pairs are used."""

    def __init__(self, setting: Setting, numbers: Probing = NUMBERS) -> None:
        self._setting, self._numbers = setting, numbers
        seed = mixed(setting.seed, ord("F"))
        self._random = Random(seed)
        self._turn_ms = setting.start_ms + int(
            setting.duration_ms * (numbers.probing / numbers.duration)
        )
        probes = numbers.probes_in(setting.duration_ms) * setting.scale
        self._takeovers = max(1, round(numbers.takeovers * setting.scale))
        days = max(1, self._turn_ms - setting.start_ms) / 86_400_000
        level = mean_between(setting.start_ms, self._turn_ms)
        self._probes = Arrivals(Random(mixed(seed, 1)), setting.start_ms, probes / days / level)
        entries = spread(Random(mixed(seed, 2)), self._turn_ms, setting.end_ms, self._takeovers)
        self._entries = entries[::-1]
        attempts = probes + self._takeovers
        self._botnet = Botnet(
            setting,
            ord("F"),
            attempts=attempts,
            per_address=numbers.per_address,
            stay=attempts * min(1.0, (numbers.stay // _MS) / setting.duration_ms),
        )
        self._thief = Thief(setting, "F")
        self._ends = Ends(setting, "F", kind="probing")
        self._probed = self._entered = 0

    def until(self, end_ms: int) -> list[Attempt]:
        """The attempts before `end_ms` not given yet."""
        found = [
            self._attempt(at, self._next_probed(), right=False)
            for at in self._probes.until(min(end_ms, self._turn_ms))
        ]
        while self._entries and self._entries[-1] < end_ms:
            self._entered += 1
            found.append(self._attempt(self._entries.pop(), self._next_entered(), right=True))
        return found + self._thief.until(end_ms)

    def _next_probed(self) -> int:
        self._probed += 1
        return self._probed

    def _next_entered(self) -> int:
        """From the list's middle on among those probed, or from its end, not probed yet."""
        if self._random.random() < self._numbers.probed:
            return self._probed // 2 + self._entered
        return self._probed + self._takeovers + self._entered

    def _attempt(self, at: int, name: int, *, right: bool) -> Attempt:
        outcome, why = self._ends.of(right=right)
        machine = self._botnet.next(at)
        system = self._setting.system(AGENTS[machine.agent].channel)
        account = self._setting.population.listed(name)
        attempt = Attempt(
            *(at, system, account, machine.ip, machine.network, outcome, True, why),
            machine.device,
            machine.agent,
        )
        return self._thief.took(attempt) if outcome == SUCCESS else attempt


def _expect(_start_ms: int, duration_ms: int, *_: object) -> float:
    return NUMBERS.probes_in(duration_ms) + NUMBERS.takeovers


def _models(setting: Setting) -> Sequence[Model]:
    return (ProbingThenTakeovers(setting),)


PROFILE = Profile(
    letter="F",
    title="two weeks of probing, 29 an hour, then 100 takeovers in a day",
    duration=NUMBERS.duration,
    endless=False,
    expect=_expect,
    models=_models,
)
