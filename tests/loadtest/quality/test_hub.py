"""CrowdSec's hub tests under the peer's limits: who must be named is, who must not is not."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from config.rules import load_rules
from loadtest.quality import hub, spray
from loadtest.quality.hub_tests import Point, read_tests

from ... import real_data

pytestmark = pytest.mark.long

_HUB = "crowdsec-hub-tests"
_LEAKY = {
    "type": "leaky",
    "groupby": "evt.Meta.source_ip",
    "capacity": 5,
    "leakspeed": "10s",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A hub of one test: six failures of one address in five seconds, one of another."""
    return _hub(tmp_path, _LEAKY)


def _hub(path: Path, definition: dict[str, Any] | None, **test: Any) -> Path:
    ips = ["192.0.2.1"] * 6 + ["192.0.2.2"]
    events = [
        {
            "ts": f"2026-11-23T06:00:0{n}Z",
            "user": f"user{n}",
            "ip": ip,
            "outcome": "failure",
            "reason": None,
            "source": "crowdsec-hub:one",
        }
        for n, ip in enumerate(ips)
    ]
    said_of = {
        "test": "one",
        "must_detect_ips": ["192.0.2.1"],
        "must_not_detect_ips": ["192.0.2.2"],
        "scenarios": ["x/one"],
    }
    expected = {"test": "one", "scenario_def": definition, "authentic_login_test": True}
    files = {"events": events, "tests": [said_of | test], "expected": [expected]}
    for name, lines in files.items():
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (path / f"{name}.jsonl").write_text(text)
    return path


def test_a_bucket_becomes_windows_that_imply_it(folder: Path) -> None:
    """Capacity 5 and 10 s: 6 in 10 s, 8 in 30 s, 12 in 70 s; each is more than 5 + t / 10 s."""
    [test] = read_tests(folder)

    assert test.failures == (Point(6, 10_000), Point(8, 30_000), Point(12, 70_000))
    assert test.names == ()
    assert all(n > 5 + (window - 1) / 10_000 for n, window in test.failures)


def test_the_rules_file_is_one_that_replay_takes(folder: Path, tmp_path: Path) -> None:
    """All keys are known, within bounds, and say what the test's buckets say."""
    [test] = read_tests(folder)
    (tmp_path / "rules.toml").write_text(hub.rules(test))

    load_rules(tmp_path / "rules.toml")

    limits = tomllib.loads(hub.rules(test))["ip_fail_burst"]["limits"]
    assert (limits["failures"], limits["window"]) == (6, "10000ms")


@pytest.mark.parametrize("distinct", [None, "evt.Meta.username"])
def test_a_run_names_who_overflows_the_bucket(tmp_path: Path, distinct: str | None) -> None:
    """By attempts and by distinct names; with our defaults nobody of them."""
    [test] = read_tests(_hub(tmp_path, _LEAKY | ({"distinct": distinct} if distinct else {})))

    found = hub.run(test)

    assert found.missed | found.wrong == set()
    assert hub.run(test, defaults=True).named == set()


@pytest.mark.parametrize(
    ("definition", "test", "why"),
    [
        (_LEAKY | {"type": "trigger"}, {}, "scenario of type trigger"),
        (_LEAKY | {"groupby": "evt.Meta.target_user"}, {}, "buckets by evt.Meta.target_user"),
        (None, {}, "names no definition"),
        (_LEAKY, {"scenarios": []}, "tests a parser"),
        (_LEAKY, {"must_detect_ips": ["192.0.2.9"]}, "192.0.2.9, which no event carries"),
    ],
)
def test_what_is_no_leaky_bucket_on_one_address_is_named(
    tmp_path: Path, definition: dict[str, Any] | None, test: dict[str, Any], why: str
) -> None:
    """Each test that is not graded says why."""
    [made] = read_tests(_hub(tmp_path, definition, **test))

    assert why in made.other


def test_an_address_of_which_the_bucket_itself_says_otherwise_is_not_graded(
    tmp_path: Path,
) -> None:
    """A bucket of 10 does not overflow at 6, one of 0 overflows at 1: not what the test says."""
    slow, other = tmp_path / "slow", tmp_path / "other"
    slow.mkdir()
    other.mkdir()

    [quiet] = read_tests(_hub(slow, _LEAKY | {"capacity": 10}))
    [loud] = read_tests(_hub(other, _LEAKY | {"capacity": 0}))

    assert set(quiet.excused) == {"192.0.2.1"}
    assert set(loud.excused) == {"192.0.2.2"}
    assert quiet.must | loud.must_not == set()


@pytest.mark.timeout(900)  # 68 processes one after another; minutes on a busy machine
def test_the_hub_under_its_own_limits() -> None:
    """92 addresses of 68 tests are named, none that its test must not name."""
    real_data.lines(f"{_HUB}/tests.jsonl")

    figures = hub.measure(real_data.FOLDER / _HUB, defaults=False)

    assert (figures.missed, figures.wrong) == ([], [])
    assert (figures.tests, figures.must, len(figures.others)) == (68, 92, 23)
    assert f"{figures.must} of {figures.must} addresses" in next(hub.told(figures))


def test_the_account_that_a_spray_hit_is_named() -> None:
    """o365spray: a success between failures; the bucket names the address, we the account."""
    real_data.lines(f"{spray.FOLDER}/events.jsonl")

    found = spray.measure(real_data.FOLDER / _HUB)

    assert found is not None
    assert found.named == found.hit == ["Henrietta@contoso.onmicrosoft.com"]
    assert "1 account, 1 of them" in spray.told(found)


def test_where_no_spray_lies_none_is_measured(tmp_path: Path) -> None:
    """Not measured is something else than not found."""
    assert spray.measure(tmp_path) is None
