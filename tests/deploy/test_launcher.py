"""./loginward sets itself up from the lock, whatever is interrupted, changed or run twice.

Each test has a checkout of its own with the real launcher and a lock of one small wheel made here,
so that pip really installs by hash, and no index is asked.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

_ROOT = Path(__file__).resolve().parents[2]
_MAIN = """
import importlib.metadata, os, sys
print(sys.argv[1:], importlib.metadata.version("tiny"), os.environ["PYTHONPATH"], os.getcwd())
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    """A small checkout with the real launcher."""

    root: Path
    wheels: Path

    def run(self, *args: str, cwd: Path | None = None, **environ: str) -> tuple[int, str, str]:
        """Run ./loginward; give exit code, standard output, standard error."""
        done = self.start([str(self.root / "loginward"), *args], cwd, **environ)
        out, err = done.communicate()
        return done.returncode, out, err

    def start(
        self, argv: Sequence[str], cwd: Path | None = None, **environ: str
    ) -> subprocess.Popen[str]:
        """Start a command where pip knows no index but the wheels made here."""
        clean = {"PATH": os.environ["PATH"], "HOME": str(self.root), "PIP_NO_INDEX": "1"}
        clean |= {"PIP_FIND_LINKS": str(self.wheels), "LOGINWARD_PYTHON": sys.executable}
        return subprocess.Popen(
            argv,
            cwd=cwd or self.root,
            env=clean | environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def lock(self, version: str, name: str = "run", sha256: str = "") -> None:
        """Write a lock of one wheel, and the wheel."""
        digest = sha256 or _wheel(self.wheels, version)
        text = f"tiny=={version} \\\n    --hash=sha256:{digest}\n"
        (self.root / f"requirements/{name}.lock").write_text(text, encoding="utf-8")


def _wheel(folder: Path, version: str) -> str:
    """Make a wheel that installs nothing but its name; give its SHA-256."""
    path = folder / f"tiny-{version}-py3-none-any.whl"
    info = f"tiny-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("tiny.py", "")
        wheel.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: tiny\nVersion: {version}\n"
        )
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(
            f"{info}/RECORD", f"tiny.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n"
        )
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """Make a checkout that is not set up yet."""
    return _make(tmp_path)


@pytest.fixture(scope="module")
def _prototype(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """Set one up for all: making an environment takes seconds, copying it does not."""
    made = _make(tmp_path_factory.mktemp("prototype"))
    assert made.run()[0] == 0
    return made


@pytest.fixture
def ready(checkout: Checkout, _prototype: Checkout) -> Checkout:
    """Make a checkout that is set up."""
    shutil.copytree(_prototype.root / ".venv", checkout.root / ".venv", symlinks=True)
    return checkout


def _make(tmp_path: Path) -> Checkout:
    made = Checkout(root=tmp_path / "check out", wheels=tmp_path / "wheels")
    for folder in (made.root / "deploy", made.root / "requirements", made.wheels):
        folder.mkdir(parents=True)
    shutil.copy(_ROOT / "loginward", made.root)
    shutil.copy(_ROOT / "deploy/environment.py", made.root / "deploy")
    (made.root / "loginward_cli").mkdir()
    (made.root / "loginward_cli/__init__.py").touch()
    (made.root / "loginward_cli/__main__.py").write_text(_MAIN, encoding="utf-8")
    made.lock("1.0")
    return made


def test_first_use_sets_up_and_later_uses_do_not(checkout: Checkout, tmp_path: Path) -> None:
    """From any folder, through a symbolic link, with the arguments as they are."""
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "loginward_cli").mkdir(parents=True)  # must not be taken for ours
    (elsewhere / "loginward_cli/__init__.py").write_text("1/0", encoding="utf-8")
    link = tmp_path / "link"
    link.symlink_to("check out/loginward")
    said = f"['a b', '-x'] 1.0 {checkout.root} {elsewhere}\n"

    first = checkout.start([str(link), "a b", "-x"], elsewhere)
    out, err = first.communicate()
    assert (first.returncode, out) == (0, said)
    assert "installing the 1 packages of requirements/run.lock" in err

    assert checkout.run("a b", "-x", cwd=elsewhere) == (0, said, "")


def test_a_changed_lock_is_installed(ready: Checkout) -> None:
    """The next use after an update of the checkout has the new packages."""
    ready.lock("2.0")

    assert ready.run()[1].startswith("[] 2.0 ")
    assert ready.run()[2] == ""


def test_test_installs_its_own_lock_on_top(ready: Checkout) -> None:
    """`loginward test` has what the tests need; other commands never wait for it."""
    ready.lock("3.0", name="dev")

    assert ready.run("doctor")[1].startswith("['doctor'] 1.0 ")
    assert ready.run("test")[1].startswith("['test'] 3.0 ")


@pytest.mark.parametrize("left", [".unfinished", "bin/python"])
def test_an_interrupted_set_up_is_made_anew(ready: Checkout, left: str) -> None:
    """Neither the sign of a set-up that did not end nor a Python that is gone is passed over."""
    broken = ready.root / ".venv" / left
    broken.unlink(missing_ok=True)
    if left == ".unfinished":
        broken.touch()
        (ready.root / ".venv/half").touch()
    else:
        broken.symlink_to("/nonexistent/python")

    code, out, err = ready.run()

    assert (code, out[:6]) == (0, "[] 1.0")
    assert "first use" in err
    assert not (ready.root / ".venv/half").exists()


def test_a_package_that_is_not_the_locked_one_is_refused(checkout: Checkout) -> None:
    """A wrong hash ends the set-up with pip's words."""
    checkout.lock("1.0", sha256="0" * 64)

    code, out, err = checkout.run()
    assert (code, out) == (2, "")
    assert "DO NOT MATCH THE HASHES" in err
    assert "Traceback" not in err
    assert (checkout.root / ".venv/.unfinished").exists()


def test_a_package_without_a_hash_is_refused(checkout: Checkout) -> None:
    """A lock that was written by hand does not get in."""
    (checkout.root / "requirements/run.lock").write_text("tiny==1.0\n", encoding="utf-8")

    code, _, err = checkout.run()

    assert code == 2
    assert "Hashes are required" in err


def test_two_at_once_take_turns(checkout: Checkout) -> None:
    """One sets up, the other waits for it; both then run."""
    script = str(checkout.root / "loginward")
    both = [checkout.start([script]) for _ in range(2)]
    ended = [(*process.communicate(), process.returncode) for process in both]

    assert [code for _, _, code in ended] == [0, 0]
    assert all(out.startswith("[] 1.0 ") for out, _, _ in ended)
    assert sum("first use" in err for _, err, _ in ended) == 1


def test_without_a_python_it_says_what_to_do(checkout: Checkout) -> None:
    """The message names what was looked for and the way out."""
    old = checkout.root / "old-python"
    old.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    old.chmod(0o755)

    code, out, err = checkout.run(LOGINWARD_PYTHON=str(old))

    assert (code, out) == (2, "")
    assert f"{old}: no Python 3.11 or newer" in err
    assert "LOGINWARD_PYTHON" in err


def test_without_ensurepip_it_says_what_to_do(checkout: Checkout) -> None:
    """Debian's Python lacks it until python3-venv is installed."""
    hide = "import runpy, sys; sys.modules['ensurepip'] = None; del sys.argv[:2]; "
    hide += "sys.argv.insert(0, sys.argv.pop(0)); runpy.run_path(sys.argv[0], run_name='__main__')"
    fake = checkout.wheels / "python"
    fake.write_text(
        f'#!/bin/sh\n[ "$1" = -c ] && exit 0\nexec {sys.executable} -c "{hide}" "$@"\n',
        encoding="utf-8",
    )
    fake.chmod(0o755)

    code, out, err = checkout.run(LOGINWARD_PYTHON=str(fake))

    assert (code, out) == (2, "")
    assert "has no ensurepip" in err
    assert "python3-venv" in err
