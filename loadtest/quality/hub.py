"""CrowdSec's own hub tests, judged by our detections under the peer's limits, one run a test.

    python -m loadtest.quality.hub FOLDER    # with tests.jsonl, events.jsonl, expected.jsonl

A leaky bucket of `capacity` C and `leak` L overflows when more than C + t/L attempts fall into a
time t. A window counts attempts in one t, so a bucket becomes points of that line:
C + 1 + k within (k + 1)L, with k = 0, C / 2 and C + 1. Whoever meets one overflows the bucket.
Buckets of failures go to `ip_fail_burst` (two points) and `ip_fail_daily` (a third); buckets of
distinct names to `ip_account_spray` (two). All others stay staged and do not count here.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from . import said
from .hub_tests import HubTest, read_tests
from .places import Named
from .trial import replay

_NEVER: Final = (1_000_000, 1_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a run of a test named."""

    test: HubTest
    named: frozenset[str] = field(default_factory=frozenset)

    @property
    def missed(self) -> frozenset[str]:
        """Addresses that must be named and were not."""
        return self.test.must - self.named

    @property
    def wrong(self) -> frozenset[str]:
        """Addresses that must not be named and were."""
        return self.test.must_not & self.named


def rules(test: HubTest) -> str:
    """The rules file of a test: the peer's limits in our words, everything else out of the way."""
    first, second, third = (*test.failures, _NEVER, _NEVER, _NEVER)[:3]
    spray, long = (test.names[0], test.names[-1]) if test.names else (_NEVER, _NEVER)
    entries = {
        "ip_fail_burst": {
            "failures": first[0],
            "window": first[1],
            "many_failures": second[0],
            "long_window": second[1],
        },
        "ip_fail_daily": {
            "failures": third[0],
            "window": third[1],
            "slow_failures": _NEVER[0],
        },
        "ip_account_spray": {
            "stuffed_accounts": long[0],
            "stuffed_tries": long[0],
            "stuffing_window": long[1],
            "sprayed_accounts": spray[0],
            "spray_window": spray[1],
            "long_accounts": _NEVER[0],
        },
    }
    return "".join(_entry(name, test, limits) for name, limits in entries.items())


def _entry(name: str, test: HubTest, limits: dict[str, int]) -> str:
    lines = [
        f"[{name}]",
        'mode = "live"',
        'owner = "quality"',
        f'reason = "limits of the hub test {test.name}"',
        f"[{name}.limits]",
    ]
    for key, value in limits.items():
        spans = key.endswith("window")
        lines.append(f'{key} = "{value}ms"' if spans else f"{key} = {value}")
    return "\n".join(lines) + "\n\n"


def run(test: HubTest, *, defaults: bool = False) -> Found:
    """Replay one test, under the peer's limits or with our defaults."""
    with tempfile.TemporaryDirectory(prefix="loginward-hub-") as name:
        folder = Path(name)
        events = folder / "events.jsonl"
        events.write_text(
            "".join(json.dumps(wire(number, one)) + "\n" for number, one in enumerate(test.events)),
            encoding="utf-8",
        )
        options: tuple[str, ...] = ()
        if not defaults:
            (folder / "rules.toml").write_text(rules(test), encoding="utf-8")
            options = ("--rules", str(folder / "rules.toml"))
        alerts = replay(folder, events, (), *options)["--alerts"]
        lines = said.read(alerts, None, None).alerts if alerts else []
    named = Named(
        name
        for alert in lines
        if alert.mode == "live"
        for name in (*alert.ips, alert.subject.value)
    )
    ips = {event["ip"] for event in test.events} - {None}
    return Found(test=test, named=frozenset(ip for ip in ips if ip in named))


def run_all(chosen: Sequence[HubTest], *, defaults: bool = False) -> Iterator[Found]:
    """All tests, two at a time, in their order."""
    with ThreadPoolExecutor(2) as pool:
        yield from pool.map(lambda test: run(test, defaults=defaults), chosen)


def wire(number: int, event: dict[str, Any]) -> dict[str, Any]:
    """An event of the test data as a record of `logins`."""
    made = {
        "schema": 1,
        "event_id": str(number),
        "occurred_at": event["ts"],
        "received_at": event["ts"],
        "system": "hub",
        "account": event["user"],
        "ip": event["ip"],
        "outcome": event["outcome"],
    }
    return made | ({} if event["reason"] is None else {"reason": event["reason"]})


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a line a test; 1 where an address was missed or named wrongly."""
    parser = argparse.ArgumentParser(prog="python -m loadtest.quality.hub", description=__doc__)
    parser.add_argument("folder", type=Path, help="with tests.jsonl, events.jsonl, expected.jsonl")
    parser.add_argument("--defaults", action="store_true", help="our own limits: a figure")
    asked = parser.parse_args(arguments)
    every = read_tests(asked.folder)
    graded = every if asked.defaults else [test for test in every if not test.other]
    found = list(run_all(graded, defaults=asked.defaults))
    for one in found:
        _say(f"{one.test.name}: {_outcome(one)}")
    for test in every:
        if test.other:
            _say(f"{test.name}: other: {test.other}")
        for ip, why in () if test.other else test.excused.items():
            _say(f"{test.name}: not graded: {ip}: {why}")
    must = sum(len(one.test.must) for one in found)
    missed = sum(len(one.missed) for one in found)
    wrong = sum(len(one.wrong) for one in found)
    _say(
        f"{len(found)} tests: {must - missed} of {must} addresses named, {wrong} named wrongly; "
        f"{sum(bool(test.other) for test in every)} tests are no leaky bucket on one address"
    )
    return 1 if missed or wrong else 0


def _outcome(found: Found) -> str:
    words = [f"{len(found.test.must - found.missed)} of {len(found.test.must)} named"]
    if found.missed:
        words.append("missed " + ", ".join(sorted(found.missed)))
    if found.wrong:
        words.append("wrongly named " + ", ".join(sorted(found.wrong)))
    return "; ".join(words)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main())
