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

import msgspec

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


class Defaults(msgspec.Struct, frozen=True, kw_only=True):
    """All tests with our own limits: a figure and no grade."""

    must: int
    named: int
    wrong: int


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """How the hub's tests went. `others`: why a test or one of its addresses is not graded."""

    tests: int
    must: int
    missed: list[str]
    wrong: list[str]
    others: dict[str, str]
    defaults: Defaults | None


def measure(folder: Path, *, defaults: bool = True) -> Figures:
    """All tests of a folder under the peer's limits, and with our `defaults`."""
    every = read_tests(folder)
    found = list(run_all([test for test in every if not test.other]))
    return Figures(
        tests=len(found),
        must=sum(len(one.test.must) for one in found),
        missed=[f"{one.test.name} {ip}" for one in found for ip in sorted(one.missed)],
        wrong=[f"{one.test.name} {ip}" for one in found for ip in sorted(one.wrong)],
        others={test.name: test.other for test in every if test.other}
        | {f"{test.name} {ip}": why for test in every for ip, why in test.excused.items()},
        defaults=_with_defaults(every) if defaults else None,
    )


def _with_defaults(every: Sequence[HubTest]) -> Defaults:
    found = list(run_all(every, defaults=True))
    return Defaults(
        must=sum(len(one.test.must) for one in found),
        named=sum(len(one.test.must - one.missed) for one in found),
        wrong=sum(len(one.wrong) for one in found),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what was found; 1 where an address was missed or named wrongly."""
    parser = argparse.ArgumentParser(prog="python -m loadtest.quality.hub", description=__doc__)
    parser.add_argument("folder", type=Path, help="with tests.jsonl, events.jsonl, expected.jsonl")
    figures = measure(parser.parse_args(arguments).folder)
    sys.stdout.write("\n".join(told(figures)) + "\n")
    return 1 if figures.missed or figures.wrong else 0


def told(figures: Figures) -> Iterator[str]:
    """The figures as lines for people."""
    yield (
        f"{figures.tests} tests are leaky buckets on one address: "
        f"{figures.must - len(figures.missed)} of {figures.must} addresses that must be named are "
        f"named under the peer's limits, {len(figures.wrong)} that must not"
    )
    if ours := figures.defaults:
        yield (
            f"with our own limits, of all tests: {ours.named} of {ours.must}, and {ours.wrong} "
            "that must not"
        )
    yield from (f"missed: {one}" for one in figures.missed)
    yield from (f"named wrongly: {one}" for one in figures.wrong)
    yield from (f"not graded: {name}: {why}" for name, why in figures.others.items())


if __name__ == "__main__":
    sys.exit(main())
