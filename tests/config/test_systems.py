"""The register says who must be heard from, and refuses what it cannot mean."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from config.errors import SettingsError
from config.systems import load_systems

ENTRY = (
    '[[system]]\nname = "web"\nowner = "Team"\nchannels = ["web"]\nsources = ["web"]\n'
    'silent_after = "5m"\nfrom = 2026-01-01\n'
)


def _problems(folder: Path, text: str) -> list[str]:
    path = folder / "systems.toml"
    path.write_text(text)
    with pytest.raises(SettingsError) as caught:
        load_systems(path)
    return [str(problem).removeprefix(f"{path}:") for problem in caught.value.problems]


def test_our_own_register_loads() -> None:
    """The file that comes along is a valid example."""
    register = load_systems()

    assert {"trading-web", "trading-app"} <= {system.name for system in register.systems}


def test_a_system_serves_from_its_first_to_its_last_day(tmp_path: Path) -> None:
    """Both days belong to the service."""
    path = tmp_path / "systems.toml"
    path.write_text(ENTRY + "until = 2026-06-30\n")
    register = load_systems(path)

    served = [
        bool(register.serving(day))
        for day in (date(2025, 12, 31), date(2026, 1, 1), date(2026, 6, 30), date(2026, 7, 1))
    ]

    assert served == [False, True, True, False]


def test_strangers_are_named_and_our_canary_is_not(tmp_path: Path) -> None:
    """A system that is heard without an entry is named once; `_canary` is our own."""
    path = tmp_path / "systems.toml"
    path.write_text(ENTRY)

    heard = ["web", "fax", "_canary", "fax"]

    assert load_systems(path).unregistered(heard, date(2026, 2, 1)) == ("fax",)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param(
            ENTRY.replace('["web"]', '["fax"]', 1), "4 system.channels: ['fax']: ", id="channel"
        ),
        pytest.param(ENTRY + "foo = 1\n", "8 system.foo: ", id="unknown key"),
        pytest.param(ENTRY.replace("5m", "5mn"), "6 system.silent_after: '5mn': ", id="unit"),
        pytest.param(ENTRY.replace("5m", "5\\u001b"), "6 system.silent_after: ", id="control"),
        pytest.param(ENTRY + "until = 2025-01-01\n", "8 system.until: ", id="ends too early"),
        pytest.param(ENTRY.replace('"web"', '"_x"', 1), "2 system.name: '_x': ", id="reserved"),
        pytest.param(ENTRY.replace("from = 2026-01-01\n", ""), "1 system: ", id="no from"),
        pytest.param("systems = 1\n", "1 systems: ", id="unknown table"),
        pytest.param(ENTRY + ENTRY, "8 system: 'web' is registered twice", id="twice"),
    ],
)
def test_a_wrong_entry_is_told_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    """Each wrong entry is refused at the line of its key."""
    (problem,) = _problems(tmp_path, text)

    assert problem.startswith(told)
    assert problem.isprintable()


def test_a_plain_table_is_refused(tmp_path: Path) -> None:
    """[system] instead of [[system]] is told as such."""
    path = tmp_path / "systems.toml"
    path.write_text(ENTRY.replace("[[system]]", "[system]"))

    with pytest.raises(SettingsError, match=r"write \[\[system\]\]"):
        load_systems(path)


def test_a_system_may_come_back(tmp_path: Path) -> None:
    """The same name twice is fine where the times do not overlap."""
    path = tmp_path / "systems.toml"
    path.write_text(ENTRY + "until = 2026-06-30\n" + ENTRY.replace("2026-01-01", "2026-07-01"))

    assert len(load_systems(path).systems) == 2
