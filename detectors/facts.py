"""What is known of one event: who its account is, and where its address lies.

Three can tell: the event itself, the directory of customers, and look-ups of the address. What the
event carries is known and wins; what nobody tells is None, "not known", and no verdict may come
from it (DESIGN.md 3). Each fact says who told it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final, Literal, Protocol, TypeVar

import msgspec

from .events import AccountClass, LoginEvent, Origin, milliseconds
from .indicators import NO_INDICATORS, Indicators
from .networks import NO_NETWORKS, NetworkKind, Networks

T = TypeVar("T")

Told = Literal["event", "directory", "geo", "networks", "intel", "not known"]
"""Who told a fact."""

_NON_CUSTOMER: Final = ("unknown", "closed")
"""An attempt on such an account is one on no (present) customer's (checklist item 14)."""


class Listed(msgspec.Struct, frozen=True):
    """What the directory says of an alias. `customer` is the same for all aliases of one customer
    (12 bytes, keyed); None where several customers share the alias.
    """

    account_class: AccountClass
    customer: bytes | None


class Place(msgspec.Struct, frozen=True):
    """What look-ups say of an address; None where they say nothing."""

    country: str | None = None
    asn: int | None = None
    as_name: str | None = None
    kinds: frozenset[NetworkKind] | None = None


NOWHERE: Final = Place()
_UNSAID: Final = Origin()
_LISTED: Final[frozenset[NetworkKind]] = frozenset({"listed"})


class Directory(Protocol):
    """Knows every alias of every customer."""

    def look_up(self, account: str) -> Listed | None:
        """What is listed for `account` as typed; None: there is no such alias."""
        ...


class Origins(Protocol):
    """Knows where addresses lie."""

    def look_up(self, address: str) -> Place:
        """Where `address` (canonical) lies."""
        ...


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one event; None is "not known", never "no"."""

    account_class: AccountClass | None = None
    account_class_from: Told = "not known"
    non_customer: bool = False
    """Known to be no (present) customer's; False also where nobody knows."""
    customer: bytes | None = None
    """Keyed number of the customer behind the account, by the directory alone."""
    address: str | None = None
    """The client's address; None also where the source saw only its own proxy's."""
    behind_proxy: bool = False
    country: str | None = None
    country_from: Told = "not known"
    asn: int | None = None
    asn_from: Told = "not known"
    as_name: str | None = None
    kinds: frozenset[NetworkKind] | None = None
    """Hosting, VPN and the like, or listed by threat intelligence; empty: asked, and nothing of the
    kind.
    """
    kinds_from: Told = "not known"
    two_factors: bool = False
    """Whether the register of core systems demands a second factor of its system."""


Joiner = Callable[[LoginEvent], Facts]
"""Gives the facts of an event, from whatever is in force."""


def says_non_customer(event: LoginEvent) -> bool:
    """Whether the event itself tells that its account is no (present) customer's."""
    return event.reason == "unknown_account" or event.account_class in _NON_CUSTOMER


def is_non_customer(event: LoginEvent, known: Facts | None) -> bool:
    """Whether an account is told to be no (present) customer's, by `known` or else the event."""
    return says_non_customer(event) if known is None else known.non_customer


def address_of(event: LoginEvent, known: Facts | None) -> str | None:
    """The client's address; None also where the source saw only its own proxy's."""
    return event.ip if known is None else known.address


def facts_of(
    event: LoginEvent,
    directory: Directory | None = None,
    origins: Origins | None = None,
    networks: Networks = NO_NETWORKS,
    indicators: Indicators = NO_INDICATORS,
    two_factors: Collection[str] = (),
) -> Facts:
    """The facts of `event`; without directory and look-ups, those that it carries itself.

    `two_factors`: the systems that demand a second factor.
    """
    account_class, class_from, customer = _who(event, directory)
    address = event.ip
    behind_proxy = address is not None and networks.is_proxy(event.emitter, address)
    if behind_proxy:
        address = None
    place = NOWHERE if origins is None or address is None else origins.look_up(address)
    said = event.origin or _UNSAID
    country, country_from = _first(said.country, place.country)
    asn, asn_from = _first(said.asn, place.asn)
    kinds, kinds_from = _kinds(asn, place, networks)
    if indicators and address is not None and _is_listed(address, event, indicators):
        kinds, kinds_from = (kinds or frozenset()) | _LISTED, "intel"
    return Facts(
        account_class=account_class,
        account_class_from=class_from,
        non_customer=event.reason == "unknown_account" or account_class in _NON_CUSTOMER,
        customer=customer,
        address=address,
        behind_proxy=behind_proxy,
        country=country,
        country_from=country_from,
        asn=asn,
        asn_from=asn_from,
        as_name=place.as_name if asn == place.asn else None,
        kinds=kinds,
        kinds_from=kinds_from,
        two_factors=event.system in two_factors,
    )


def _is_listed(address: str, event: LoginEvent, indicators: Indicators) -> bool:
    """As of the login, not of its arrival: live and a replay a year later judge by the same."""
    # Hardly an address was ever named, so most logins' time is never asked.
    spans = indicators.spans(address)
    return bool(spans) and indicators.listed(address, milliseconds(event.judged_at))


def _who(
    event: LoginEvent, directory: Directory | None
) -> tuple[AccountClass | None, Told, bytes | None]:
    listed = None
    if directory is not None and event.account is not None:
        listed = directory.look_up(event.account)
    customer = None if listed is None else listed.customer
    if event.account_class is not None:
        return event.account_class, "event", customer
    if event.reason == "unknown_account":
        return "unknown", "event", customer
    if directory is None or event.account is None:
        return None, "not known", None
    # An alias in no list is known to be nobody's: the directory holds every alias there is.
    return ("unknown" if listed is None else listed.account_class), "directory", customer


def _first(said: T | None, looked_up: T | None) -> tuple[T | None, Told]:
    if said is not None:
        return said, "event"
    return looked_up, "not known" if looked_up is None else "geo"


def _kinds(
    asn: int | None, place: Place, networks: Networks
) -> tuple[frozenset[NetworkKind] | None, Told]:
    """By the list of AS numbers and by look-up: what either says is so."""
    listed = None if asn is None else networks.kinds_of(asn)
    if listed is None:
        return place.kinds, "not known" if place.kinds is None else "geo"
    if place.kinds is None or place.kinds <= listed:
        return listed, "networks"
    return listed | place.kinds, "geo"
