"""Kafka's jars: pinned by name, version and SHA-256, fetched once, checked at every start."""

import hashlib
import tempfile
import tomllib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from .cache import cache_dir, only_one
from .errors import StackError
from .maven import fetch_artifact, maven
from .progress import Progress, Silent

MANIFEST = Path(__file__).with_name("jars.toml")
_PARALLEL = 4  # fetches at a time
_ATTEMPTS = 3  # a jar


class Jar(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One pinned file of Maven Central."""

    coordinate: str  # group:artifact:version
    sha256: str
    bytes: int

    @property
    def file_name(self) -> str:
        """Give the name that Maven gives the file."""
        _group, artifact, version = self.coordinate.split(":")
        return f"{artifact}-{version}.jar"


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that Kafka of one version is started with."""

    kafka_version: str
    jar: tuple[Jar, ...]


def read_manifest(path: Path = MANIFEST) -> Manifest:
    """Read the manifest.

    Raises:
        StackError: it is not what `deploy.embedded.pin_jars` writes.
    """
    try:
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Manifest)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise StackError(
            f"{path}: {error}: write it anew with python -m deploy.embedded.pin_jars"
        ) from error


def class_path(
    manifest: Manifest, *, cache: Path | None = None, progress: Progress | None = None
) -> Sequence[Path]:
    """Give the jars, fetched where missing. Without any missing, no network is touched.

    Raises:
        StackError: a jar cannot be fetched, or one is not the pinned one.
    """
    folder = (cache or cache_dir()) / "jars"
    with only_one(folder / ".lock"):
        missing = [jar for jar in manifest.jar if not (folder / jar.file_name).exists()]
        if missing:
            _fetch(missing, folder, progress or Silent())
    paths = [folder / jar.file_name for jar in manifest.jar]
    for jar, path in zip(manifest.jar, paths, strict=True):
        _check(jar, path)
    return paths


def _fetch(jars: Sequence[Jar], folder: Path, progress: Progress) -> None:
    total = sum(jar.bytes for jar in jars)
    # A file appears in the folder whole and checked, or not at all.
    with (
        tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder) as scratch,
        progress.fetching(f"Fetching Kafka: {len(jars)} jars", total) as came,
        ThreadPoolExecutor(_PARALLEL) as pool,
    ):
        context = maven(Path(scratch), partial(_counted, came))
        for jar, path in zip(jars, pool.map(partial(_fetch_one, context), jars), strict=True):
            path.replace(folder / jar.file_name)


@contextmanager
def _counted(
    came: Callable[[int], None], _name: str, _size: int
) -> Iterator[Callable[[int], None]]:
    yield came


def _fetch_one(context: Any, jar: Jar) -> Path:
    path = fetch_artifact(context, jar.coordinate, attempts=_ATTEMPTS)
    _check(jar, path)
    return path


def _check(jar: Jar, path: Path) -> None:
    with path.open("rb") as handle:
        found = hashlib.file_digest(handle, "sha256").hexdigest()
    if found != jar.sha256:
        raise StackError(
            f"{path}: not the pinned {jar.coordinate}: SHA-256 is {found}, jars.toml says "
            f"{jar.sha256}: delete the file to fetch it again; should that fail too, what "
            "serves it does not serve the original"
        )
