"""Makes the virtual environment beside the checkout from the locks; run by ./loginward.

Run as a script by any Python >= 3.11, with the standard library alone:
`environment.py ROOT LOCK...`. What was interrupted is made anew; two at once take turns.
"""

import fcntl
import filecmp
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_SAID_LINES = 12
_PACKAGE = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*==", re.MULTILINE)


class SetupError(Exception):
    """The environment cannot be made; the text says where, why and what to do."""


def main(root: Path, names: Sequence[str]) -> None:
    """Bring ROOT/.venv up to the locks named."""
    venv = root / ".venv"
    with _turn(root / "loginward"):
        wanted = [n for n in names if not _is_installed(venv, root / f"requirements/{n}.lock")]
        if wanted or not _is_whole(venv):
            _make(venv, [root / f"requirements/{name}.lock" for name in wanted or names])


def _is_whole(venv: Path) -> bool:
    # A link to a Python that is gone does not "exist".
    works = (venv / "bin/python").exists() and any(venv.glob("lib/python3*/site-packages/pip"))
    return works and not (venv / ".unfinished").exists()


def _is_installed(venv: Path, lock: Path) -> bool:
    copy = _copy(venv, lock)
    return _is_whole(venv) and copy.exists() and filecmp.cmp(lock, copy, shallow=False)


def _copy(venv: Path, lock: Path) -> Path:
    return venv / f"installed-{lock.name}"


def _make(venv: Path, locks: Sequence[Path]) -> None:
    started = time.monotonic()
    unfinished = venv / ".unfinished"
    if not _is_whole(venv):
        _create(venv)
    unfinished.touch()
    # The last lock holds all of the ones before it.
    _install(venv, locks[-1])
    for lock in locks:
        shutil.copyfile(lock, _copy(venv, lock))
    unfinished.unlink()
    _say(f"loginward: set up in {time.monotonic() - started:.0f} s")


def _create(venv: Path) -> None:
    try:
        import ensurepip  # noqa: F401, PLC0415 - Debian ships Python without it
        import venv as builder  # noqa: PLC0415
    except ImportError as error:
        raise SetupError(
            f"{sys.executable}: has no {error.name}: on Debian or Ubuntu `apt install "
            f"python3-venv`, or name another Python in LOGINWARD_PYTHON"
        ) from error
    _say(f"loginward: first use: making {venv} with Python {sys.version.split()[0]}")
    # An unfinished one may hold half a package that pip would take for a whole one.
    builder.create(venv, clear=True, with_pip=False, symlinks=True)
    (venv / ".unfinished").touch()
    _run([str(venv / "bin/python"), "-I", "-m", "ensurepip", "--default-pip"], "ensurepip")


def _install(venv: Path, lock: Path) -> None:
    total = len(_PACKAGE.findall(lock.read_text(encoding="utf-8")))
    _say(f"loginward: installing the {total} packages of requirements/{lock.name}")
    pip = [str(venv / "bin/python"), "-I", "-m", "pip", "--disable-pip-version-check"]
    # Wheels only: building a source package would fetch build tools that no lock names.
    options = ["--require-hashes", "--only-binary=:all:", "--no-deps", "--progress-bar=off"]
    _run([*pip, "install", *options, "-r", str(lock)], "pip", total)
    _clear_line()


def _run(argv: Sequence[str], what: str, total: int = 0) -> None:
    environ = {**os.environ, "PIP_USER": "0", "PIP_NO_COLOR": "1", "PYTHONIOENCODING": "utf-8"}
    said: list[str] = []
    done = 0
    with subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environ,
        encoding="utf-8",
        errors="backslashreplace",
    ) as running:
        for line in running.stdout or ():
            said.append(line.rstrip())
            if line.startswith(("Collecting ", "Requirement already satisfied: ")):
                done += 1
                _show(f"  {done} of {total}: {_name(line)}")
            elif line.startswith("Installing collected packages"):
                _show(f"  unpacking {total} packages")
    if running.returncode:
        _clear_line()
        raise SetupError(_failure(what, running.returncode, said))


def _failure(what: str, code: int, said: Sequence[str]) -> str:
    shown = "\n".join(f"  | {line[:300]}" for line in said[-_SAID_LINES:])
    return (
        f"{what}: failed with exit code {code}:\n{shown}\n"
        "Check the network and the free space, then run the same command again."
    )


def _name(line: str) -> str:
    return line.removeprefix("Collecting ").rpartition(": ")[2].partition("==")[0].strip()[:60]


def _show(text: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[K{text}")
        sys.stderr.flush()


def _clear_line() -> None:
    _show("")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - a script


@contextmanager
def _turn(lock: Path) -> Iterator[None]:
    with lock.open(encoding="utf-8") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("loginward: waiting for another set-up of the same folder")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), sys.argv[2:])
    except SetupError as problem:
        _say(f"loginward: {problem}")
        sys.exit(2)
    except OSError as problem:
        _say(f"loginward: {problem.filename}: {problem.strerror}: is the folder writable?")
        sys.exit(2)
    except KeyboardInterrupt:
        _say("\nloginward: interrupted; the next use starts the set-up again")
        sys.exit(130)
