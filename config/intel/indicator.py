"""An address or network that a source calls bad, as every format gives it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from ipaddress import IPv6Network, ip_network
from typing import Annotated, Final, Literal, get_args

import msgspec

from detectors.addresses import canonical
from detectors.errors import LoginwardError, escaped
from detectors.networks import Network

Tlp = Literal["clear", "green", "amber", "amber+strict", "red"]
"""FIRST's Traffic Light Protocol 2.0, who may be told; `white` of version 1 is `clear`."""

TLPS: Final[tuple[Tlp, ...]] = get_args(Tlp)
_RENAMED: Final = {"white": "clear"}

LONGEST_ADDRESS: Final = 64
LONGEST_NAME: Final = 200
_DOTS: Final = re.compile(r"\[\.\]|\(\.\)|\[dot\]", re.IGNORECASE)
_COLONS: Final = re.compile(r"\[:\]")
_MAPPED: Final = IPv6Network("::ffff:0:0/96")

Name = Annotated[str, msgspec.Meta(max_length=LONGEST_NAME + 50)]


class Indicator(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One network of a bulletin. What the source does not say is None (or empty).

    `id` is how the source itself names it: a later one of the same id, by `modified`, takes the
    place of this one. `confidence` 0 to 100.
    """

    network: Annotated[str, msgspec.Meta(max_length=LONGEST_ADDRESS)]
    id: Name = ""
    name: Name = ""
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    confidence: int | None = None
    tlp: Tlp | None = None
    modified: datetime | None = None
    revoked: bool = False


def network_of(text: str) -> Network:
    """The network that is written, host bits cleared; `192[.]0[.]2[.]1` is read as it is meant.

    Raises LoginwardError: what is wrong, and the way out.
    """
    plain = text.strip()
    if len(plain) > LONGEST_ADDRESS:
        raise LoginwardError(f"'{escaped(plain, 60)}' is no address; write 203.0.113.7")
    plain = _COLONS.sub(":", _DOTS.sub(".", plain))
    try:
        if "/" not in plain:
            return ip_network(canonical(plain))
        network = ip_network(plain, strict=False)
    except ValueError:
        raise LoginwardError(
            f"'{escaped(text.strip(), 60)}' is no address; write 203.0.113.7, 203.0.113.0/24 or "
            "2001:db8::/64"
        ) from None
    if isinstance(network, IPv6Network) and network.subnet_of(_MAPPED):
        # The last four bytes are the IPv4 address.
        return ip_network(
            (network.network_address.packed[-4:], network.prefixlen - _MAPPED.prefixlen)
        )
    return network


def tlp_of(text: str) -> Tlp | None:
    """`TLP:AMBER`, `tlp:white` and the like; None where it is none."""
    said = text.strip().lower().removeprefix("tlp:").strip()
    said = _RENAMED.get(said, said)
    return next((tlp for tlp in TLPS if tlp == said), None)


def gravest(tlps: Iterable[Tlp | None]) -> Tlp | None:
    """The strictest of them; None where none says anything."""
    return max((tlp for tlp in tlps if tlp is not None), key=TLPS.index, default=None)


def named(text: object) -> str:
    """A name out of a feed, bounded and printable."""
    return escaped(text, LONGEST_NAME)[:LONGEST_NAME] if isinstance(text, str) else ""
