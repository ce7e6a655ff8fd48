"""The checkout under test: its root, its packages, its tracked files, copies to break."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from loginward_cli.home import OUR_PACKAGES

ROOT = Path(__file__).resolve().parent.parent


def tracked_files() -> list[Path]:
    """Every file git knows, relative to the root; those deleted but not yet committed left out."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, timeout=60
    ).stdout
    files = [Path(name.decode()) for name in listed.split(b"\0") if name]
    return [file for file in files if (ROOT / file).is_file()]


def copy_checkout(to: Path) -> Path:
    """Our packages, pyproject.toml and the files a wheel needs, copied to `to`."""
    to.mkdir()
    ignore = shutil.ignore_patterns("__pycache__")
    for name in OUR_PACKAGES:
        shutil.copytree(ROOT / name, to / name, ignore=ignore)
    for name in ("pyproject.toml", "README.md", "LICENSE", "NOTICE"):
        shutil.copy(ROOT / name, to / name)
    return to
