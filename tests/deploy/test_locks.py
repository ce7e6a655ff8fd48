"""The locks hold what pyproject.toml names, every file by hash, and no index."""

import re
import tomllib
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[2]
_ENTRY = re.compile(r"^([a-z0-9-]+)==(\S+)(?: ; .*)?(?: \\)?$")
_HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}(?: \\)?$")


def _lock(name: str) -> dict[str, str]:
    """Give the versions of a lock, whose every line is a package or a hash of one."""
    found: dict[str, str] = {}
    hashes: dict[str, int] = {}
    current = ""
    for line in (_ROOT / f"requirements/{name}.lock").read_text(encoding="utf-8").splitlines():
        if match := _ENTRY.match(line):
            current, found[current] = match[1], match[2]
        else:
            assert _HASH.match(line), line
            hashes[current] = hashes.get(current, 0) + 1
    assert set(hashes) == set(found)
    return found


def _project(*extras: str) -> dict[str, str]:
    """Give the exact pins of pyproject.toml."""
    project = tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pins = list(project["dependencies"])
    for extra in extras:
        pins += project["optional-dependencies"][extra]
    return dict(pin.partition(";")[0].strip().split("==") for pin in pins)


@pytest.mark.parametrize(("lock", "extras"), [("run", ("embedded",)), ("dev", ("embedded", "dev"))])
def test_a_lock_holds_what_the_project_names(lock: str, extras: tuple[str, ...]) -> None:
    """Same names, same versions: else requirements/README.md says how to renew the lock."""
    assert _project(*extras).items() <= _lock(lock).items()


def test_the_locks_agree() -> None:
    """The tests run on the very packages that the pipeline runs on."""
    assert _lock("run").items() <= _lock("dev").items()
