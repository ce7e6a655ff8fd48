"""rules.toml is read typed and checked: every wrong value with file, line and a way out."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from config.errors import SettingsError
from config.rules import RuleBook, load_rules, told
from detectors.rule import ActiveRule
from detectors.rules import RULES, ip_fail_burst
from detectors.windows import LONGEST_QUIET_MS

BURST = '[ip_fail_burst]\nmode = "live"\nowner = "soc"\nreason = "why"\nquiet = "1h"\n'
LIMITS = "[ip_fail_burst.limits]\n"


def load(folder: Path, text: str, **options: Any) -> RuleBook:
    """The rule book of a file with this text."""
    path = folder / "my.toml"
    path.write_text(text)
    return load_rules(path, **options)


def burst_of(book: RuleBook) -> ActiveRule:
    """The detection that BURST is about."""
    [burst] = [active for active in book.active() if active.rule.id == "ip_fail_burst"]
    return burst


def problems(folder: Path, text: str) -> list[str]:
    """What is wrong with it, without the name of the file."""
    with pytest.raises(SettingsError) as caught:
        load(folder, text)
    return [
        str(problem).removeprefix(f"{folder / 'my.toml'}:") for problem in caught.value.problems
    ]


def test_our_own_file_sets_every_detection_live() -> None:
    """The file that comes along names every detection, its owner and its reason, and pages; but
    what no system is registered for, or no real journey was seen of, stays staged.
    """
    book = load_rules()

    assert set(book.entries) == {rule.id for rule in RULES}
    for rule_id, entry in book.entries.items():
        mode = "staged" if rule_id in ("single_factor_success", "impossible_travel") else "live"
        assert (entry.mode, entry.owner) == (mode, "soc")
        assert entry.reason.startswith("Item 1")


def test_what_the_file_says_is_in_force(tmp_path: Path) -> None:
    """Mode, quiet time and limits are the file's; what it leaves out has the code's default."""
    book = load(tmp_path, BURST + LIMITS + 'failures = 3\nlong_window = "1h"\n')

    burst = burst_of(book)

    assert (burst.mode, burst.quiet) == ("live", timedelta(hours=1))
    assert burst.limits == ip_fail_burst.Limits(failures=3, long_window=timedelta(hours=1))
    assert book.file == tmp_path / "my.toml"
    for other in book.active():
        assert other == burst or other.limits == other.rule.limits()


def test_a_detection_that_the_file_does_not_name_is_staged(tmp_path: Path) -> None:
    """An upgrade that brings a new detection pages nobody until somebody has decided so."""
    for book in (load(tmp_path, BURST), load(tmp_path, "")):
        unnamed = [active for active in book.active() if active.rule.id != "ip_fail_burst"]

        assert {active.mode for active in unnamed} == {"staged"}
        assert {active.quiet for active in unnamed} == {timedelta(milliseconds=LONGEST_QUIET_MS)}
    assert book.entries["ip_fail_daily"].owner == "nobody yet"


def test_another_limit_is_another_version_by_itself(tmp_path: Path) -> None:
    """Limits and quiet time stand in the version of each alert; mode, owner and reason do not."""
    standard = burst_of(load(tmp_path, BURST))

    def version(text: str) -> str:
        return burst_of(load(tmp_path, text)).version

    assert version(BURST) == standard.version
    assert version(BURST.replace("live", "staged").replace("why", "x")) == standard.version
    assert version(BURST + LIMITS + "failures = 10\n") == standard.version
    assert version(BURST + LIMITS + "failures = 11\n") != standard.version
    assert version(BURST.replace("1h", "2h")) != standard.version
    assert replace(standard, rule=replace(standard.rule, version=2)).version.startswith("2-")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "[ip_fail_brust]\n",
            "1 ip_fail_brust: is no detection; did you mean ip_fail_burst?",
            id="unknown detection",
        ),
        pytest.param(
            BURST + "[xyz]\n",
            f"6 xyz: is no detection; there are {', '.join(sorted(rule.id for rule in RULES))}",
            id="nothing near",
        ),
        pytest.param(
            BURST + LIMITS + "falures = 3\n",
            "7 ip_fail_burst.limits.falures: is no key here; did you mean failures?",
            id="unknown limit",
        ),
        pytest.param(
            BURST + "mod = 1\n",
            "6 ip_fail_burst.mod: is no key here; did you mean mode?",
            id="unknown key",
        ),
        pytest.param(
            BURST.replace('"live"', '"on"'),
            "2 ip_fail_burst.mode: 'on' is none of staged, live, off",
            id="mode",
        ),
        pytest.param(
            BURST.replace('"soc"', '""'), "3 ip_fail_burst.owner: '' is empty", id="owner"
        ),
        pytest.param(
            BURST.replace('"why"', "7"), "4 ip_fail_burst.reason: 7 is not a text", id="reason"
        ),
        pytest.param(
            BURST.replace("1h", "7h"),
            "5 ip_fail_burst.quiet: '7h' is not between 1s and 6h",
            id="quiet too long",
        ),
        pytest.param(
            BURST.replace("1h", "5mn"),
            "5 ip_fail_burst.quiet: '5mn' is not a duration; write",
            id="unit",
        ),
        pytest.param(
            BURST + LIMITS + "failures = 0\n",
            "7 ip_fail_burst.limits.failures: 0 is not between 1 and ",
            id="limit too small",
        ),
        pytest.param(
            BURST + LIMITS + 'failures = "10"\n',
            "7 ip_fail_burst.limits.failures: '10' is not a whole number",
            id="limit in quotes",
        ),
        pytest.param(
            BURST + LIMITS + 'window = "25h"\n',
            "7 ip_fail_burst.limits.window: '25h' is not between 1s and 1d",
            id="window longer than memory",
        ),
        pytest.param("ip_fail_burst = 7\n", "1 ip_fail_burst: is no table", id="no table"),
        pytest.param(
            BURST + "limits = 7\n", "6 ip_fail_burst.limits: is no table", id="limits no table"
        ),
    ],
)
def test_a_wrong_value_is_told_with_its_line(tmp_path: Path, text: str, expected: str) -> None:
    """Each refused at the line of its key, with the value and what may stand there."""
    (problem,) = problems(tmp_path, text)

    assert problem.startswith(expected)
    assert problem.isprintable()


def test_every_problem_is_told_in_one_pass(tmp_path: Path) -> None:
    """Whoever mends a file sees all of it at once."""
    text = '[xyz]\n[ip_fail_burst]\nmode = "on"\n[ip_fail_daily.limits]\nfailures = -1\n'

    found = problems(tmp_path, text)

    assert [problem.split(":")[0] for problem in found] == [
        "1 xyz",
        "3 ip_fail_burst.mode",
        "5 ip_fail_daily.limits.failures",
    ]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param(b"[ip_fail_burst\n", "not TOML: .*line 1", id="no TOML"),
        pytest.param(b"\xff\xfe", "my.toml", id="no text"),
        pytest.param(b"#" * 2_000_000, "my.toml", id="too large"),
    ],
)
def test_a_file_that_is_no_toml_is_told(tmp_path: Path, content: bytes, says: str) -> None:
    """A broken file is a sentence, not a traceback, and nothing is judged with defaults instead."""
    path = tmp_path / "my.toml"
    path.write_bytes(content)

    with pytest.raises(SettingsError, match=says):
        load_rules(path)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    """A mistyped --rules does not fall back to the standard limits."""
    with pytest.raises(SettingsError, match=r"gone\.toml"):
        load_rules(tmp_path / "gone.toml")


def test_hostile_names_are_escaped(tmp_path: Path) -> None:
    """A control sequence in a key reaches no terminal."""
    (problem,) = problems(tmp_path, '["\\u001b[31mred"]\n')

    assert problem.isprintable()


def test_limits_are_told_as_the_file_writes_them() -> None:
    """`rules show` and the record of what was in force read like rules.toml."""
    assert told(ip_fail_burst.Limits()) == {
        "failures": "10",
        "window": "2m",
        "many_failures": "20",
        "long_window": "10m",
    }


def test_a_limit_that_is_not_set_is_not_told() -> None:
    """An optional limit without a value does not stand there as `None`."""

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Limits:
        share: int | None = None
        names: int = 5

    assert told(Limits()) == {"names": "5"}
    assert asdict(Limits())["share"] is None
