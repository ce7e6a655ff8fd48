"""The check that our packages are ours: `config` or `stream` of a stranger must never be run."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from detectors.errors import LoginwardError

OUR_PACKAGES = (
    "archive",
    "config",
    "console",
    "deploy",
    "detectors",
    "loadtest",
    "loginward_cli",
    "notifier",
    "stream",
)


def check_home() -> Path:
    """The one folder all our packages come from.

    Generic names are taken by whoever installs them last: pip overwrites without a word, and a
    folder on sys.path wins silently. Raises LoginwardError with both paths where they differ.
    """
    home = Path(__file__).resolve().parent.parent
    for name in OUR_PACKAGES:
        spec = find_spec(name)
        if spec is None or spec.origin is None:
            raise LoginwardError(
                f"package {name}: not found beside {home}; install loginward again, alone in a "
                "virtual environment of its own"
            )
        found = Path(spec.origin).resolve().parent.parent
        if found != home:
            raise LoginwardError(
                f"package {name}: would come from {found}, not from {home}; another distribution "
                "took the name: run ./loginward, or use a virtual environment of its own"
            )
    return home
