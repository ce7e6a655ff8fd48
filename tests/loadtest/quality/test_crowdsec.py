"""Our CrowdSec says what the real one said, and does what its documentation says."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from loadtest.quality.crowdsec import SSH, CrowdSec, Leaky, TimeBased
from loadtest.quality.peers import PeerAlert

from ... import real_data

_SETS = (
    pytest.param("drillworkshop-auth", "drillworkshop-auth/events.jsonl", 142, id="drillworkshop"),
    pytest.param("loghub", "loghub/events.jsonl", 47, id="loghub"),
    pytest.param("loghub-linux", "loghub/events_linux.jsonl", 23, id="loghub-linux"),
    pytest.param("o365spray-otrf", "o365spray-otrf/events.jsonl", 4, id="o365spray"),
    pytest.param("zeek-ftp-bruteforce", "zeek-ftp-bruteforce/events.jsonl", 2, id="zeek-ftp"),
)

_LOST = {
    ("ssh-slow-bf_user-enum", "218.26.11.118", "2014-11-30T17:49:23Z"),
    ("ssh-bf", "67.205.20.23", "2014-12-01T08:42:36Z"),
}
"""Events that the real one lost on their way into a bucket whose predecessor was just dying."""


def _ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def _said(line: dict[str, Any]) -> tuple[Any, ...]:
    rule = line["scenario"].partition("/")[2]
    begun, ended = _ms(line["start"]), _ms(line["stop"])
    return rule, line["ips"][0], begun, ended, line["events_count"]


def _alerts(name: str, *, lost: bool) -> list[PeerAlert]:
    """What each scenario alone says about a set, with or without the events the real one lost."""
    found = []
    for scenario in SSH:
        peer = CrowdSec((scenario,))
        for line in real_data.lines(name):
            if lost and (scenario.name, line["ip"], line["ts"]) in _LOST:
                continue
            failed = line["outcome"] == "failure"
            found += peer.feed(_ms(line["ts"]), line["ip"], line["user"], failed=failed)
    return found


@pytest.mark.parametrize(("reference", "events", "count"), _SETS)
def test_the_same_alerts_as_the_real_one(reference: str, events: str, count: int) -> None:
    """Scenario, address, first and last moment and number of events are equal, alert by alert."""
    wanted = [_said(line) for line in real_data.lines(f"_crowdsec_reference/{reference}.jsonl")]

    assert sorted(_alerts(events, lost=True)) == sorted(wanted)
    assert len(wanted) == count


@pytest.mark.parametrize(("reference", "events", "count"), _SETS)
def test_without_its_losses_the_alerts_are_as_many(reference: str, events: str, count: int) -> None:
    """The two events that the real one lost change no alert but its first moment and its size."""
    wanted = [_said(line) for line in real_data.lines(f"_crowdsec_reference/{reference}.jsonl")]
    found = _alerts(events, lost=False)

    assert sorted(alert[:2] for alert in found) == sorted(line[:2] for line in wanted)
    assert len(set(found) ^ set(wanted)) <= 2 * len(_LOST)
    assert len(found) == count


def _fed(scenario: Leaky | TimeBased, *attempts: tuple[float, str, bool]) -> list[int]:
    """Seconds at which a scenario alerts on (second, account, failed)."""
    peer = CrowdSec((scenario,))
    return [
        alert.at_ms // 1000
        for second, account, failed in attempts
        for alert in peer.feed(round(second * 1000), "192.0.2.1", account, failed=failed)
    ]


_BF = Leaky(name="bf", capacity=5, leak_ms=10_000)
_ENUM = Leaky(name="enum", capacity=5, leak_ms=10_000, distinct=True)


@pytest.mark.parametrize(
    ("attempts", "alerts"),
    [
        pytest.param([(n, "a", True) for n in range(5)], [], id="five fit"),
        pytest.param([(n, "a", True) for n in range(6)], [5], id="the sixth overflows"),
        pytest.param([(n, "a", False) for n in range(6)], [], id="successes do not fill it"),
        pytest.param([(n * 10, "a", True) for n in range(90)], [], id="it leaks one in 10 s"),
        pytest.param(
            [(0, "a", True)] * 5 + [(10, "a", True)], [], id="exactly full is not too much"
        ),
        pytest.param([(n, "a", True) for n in range(12)], [5], id="the next is swallowed for 1 m"),
        pytest.param(
            [(n, "a", True) for n in range(6)] + [(65 + n / 10, "a", True) for n in range(6)],
            [5, 65],
            id="and told again after it",
        ),
    ],
)
def test_a_leaky_bucket(attempts: list[tuple[float, str, bool]], alerts: list[int]) -> None:
    """Capacity 5, one leaks each 10 s, one minute of silence after an alert."""
    assert _fed(_BF, *attempts) == alerts


def test_a_name_counts_once_a_bucket() -> None:
    """Six tries on one name are one, on six names they are too many."""
    assert _fed(_ENUM, *[(n, "a", True) for n in range(6)]) == []
    assert _fed(_ENUM, *[(n, f"a{n}", True) for n in range(6)]) == [5]


def test_four_failures_far_apart_and_no_success() -> None:
    """Gaps of eleven minutes alert at the fourth, of ten do not, and a success starts over."""
    far = [(n * 660, "a", True) for n in range(4)]

    assert _fed(TimeBased(name="slow"), *far) == [1980]
    assert _fed(TimeBased(name="slow"), *[(n * 600, "a", True) for n in range(9)]) == []
    assert _fed(TimeBased(name="slow"), *far[:3], (1400, "a", False), far[3]) == []


def test_buckets_of_addresses_long_gone_take_no_memory() -> None:
    """A botnet whose addresses come once leaves nothing behind."""
    peer = CrowdSec()
    for n in range(100_000):
        peer.feed(n * 1000, f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}", "a", failed=True)

    assert max(len(buckets) for buckets in peer._buckets) < 60_000
