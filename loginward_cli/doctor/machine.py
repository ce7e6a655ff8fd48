"""What this machine brings: Python, names, disk, keys and who may read them."""

from __future__ import annotations

import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from ipaddress import ip_address
from pathlib import Path

from config.settings import Settings
from loginward_cli.home import OUR_PACKAGES

from .check import Check, Visit, finding, note, ok

_OLDEST_PYTHON = (3, 11)
_GIB = 1024**3
_LEAST_FREE_GIB = 5
"""One campaign at a US financial service was 11.8 million attempts (DETECTIONS.md 4.1): 3 GB at
250 bytes in Kafka, and the archive beside it."""
_LEAST_RETENTION_DAYS = 7
"""DESIGN.md 1: an outage of the pipeline over a long weekend loses nothing."""
_MADE_AT_FIRST_START = {"keys.pseudonym_key_file", "archive.key_file"}
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def machine(visit: Visit) -> Iterator[Check]:
    """Everything that can be asked without a server."""
    yield _python()
    yield _names()
    yield from _data_dir(visit.settings.data_dir)
    for code, path in _secrets(visit.settings).items():
        yield _secret(code, path)
    yield _transport(visit.settings)
    yield _retention(visit.settings)


def _python() -> Check:
    found = ".".join(str(part) for part in sys.version_info[:3])
    if sys.version_info[:2] < _OLDEST_PYTHON:
        return finding("python", f"Python {found}", "install Python 3.11 or newer")
    return ok("python", f"Python {found}")


def _names() -> Check:
    owners = packages_distributions()
    foreign = sorted(
        {f"{name} ({owner})" for name in OUR_PACKAGES for owner in owners.get(name, [])}
        - {f"{name} (loginward)" for name in OUR_PACKAGES}
    )
    if foreign:
        return finding(
            "names",
            f"another distribution holds names of ours: {', '.join(foreign)}",
            "give loginward a virtual environment of its own: ./loginward makes one",
        )
    return ok("names", "nobody else holds our package names")


def _data_dir(folder: Path) -> Iterator[Check]:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"x")
            file.flush()
            os.fsync(file.fileno())
    except OSError as failure:
        yield finding(
            "data_dir",
            f"{folder}: cannot be written: {failure.strerror}",
            "free its disk, change its owner, or set data_dir (LOGINWARD_HOME)",
        )
        return
    yield ok("data_dir", f"{folder}: can be written")
    if folder.stat().st_mode & stat.S_IRWXO:
        yield finding(
            "data_dir.mode",
            f"{folder}: open to every user of this machine",
            f"chmod o-rwx {folder}",
        )
    free = shutil.disk_usage(folder).free / _GIB
    if free < _LEAST_FREE_GIB:
        yield finding(
            "data_dir.free",
            f"{folder}: {free:.1f} GiB free, fewer than {_LEAST_FREE_GIB}",
            "free its disk, or set data_dir to a larger one",
        )
    else:
        yield ok("data_dir.free", f"{folder}: {free:.0f} GiB free")


def _secrets(settings: Settings) -> dict[str, Path]:
    """Every file that nobody else may read; the first two are made at first start."""
    files = {
        "keys.pseudonym_key_file": settings.keys.pseudonym_key_file,
        "archive.key_file": settings.archive.key_file,
        "kafka.sasl_password_file": settings.kafka.sasl_password_file,
        "kafka.ssl_keyfile": settings.kafka.ssl_keyfile,
        "redis.password_file": settings.redis.password_file,
    }
    return {code: path for code, path in files.items() if path is not None}


def _secret(code: str, path: Path) -> Check:
    try:
        found = path.stat()
    except FileNotFoundError:
        if code in _MADE_AT_FIRST_START:
            return note(code, f"{path}: not there yet; made at first start")
        return finding(code, f"{path}: not there", f"write it, or change {code}")
    except OSError as failure:
        return finding(code, f"{path}: {failure.strerror}", "let this user read it")
    if found.st_mode & _OTHERS:
        return finding(
            code,
            f"{path}: mode {stat.S_IMODE(found.st_mode):04o}, others may read it",
            f"chmod 600 {path}; if others have read it, take a new one",
        )
    if not (stat.S_ISREG(found.st_mode) and os.access(path, os.R_OK)):
        return finding(code, f"{path}: cannot be read", "let this user read it, and only it")
    return ok(code, f"{path}: there, for this user alone")


def _transport(settings: Settings) -> Check:
    """Raw accounts travel in `logins`; off this machine they need TLS."""
    kafka = settings.kafka
    hosts = [part.strip().rsplit(":", 1)[0].strip("[]") for part in kafka.bootstrap.split(",")]
    away = [host for host in hosts if not _is_loopback(host)]
    if away and not kafka.security_protocol.endswith("SSL"):
        return finding(
            "kafka.security_protocol",
            f"{kafka.security_protocol} to {', '.join(away)}: raw accounts travel in the clear",
            'set security_protocol = "SASL_SSL" (or "SSL") under [kafka]',
        )
    return ok("kafka.security_protocol", f"{kafka.security_protocol} to {', '.join(hosts)}")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _retention(settings: Settings) -> Check:
    days = settings.kafka.retention.total_seconds() / 86_400
    if days < _LEAST_RETENTION_DAYS:
        return finding(
            "kafka.retention",
            f"`logins` is kept for {days:.1f} days; a longer outage loses logins",
            'set retention = "7d" or more under [kafka]',
        )
    return ok("kafka.retention", f"`logins` is kept for {days:.0f} days")
