"""The customers of a made-up broker, each a pure function of seed and number: nothing is stored."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from .agents import AMONG_100
from .mixing import mixed, scattered
from .networks import ABROAD, BUSINESS_TW, FIXED_TW, MOBILE_TW, VPN, Network

HOME, MOBILE, OFFICE, ELSEWHERE, ABROAD_OR_VPN = range(5)
"""The five places a customer logs in from ("<= 5 IPs a user", StopGuessing)."""

PLACES = 5

KNOWN_ADDRESS = 0.85
"""Share of logins from the usual place (StopGuessing)."""

BEHIND_SHARED = 0.20
"""Share of addresses that stand for a proxy or CGNAT (StopGuessing)."""

USERS_A_SHARED = 1000
"""Users behind one such address (StopGuessing)."""

IPV6_SHARE = 0.35
"""Homes and mobiles that come by IPv6: an assumption, no source."""

HOUSEHOLD = 2
"""Customers a household: an assumption; they share one IPv4 address or one /64."""

# 40 % at home, 45 % on the phone, 15 % at work: an assumption for an app-heavy broker.
_USUAL = (HOME,) * 8 + (MOBILE,) * 9 + (OFFICE,) * 3

OUTSIDERS = 256
"""Accounts beside the customers' that attackers opened in their own names."""

_WEEK_MS = 7 * 86_400_000
_DAY_MS = 86_400_000
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_NAME_BITS = 25
_UNKNOWN_FROM = 40_000_000  # above 2^25: names of nobody never meet names of customers


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """One customer: `usual` is the place most logins come from, `devices` how many there are,
    `traits` 64 bits of character.
    """

    number: int
    account: str
    usual: int
    agent: int
    devices: int
    traits: int

    def device(self, number: int) -> int:
        """One of the customer's own devices, as a number for `Attempt.device`."""
        return self.traits ^ number % self.devices


class Population:
    """`customers` customers under `seed`. Accounts have the shape of a national id (a letter and
    nine digits), with a 0 where every id ever issued has 1, 2, 8 or 9: nobody's name.
    """

    def __init__(self, seed: int, customers: int) -> None:
        self.size = customers
        self._seed = seed
        self._salt = mixed(seed, 1)
        self._traits = mixed(seed, 2)
        self._places = tuple(mixed(seed, 4, place) for place in range(PLACES))
        self._shared = max(1, round(customers * BEHIND_SHARED / USERS_A_SHARED))
        self.customer = lru_cache(maxsize=65_536)(self._customer)
        self.place = lru_cache(maxsize=131_072)(self._place)

    def account(self, number: int) -> str:
        """The account name of customer `number`, as the customer types it."""
        digits = scattered(number // 26, _NAME_BITS, self._salt)
        return f"{_LETTERS[number % 26]}0{digits:08d}"

    def nobody(self, number: int) -> str:
        """The `number`-th name that belongs to nobody: distinct up to 870 million."""
        digits = _UNKNOWN_FROM + scattered(number // 26, _NAME_BITS, self._salt)
        return f"{_LETTERS[number % 26]}0{digits:08d}"

    def listed(self, number: int) -> str:
        """The `number`-th name of a list of all customers in no order; after the last, again."""
        bits = max(1, (self.size - 1).bit_length())
        found = scattered(number % self.size, bits, self._salt)
        while found >= self.size:
            found = scattered(found, bits, self._salt)
        return self.account(found)

    def outsider(self, number: int) -> str:
        """The account of somebody who is a customer only to do harm: the `number`-th of
        OUTSIDERS, who log in where their profile says and nowhere else.
        """
        return self.account(self.size + number % OUTSIDERS)

    def active(self, fraction: float) -> Customer:
        """The customer at a fraction (0 to 1) of all logins. Squared: a hundredth of the
        customers, the day traders, makes a tenth of the logins.
        """
        return self.customer(int(self.size * fraction * fraction))

    def _customer(self, number: int) -> Customer:
        traits = mixed(self._traits + number)
        return Customer(
            number=number,
            account=self.account(number),
            usual=_USUAL[traits % len(_USUAL)],
            agent=AMONG_100[(traits >> 8 & 0xFFFF) % 100],
            devices=1 + (traits >> 24) % 3,
            traits=traits,
        )

    def where(self, customer: Customer, place: int, at_ms: int) -> tuple[str, int]:
        """Address and network (position in NETWORKS) of a customer's place at that time.

        Mobile addresses change weekly, the lower half of an IPv6 address at home daily (privacy
        extensions, RFC 8981) while its /64 stays; not for all customers at the same moment.
        """
        if place == MOBILE:
            week = (at_ms + customer.traits % _WEEK_MS) // _WEEK_MS
            return self.place(customer.number, place, week)
        if place == HOME:
            day = (at_ms + customer.traits % _DAY_MS) // _DAY_MS
            return self.place(customer.number, place, day)
        return self.place(customer.number, place, 0)

    def behind_gateway(self, customer: Customer, place: int) -> bool:
        """Whether a customer's place is behind a shared address."""
        return self._is_shared(self._place_bits(customer.number, place))

    def gateway(self, place: int, number: int) -> tuple[str, int]:
        """One of the shared addresses that a fifth of the customers sit behind."""
        return self._gateway(place, number % self._shared)

    def lodger(self, number: int) -> tuple[str, int]:
        """Where somebody lives who is no customer: networks, places and IPv6 in the customers'
        proportions, at home in a household of its own.
        """
        bits = mixed(self._seed, 7, number)
        place = _USUAL[bits % len(_USUAL)]
        if (bits >> 8 & 0xFFFF) >= KNOWN_ADDRESS * 0x10000:
            place = (place + 1 + (bits >> 24) % (PLACES - 1)) % PLACES
        stranger = self.size + OUTSIDERS + number * HOUSEHOLD
        # Customers behind a shared address come by IPv4.
        return self._own(stranger, place, 0, (1 - BEHIND_SHARED) * IPV6_SHARE)

    def _place_bits(self, number: int, place: int) -> int:
        return mixed(self._places[place] + (number // HOUSEHOLD if place == HOME else number))

    @staticmethod
    def _is_shared(bits: int) -> bool:
        return (bits >> 32 & 0xFFFF) < BEHIND_SHARED * 0x10000

    def _place(self, number: int, place: int, period: int) -> tuple[str, int]:
        bits = self._place_bits(number, place)
        if self._is_shared(bits):
            return self._gateway(place, (bits >> 8 & 0xFFFFFF) % self._shared)
        return self._own(number, place, period, IPV6_SHARE)

    def _own(self, number: int, place: int, period: int, six_share: float) -> tuple[str, int]:
        household = number // HOUSEHOLD
        bits = self._place_bits(number, place)
        six = (bits >> 48) < six_share * 0x10000
        if place == HOME:
            # One network for the odd, one for the even: no two households share an address.
            network = FIXED_TW[household & 1]
            if six:
                return network.v6(household, mixed(number, period)), network.at
            return network.v4(household >> 1), network.at
        network = _network(place, bits)
        if place == MOBILE:
            leased = mixed(self._seed, 6, number, period)
            if six:
                return network.v6(leased & 0xFFFFFFF, leased >> 32), network.at
            return network.v4(leased), network.at
        return network.v4(bits >> 8), network.at

    def _gateway(self, place: int, number: int) -> tuple[str, int]:
        bits = mixed(self._seed, 5, number, place)
        network = _network(place, bits)
        return network.v4(bits >> 8), network.at


def _network(place: int, bits: int) -> Network:
    if place == HOME:
        return FIXED_TW[bits & 1]
    if place == MOBILE:
        return MOBILE_TW[bits & 1]
    if place == OFFICE:
        return BUSINESS_TW
    if place == ELSEWHERE:
        return (FIXED_TW + MOBILE_TW)[bits & 3]
    # A third of the rest come by a VPN: such a network is not an attacker's alone.
    return VPN if bits % 3 == 0 else ABROAD[bits & 7]
