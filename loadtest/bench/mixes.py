"""The streams that contenders read: how many addresses, how many failures, how skewed.

Sizes are those at which the peers were measured (320,000 events/s bare, 6,000 to 10,000 stock
Faust): a thousand events a second of event time, 250 bytes of JSON, 1,000,000 accounts.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from loadtest.agents import AMONG_100
from loadtest.attempts import FAILURE, SUCCESS, Attempt, Truth
from loadtest.delivery import Course, Deliveries
from loadtest.mixing import mixed
from loadtest.networks import FIXED_TW
from loadtest.population import Population
from loadtest.rendering import Renderer

ACCOUNTS = 1_000_000
PER_SECOND = 1_000
"""Events a second of event time."""

FIELDS = ("origin", "reason", "device_id")
_SYSTEM = "trading-web"
START_MS = 1_795_340_000_000
_UNKNOWN_SHARE = 0.3
"""Of failures, on names that belong to nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """One stream. With `skew` 2 a hundredth of the addresses makes a tenth of the events."""

    name: str
    title: str
    failures: float
    addresses: int
    skew: int = 1


MIXES = (
    Mix(
        name="normal",
        title="10 % failures, 50,000 addresses",
        failures=0.10,
        addresses=50_000,
        skew=2,
    ),
    Mix(
        name="heavy",
        title="55 % failures (RBA data set), 50,000 addresses",
        failures=0.55,
        addresses=50_000,
        skew=2,
    ),
    Mix(
        name="attack",
        title="98 % failures, 1,000,000 addresses",
        failures=0.98,
        addresses=1_000_000,
    ),
    Mix(name="flood", title="failures of one address", failures=1.0, addresses=1),
)


class MixTraffic:
    """The attempts of a mix, evenly spaced in event time."""

    def __init__(self, mix: Mix, seed: int) -> None:
        self._mix = mix
        self._random = Random(mixed(seed, len(mix.name), mix.addresses))
        self._population = Population(seed, ACCOUNTS)
        self._sent = 0

    def until(self, end_ms: int) -> list[Attempt]:
        """The attempts before `end_ms` not given yet."""
        wanted = (end_ms - START_MS) * PER_SECOND // 1000
        first, self._sent = self._sent, wanted
        return [self._attempt(START_MS + n * 1000 // PER_SECOND) for n in range(first, wanted)]

    def _attempt(self, at_ms: int) -> Attempt:
        random, mix = self._random.random, self._mix
        number = int(mix.addresses * random() ** mix.skew)
        network = FIXED_TW[number & 1]
        outcome = FAILURE if random() < mix.failures else SUCCESS
        exists = outcome == SUCCESS or random() >= _UNKNOWN_SHARE
        chosen = int(random() * ACCOUNTS)
        name = self._population.account if exists else self._population.nobody
        agent = AMONG_100[number % 100]
        ip = network.v4(number >> 1)
        truth = _FAILED if outcome == FAILURE else _GOOD
        account, device = name(chosen), chosen * 4 + int(random() * 2)  # two devices a customer
        return Attempt(
            at_ms, _SYSTEM, account, ip, network.at, outcome, exists, truth, device, agent
        )


_GOOD = Truth(profile="bench", label="benign", campaign="", kind="login")
_FAILED = Truth(profile="bench", label="benign", campaign="", kind="failure")


def stream(mix: Mix, events: int, seed: int = 1) -> Deliveries:
    """Exactly `events` events of a mix, without disorder."""
    duration_ms = events * 1000 // PER_SECOND + 1000
    course = Course(
        start_ms=START_MS,
        duration_ms=duration_ms,
        per_second=PER_SECOND,
        seed=seed,
        run="bec0ffee",
        events=events,
    )
    return Deliveries([MixTraffic(mix, seed)], Renderer("bec0ffee", FIELDS), course)
