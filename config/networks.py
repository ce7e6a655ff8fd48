"""The list of networks: hosting, VPN and the like by AS number, and trusted proxies by source."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from detectors.events import Name
from detectors.networks import Network, NetworkKind, Networks

from .errors import Problem, SettingsError, shown
from .reading import parse_toml
from .toml_lines import KeyPath

DEFAULT = Path(__file__).with_name("networks.toml")

Asn = Annotated[int, msgspec.Meta(ge=1, le=4_294_967_295)]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=300)]


class AsnList(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """AS numbers of one kind, with where they come from and when that was read."""

    kind: NetworkKind | Literal["ordinary"]
    source: Text
    date: date
    numbers: Annotated[tuple[Asn, ...], msgspec.Meta(min_length=1)]


class ProxyList(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The proxies that stand before one source (or "*"), and who answers for the list."""

    source: Name
    networks: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    owner: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkFile:
    """One file as read."""

    path: Path
    asns: tuple[AsnList, ...]
    proxies: Mapping[str, tuple[Network, ...]]
    sha256: str


Entry = TypeVar("Entry", AsnList, ProxyList)


def load_networks(own: Path | None = None) -> Networks:
    """Our list with that of `own` (files.networks) added.

    Raises `SettingsError` with every problem found: file, line, value, way out.
    """
    files = [read_networks(DEFAULT)] + ([] if own is None else [read_networks(own)])
    kinds: dict[int, frozenset[NetworkKind]] = {}
    proxies: defaultdict[str, tuple[Network, ...]] = defaultdict(tuple)
    for file in files:
        kinds |= _kinds(file.asns)
        for source, networks in file.proxies.items():
            proxies[source] += networks
    version = hashlib.sha256("".join(file.sha256 for file in files).encode()).hexdigest()[:12]
    return Networks(kinds, proxies, version=version)


def _kinds(lists: tuple[AsnList, ...]) -> dict[int, frozenset[NetworkKind]]:
    kinds: defaultdict[int, set[NetworkKind]] = defaultdict(set)
    for entry in lists:
        for number in entry.numbers:
            kinds[number] |= set() if entry.kind == "ordinary" else {entry.kind}
    return {number: frozenset(of) for number, of in kinds.items()}


def read_networks(path: Path) -> NetworkFile:
    """One file alone. Raises `SettingsError` with every problem found."""
    content, lines = parse_toml(path)
    reader = _Reader(path, lines)
    for key in content.keys() - {"asns", "trusted_proxies"}:
        reader.wrong((key,), "is unknown; write [[asns]] or [[trusted_proxies]]")
    asns = reader.entries(content, "asns", AsnList)
    proxies: defaultdict[str, tuple[Network, ...]] = defaultdict(tuple)
    for at, entry in reader.entries(content, "trusted_proxies", ProxyList):
        proxies[entry.source] += reader.networks(at, entry)
    if reader.problems:
        raise SettingsError(reader.problems)
    return NetworkFile(
        path=path,
        asns=tuple(entry for _, entry in asns),
        proxies=proxies,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
    )


class _Reader:
    """Collects entries and what is wrong with them."""

    def __init__(self, path: Path, lines: Mapping[KeyPath, int]) -> None:
        self.problems: list[Problem] = []
        self._path = path
        self._lines = lines

    def entries(
        self, content: Mapping[str, Any], key: str, kind: type[Entry]
    ) -> list[tuple[int, Entry]]:
        """The entries [[key]] that are right, each with its number."""
        raw = content.get(key, [])
        if not isinstance(raw, list):
            self.wrong((key,), f"write [[{key}]], not [{key}]")
            return []
        found: list[tuple[int, Entry]] = []
        for at, entry in enumerate(raw):
            try:
                found.append((at, msgspec.convert(entry, kind)))
            except msgspec.ValidationError as failure:
                self.wrong((key, at), f"{failure}; config/networks.toml says what each key takes")
        return found

    def networks(self, at: int, entry: ProxyList) -> tuple[Network, ...]:
        """The networks of an entry; a whole Internet is no proxy."""
        found: list[Network] = []
        for text in entry.networks:
            try:
                network = ip_network(text.strip())
                if network.prefixlen == 0:
                    raise ValueError("it holds every address, so no client's would be known")
            except ValueError as failure:
                self.wrong(
                    ("trusted_proxies", at, "networks"),
                    f"{shown(text)}: {failure}; write 192.0.2.10 or 2001:db8:0:1::/64",
                )
            else:
                found.append(network)
        return tuple(found)

    def wrong(self, key: KeyPath, text: str) -> None:
        """Note a problem at the nearest line that is known."""
        known = (key[:end] for end in range(len(key), 0, -1) if key[:end] in self._lines)
        line = next((self._lines[path] for path in known), 1)
        self.problems.append(Problem(place=f"{self._path}:{line} {key[0]}", text=text))
