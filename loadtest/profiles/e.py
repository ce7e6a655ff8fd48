"""Profile E: a few chosen accounts, each tried from many addresses.

No source tells such an attack's numbers, so they are assumptions: 50 accounts a day, each for two
hours with up to 240 passwords, 2 a minute. An address is used 2.2 times (Shape, mean of all
campaigns). 20 % of the accounts are entered: of names that match, 4.5 to 20 % had the right
password (tomsguide.com 2012), and who chooses accounts knows more than a list. Then the tries on it
end. In the customers' hours, networks and programs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from random import Random

from loadtest.agents import AGENTS
from loadtest.attempts import Attempt, Model
from loadtest.botnet import Botnet
from loadtest.hours import spread
from loadtest.mixing import mixed
from loadtest.pending import Pending
from loadtest.profile import Profile, Setting
from loadtest.stuffing import Ends
from loadtest.thief import Thief

_MS = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Targeting:
    """The numbers of the attack; sources in the module's text."""

    accounts: int = 50
    duration: timedelta = timedelta(days=1)
    bout: timedelta = timedelta(hours=2)
    tries: int = 240
    entered: float = 0.20
    per_address: float = 2.2

    def chosen(self, duration_ms: int, scale: float) -> int:
        """Accounts in a run: in proportion, one at least."""
        return max(1, round(self.accounts * scale * duration_ms / (self.duration // _MS)))

    @property
    def tries_an_account(self) -> float:
        """On average: those entered are left alone afterwards."""
        return self.tries * (1 - self.entered / 2)


NUMBERS = Targeting()


class ChosenAccounts:
    """One bout an account, the bouts spread by the customers' hours."""

    def __init__(self, setting: Setting, numbers: Targeting = NUMBERS) -> None:
        self._setting, self._numbers = setting, numbers
        self._random = Random(mixed(setting.seed, ord("E")))
        count = numbers.chosen(setting.duration_ms, setting.scale)
        self._bout_ms = min(numbers.bout // _MS, max(1, setting.duration_ms // 2))
        begins = spread(self._random, setting.start_ms, setting.end_ms - self._bout_ms, count)
        self._bouts = [(at, which) for which, at in enumerate(begins)][::-1]
        attempts = count * numbers.tries_an_account
        # A machine is in use for a bout: those of one account at one time.
        stay = attempts * self._bout_ms / setting.duration_ms
        self._botnet = Botnet(
            setting, ord("E"), attempts=attempts, per_address=numbers.per_address, stay=stay
        )
        self._thief = Thief(setting, "E")
        self._ends = Ends(setting, "E", kind="targeted")
        self._pending = Pending()

    def until(self, end_ms: int) -> list[Attempt]:
        """The attempts before `end_ms` not given yet."""
        while self._bouts and self._bouts[-1][0] < end_ms:
            self._bout(*self._bouts.pop())
        return self._pending.due(min(end_ms, self._setting.end_ms)) + self._thief.until(end_ms)

    def _bout(self, start: int, which: int) -> None:
        random, numbers = self._random.random, self._numbers
        account = self._setting.population.listed(which)
        times = sorted(start + int(random() * self._bout_ms) for _ in range(numbers.tries))
        right = int(random() * numbers.tries) if random() < numbers.entered else -1
        for at in times[: right + 1] if right >= 0 else times:
            outcome, why = self._ends.of(right=right >= 0 and at == times[right])
            machine = self._botnet.next(at)
            system = self._setting.system(AGENTS[machine.agent].channel)
            attempt = Attempt(
                *(at, system, account, machine.ip, machine.network, outcome, True, why),
                machine.device,
                machine.agent,
            )
            self._pending.add([self._thief.took(attempt)])


def _expect(_start_ms: int, duration_ms: int, *_: object) -> float:
    return NUMBERS.chosen(duration_ms, 1.0) * NUMBERS.tries_an_account


def _models(setting: Setting) -> Sequence[Model]:
    return (ChosenAccounts(setting),)


PROFILE = Profile(
    letter="E",
    title="50 chosen accounts a day, 240 passwords each, from many addresses",
    duration=NUMBERS.duration,
    endless=False,
    expect=_expect,
    models=_models,
)
