"""`up`, `down`, `status` and `test` as a person or a build machine meets them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import typer

from loginward_cli.commands import test as the_command

pytestmark = pytest.mark.long

_ROOT = Path(__file__).resolve().parents[2]


def _loginward(home: Path, *args: str) -> tuple[int, str, str]:
    """Run the command line with a data folder of its own; give exit code, output, errors."""
    environ = {**os.environ, "PYTHONPATH": str(_ROOT), "LOGINWARD_HOME": str(home)}
    done = subprocess.run(
        [sys.executable, "-P", "-m", "loginward_cli", *args],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        env=environ,
    )
    return done.returncode, done.stdout, done.stderr


def _lives(pid: int) -> bool:
    """Tell it also where the first process is slow to bury the dead."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def test_up_status_down(tmp_path: Path) -> None:
    """The servers outlive `up`, are told by `status` and ended by `down`."""
    assert _loginward(tmp_path, "status")[0] == 1
    try:
        code, out, err = _loginward(tmp_path, "up", "--json")
        assert code == 0, err
        addresses = json.loads(out.splitlines()[-1])
        assert set(addresses) == {"KAFKA_BOOTSTRAP", "REDIS_URL"}

        code, out, _ = _loginward(tmp_path, "status", "--json")
        servers = json.loads(out)["servers"]
        assert code == 0
        assert [(s["name"], s["state"]) for s in servers] == [("valkey", "up"), ("kafka", "up")]
        assert servers[1]["address"] == addresses["KAFKA_BOOTSTRAP"]
    finally:
        code, out, _ = _loginward(tmp_path, "down")
    assert (code, out) == (0, "Stopped: valkey, kafka.\n")
    assert not any(_lives(server["pid"]) for server in servers)
    assert _loginward(tmp_path, "down")[1] == "Nothing was running.\n"


def test_up_tells_a_failure_in_words(tmp_path: Path) -> None:
    """What cannot be started is no traceback."""
    (tmp_path / "file").touch()

    code, out, err = _loginward(tmp_path, "up", "--data", str(tmp_path / "file/below"))

    assert (code, out) == (2, "")
    assert err.splitlines()[-1].endswith("Not a directory: choose another data folder")


_CORE = """
def judge(failures: int) -> str:
    if failures > 3:
        return "alert"
    return "quiet"
"""
_HALF = """
from detectors.rule import judge
def test_quiet() -> None:
    assert judge(1) == "quiet"
"""
_WHOLE = (
    _HALF
    + """
def test_alert() -> None:
    assert judge(4) == "alert"
"""
)
_SETTINGS = """
[tool.coverage.run]
branch = true
parallel = true
source = ["detectors"]
[tool.pytest.ini_options]
pythonpath = ["."]
testpaths = ["tests"]
"""


@pytest.mark.parametrize(
    ("tests", "code", "said"),
    [
        pytest.param(_WHOLE, 0, "100.0 % of branches", id="all covered"),
        pytest.param(_HALF, 1, "coverage: failed: at least 95 %", id="a branch not taken"),
        pytest.param(_HALF.replace("(1)", "(4)"), 1, "== core", id="a test that fails"),
        pytest.param("", 5, "== core", id="no test at all"),
    ],
)
def test_the_core_is_covered_or_the_run_fails(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    tests: str,
    code: int,
    said: str,
) -> None:
    """A branch of the core that its own tests do not take fails the run before the long tests."""
    for folder in ("detectors", "tests/detectors"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text(_SETTINGS, encoding="utf-8")
    (tmp_path / "detectors/__init__.py").touch()
    (tmp_path / "detectors/rule.py").write_text(_CORE, encoding="utf-8")
    (tmp_path / "tests/detectors/test_rule.py").write_text(tests, encoding="utf-8")
    monkeypatch.setattr(the_command, "ROOT", tmp_path)

    found = the_command._core()

    assert found == code
    assert said in capfd.readouterr().err


def test_a_check_that_fails_ends_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Nobody waits for the tests to learn of an unused import."""
    (tmp_path / "bad.py").write_text("import os\n", encoding="utf-8")
    monkeypatch.setattr(the_command, "ROOT", tmp_path)

    with pytest.raises(typer.Exit) as ended:
        the_command._step(*the_command._CHECKS[0])

    assert ended.value.exit_code == 1
    assert "F401" in capfd.readouterr().out


def test_arguments_go_to_pytest_alone() -> None:
    """`loginward test --co -q FILE` runs no other check and keeps pytest's exit code."""
    this = "tests/deploy/test_locks.py"

    code, out, err = _loginward(Path("unused"), "test", "--collect-only", "-q", this)

    assert (code, err) == (0, "")
    assert "test_the_locks_agree" in out
    assert _loginward(Path("unused"), "test", "-q", "-k", "no_such_test", this)[0] == 5
