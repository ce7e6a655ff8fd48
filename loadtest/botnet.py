"""Machines of a botnet in customers' networks: few attempts each, then the next machine.

An attack of known size uses `attempts / per_address` machines. Attempt number n comes from a
machine whose turn was up to a stay ago; so those used at all make `per_address` attempts on average
(by chance, as Poisson has it) within a stay, whatever the size of the run, and nothing is stored.
"""

from __future__ import annotations

import math
from random import Random
from typing import NamedTuple

from .agents import AMONG_100
from .mixing import mixed
from .population import HOME, MOBILE, OFFICE, Population
from .profile import Setting

ON_GATEWAY = 0.002
"""Machines behind a proxy or CGNAT that customers come from too: an assumption. Few: a broker's
customers know only some of a country's gateways; with 1 % such an address would see hundreds of
attempts a day in B, and any rule for addresses would have the campaign."""

AT_CUSTOMERS = 0.065
"""Machines in homes and offices of active customers: an assumption, such that of the addresses seen
in half a day 1 % are seen from customers as well (StopGuessing: 1 % of an attacker's addresses);
most customers do not log in on that day."""

NEW_DEVICE = 0.10
"""Attempts on a device that is never used again, as many as customers' (1 - 0.90 known)."""

_GATEWAYS = (HOME, MOBILE, OFFICE)


class Machine(NamedTuple):
    """One machine at the moment of an attempt; fields as in `Attempt`."""

    number: int
    ip: str
    network: int
    device: int
    agent: int
    shared: bool
    """Whether customers come from its address as well."""


class Botnet:
    """The machines of one campaign.

    `attempts` and `stay` are counted in attempts: how many the run has, and during how many a
    machine is in use (at most all of them, so a run that is shorter than a stay packs the same
    number into its own length).
    """

    def __init__(
        self, setting: Setting, salt: int, *, attempts: float, per_address: float, stay: float
    ) -> None:
        self._population: Population = setting.population
        self._seed = mixed(setting.seed, salt, 20)
        self._random = Random(mixed(setting.seed, salt, 21))
        self._attempts = max(1.0, attempts)
        self._stay = min(max(1.0, stay), self._attempts)
        self._turn = _turn(per_address)
        self._sent = 0

    def next(self, at_ms: int) -> Machine:
        """The machine of the next attempt."""
        back = self._random.random() * self._stay
        number = int((self._sent - back) % self._attempts / self._turn)
        self._sent += 1
        return self.machine(number, at_ms)

    def some(self, at_ms: int) -> Machine:
        """Any of the machines of the whole run."""
        return self.machine(int(self._random.random() * self._attempts / self._turn), at_ms)

    def machine(self, number: int, at_ms: int) -> Machine:
        """Machine `number` at a time; its device is a new one now and then."""
        bits = mixed(self._seed, number)
        shared = (bits & 0xFFFFF) / 0x100000 < ON_GATEWAY + AT_CUSTOMERS
        ip, network = self._where(bits, number, at_ms)
        new = self._random.random() < NEW_DEVICE
        device = bits ^ self._sent << 1 | 1 if new else bits & -2
        agent = AMONG_100[(bits >> 40 & 0xFFFF) % 100]
        return Machine(number, ip, network, device, agent, shared)

    def _where(self, bits: int, number: int, at_ms: int) -> tuple[str, int]:
        population = self._population
        chance = (bits & 0xFFFFF) / 0x100000
        if chance < ON_GATEWAY:
            place = _GATEWAYS[(bits >> 20) % len(_GATEWAYS)]
            return population.gateway(place, bits >> 24 & 0xFFFF)
        if chance < ON_GATEWAY + AT_CUSTOMERS:
            neighbour = population.active((bits >> 20 & 0xFFFFF) / 0x100000)
            if not population.behind_gateway(neighbour, neighbour.usual):
                return population.where(neighbour, neighbour.usual, at_ms)
        return population.lodger(number)


def _turn(per_address: float) -> float:
    """How many attempts a machine's turn lasts so that those used at all make `per_address`.

    Poisson with mean m, given at least one, has mean m / (1 - e^-m).
    """
    low, high = 1e-9, per_address
    for _ in range(60):
        middle = (low + high) / 2
        if middle / -math.expm1(-middle) < per_address:
            low = middle
        else:
            high = middle
    return high
