"""Where an address lies, by MMDB files: country, AS number and name, and what kind of network.

Read are MaxMind's types (GeoIP2/GeoLite2 Country, City, ASN, Anonymous IP) and the flat schema of
`@ip-location-db` (`country_code`, `autonomous_system_number`); several files add to one another,
and of two that tell the same fact the first by name wins.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import maxminddb
from maxminddb import InvalidDatabaseError

from detectors.errors import LoginwardError, escaped
from detectors.facts import NOWHERE, Place
from detectors.networks import NetworkKind

_CACHED: Final = 65_536
"""Addresses whose place is remembered: logins come in bursts from the same ones."""
_MOST_FILES: Final = 16
_LARGEST_BYTES: Final = 1 << 30
"""A file is read into memory; the largest in the field (a City or an ISP file) has 150 MB."""
_COUNTRY = re.compile(r"[A-Z]{2}")
_LARGEST_ASN: Final = (1 << 32) - 1
_LONGEST_NAME: Final = 100
_KINDS: Final[Mapping[str, NetworkKind]] = {
    "is_hosting_provider": "hosting",
    "is_anonymous_vpn": "vpn",
    "is_tor_exit_node": "tor",
}
"""Fields of MaxMind's Anonymous IP file."""
_KINDS_FILE: Final = "Anonymous-IP"


@dataclass(frozen=True, slots=True, kw_only=True)
class GeoFile:
    """One open file: its type as it says itself, when it was made, and the hash of its bytes."""

    path: Path
    kind: str
    built_at: datetime
    sha256: str
    reader: maxminddb.Reader

    def place(self, address: str) -> Place:
        """What it tells of `address`. Raises InvalidDatabaseError where it is damaged there."""
        try:
            found = self.reader.get(address)
        except ValueError:
            return NOWHERE  # an IPv6 address, and a file of IPv4 alone
        told = found if isinstance(found, Mapping) else {}
        # This type lists only what it has something against; who is not in it is known as well.
        kinds = _kinds(told) if _KINDS_FILE in self.kind else None
        return Place(_country(told), _asn(told), _as_name(told), kinds)


class GeoData:
    """Open MMDB files. `broken` counts look-ups that a damaged file did not answer."""

    def __init__(self, files: Sequence[GeoFile]) -> None:
        self.files = tuple(files)
        self.version = hashlib.sha256("".join(f.sha256 for f in files).encode()).hexdigest()[:12]
        self.broken = 0
        self.look_up = lru_cache(maxsize=_CACHED)(self._look_up)

    def _look_up(self, address: str) -> Place:
        """Where `address` (canonical) lies; a fact is None where no file tells it."""
        place = NOWHERE
        for file in self.files:
            try:
                place = _joined(place, file.place(address))
            except InvalidDatabaseError:
                self.broken += 1
        return place


def open_geo(path: Path) -> GeoData | None:
    """The MMDB files in a folder, or one file; None where there are none.

    Raises LoginwardError where a file cannot be read or is no MMDB.
    """
    try:
        return _opened(path)
    except OSError as failure:
        raise LoginwardError(f"{failure.filename or path}: {failure.strerror}") from None


def _opened(path: Path) -> GeoData | None:
    files = geo_files(path)
    return GeoData([_file(file) for file in files]) if files else None


def geo_files(path: Path) -> list[Path]:
    """The MMDB files that `open_geo` would open, by name. Raises OSError or LoginwardError."""
    if not path.exists():
        return []
    files = sorted(path.glob("*.mmdb")) if path.is_dir() else [path]
    if len(files) > _MOST_FILES:
        raise LoginwardError(f"{path}: {len(files)} MMDB files; at most {_MOST_FILES} are read")
    return files


def _file(path: Path) -> GeoFile:
    data = _bytes(path)
    # The reader maps its file, and an updater that writes over it in place would crash us or,
    # worse, change facts in the middle of a batch. So it maps a copy that nobody else can reach.
    copy = os.memfd_create(path.name)
    try:
        with os.fdopen(copy, "wb", closefd=False) as out:
            out.write(data)
        reader = maxminddb.open_database(f"/proc/self/fd/{copy}")
        metadata = reader.metadata()
    except (InvalidDatabaseError, ValueError) as failure:
        raise LoginwardError(
            f"{path}: is no MMDB file: {escaped(str(failure), 200)}; fetch it again"
        ) from None
    finally:
        os.close(copy)
    return GeoFile(
        path=path,
        kind=escaped(metadata.database_type, 60),
        built_at=datetime.fromtimestamp(metadata.build_epoch, tz=UTC),
        sha256=hashlib.sha256(data).hexdigest(),
        reader=reader,
    )


def _bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        data = file.read(_LARGEST_BYTES + 1)
    if len(data) > _LARGEST_BYTES:
        raise LoginwardError(f"{path}: larger than 1 GiB; is it an MMDB file?")
    return data


def _joined(one: Place, other: Place) -> Place:
    """Both; where they tell the same fact, `one`. An AS keeps its own name."""
    named = one if one.asn is not None else other
    kinds = one.kinds if other.kinds is None else other.kinds | (one.kinds or frozenset())
    return Place(one.country or other.country, named.asn, named.as_name, kinds)


def _country(found: Mapping[str, Any]) -> str | None:
    """MaxMind: country.iso_code; flat: country_code. Where a network is registered is no place."""
    country = found.get("country")
    code = country.get("iso_code") if isinstance(country, Mapping) else found.get("country_code")
    return code if isinstance(code, str) and _COUNTRY.fullmatch(code) else None


def _asn(found: Mapping[str, Any]) -> int | None:
    number = found.get("autonomous_system_number")
    # 0 is reserved (RFC 7607): nobody's network.
    return number if isinstance(number, int) and 0 < number <= _LARGEST_ASN else None


def _as_name(found: Mapping[str, Any]) -> str | None:
    name = found.get("autonomous_system_organization")
    return escaped(name, _LONGEST_NAME) if isinstance(name, str) and name else None


def _kinds(found: Mapping[str, Any]) -> frozenset[NetworkKind]:
    return frozenset(kind for field, kind in _KINDS.items() if found.get(field) is True)
