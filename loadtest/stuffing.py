"""A list of stolen names and passwords, tried from a botnet: profiles B, C and D."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from random import Random

from .agents import AGENTS
from .attempts import FAILURE, MFA_FAILED, SUCCESS, Attempt, Truth
from .botnet import Botnet, Machine
from .hours import Arrivals
from .mixing import mixed
from .networks import ABROAD
from .profile import Profile, Setting
from .rhythm import Volume
from .thief import Thief

_MS = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One campaign at scale 1; each number has its source in the profile's text."""

    letter: str
    volume: Volume
    per_address: float
    stay: timedelta
    """How long one machine is in use."""
    unknown: float
    """Share of names that belong to nobody."""
    success: float
    """Share of attempts with the right password."""
    agent: int | None = None
    """The one program of a botnet that does not disguise itself; None: those of customers."""
    abroad: bool = False
    """Whether its machines stand in other countries' homes; else in the customers' networks."""

    def profile(self, title: str, *, beside: float = 1.0) -> Profile:
        """The profile of this campaign alone."""
        return Profile(
            letter=self.letter,
            title=title,
            duration=self.volume.duration,
            endless=False,
            expect=lambda start, length, *_: self.volume.expected(start, length),
            models=lambda setting: (Stuffing(setting, self),),
            beside=beside,
        )

    def botnet(self, setting: Setting) -> Botnet:
        """Its machines in a run."""
        attempts = self.volume.expected(setting.start_ms, setting.duration_ms) * setting.scale
        in_use = attempts * (self.stay // _MS) / setting.duration_ms
        return Botnet(
            setting, ord(self.letter), attempts=attempts, per_address=self.per_address, stay=in_use
        )


class Ends:
    """What comes of an attempt in a thief's hands, and the truth about it."""

    def __init__(self, setting: Setting, letter: str, kind: str = "stuffing") -> None:
        self._factor = setting.second_factor
        self.failed = truth(letter, kind)
        self._takeover, self._hit = truth(letter, "takeover"), truth(letter, "hit")

    def of(self, *, right: bool) -> tuple[int, Truth]:
        """Outcome and truth: a right password gets in, or is stopped at the second factor."""
        if not right:
            return FAILURE, self.failed
        return (MFA_FAILED, self._hit) if self._factor else (SUCCESS, self._takeover)


def truth(letter: str, kind: str) -> Truth:
    """Of a profile's one campaign."""
    return Truth(profile=letter, label="attack", campaign=f"{letter}-1", kind=kind)


class Stuffing:
    """The attempts of one plan over the run: the list from top to bottom, each pair once."""

    def __init__(self, setting: Setting, plan: Plan) -> None:
        self._setting, self._plan = setting, plan
        seed = mixed(setting.seed, ord(plan.letter))
        self._random = Random(seed)
        self._arrivals = Arrivals(
            Random(mixed(seed, 1)),
            setting.start_ms,
            plan.volume.per_day(setting.start_ms) * setting.scale,
            plan.volume.level(setting.start_ms),
        )
        self._botnet = plan.botnet(setting)
        self._thief = Thief(setting, plan.letter)
        self._ends = Ends(setting, plan.letter)
        self._tried = 0

    def until(self, end_ms: int) -> list[Attempt]:
        """The attempts before `end_ms` not given yet."""
        times = self._arrivals.until(min(end_ms, self._setting.end_ms))
        return [self._attempt(at) for at in times] + self._thief.until(end_ms)

    def _attempt(self, at: int) -> Attempt:
        plan, population = self._plan, self._setting.population
        self._tried += 1
        chance = self._random.random()
        exists = chance >= plan.unknown
        account = population.listed(self._tried) if exists else population.nobody(self._tried)
        outcome, why = self._ends.of(right=chance >= 1 - plan.success)
        machine = self._machine(at)
        system = self._setting.system(AGENTS[machine.agent].channel)
        attempt = Attempt(
            *(at, system, account, machine.ip, machine.network, outcome, exists, why),
            machine.device,
            machine.agent,
        )
        return self._thief.took(attempt) if outcome == SUCCESS else attempt

    def _machine(self, at: int) -> Machine:
        plan, machine = self._plan, self._botnet.next(at)
        if plan.agent is not None:
            machine = machine._replace(agent=plan.agent)
        if plan.abroad and not machine.shared:
            network = ABROAD[machine.number % len(ABROAD)]
            address = network.v4(machine.number // len(ABROAD))
            machine = machine._replace(ip=address, network=network.at)
        return machine
