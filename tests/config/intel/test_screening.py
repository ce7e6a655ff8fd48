"""What many share, what is nobody's and what is our own never becomes an indicator."""

from __future__ import annotations

import json
from ipaddress import ip_network
from pathlib import Path

import pytest

from config.intel.feed import Feed
from config.intel.indicator import Indicator
from config.intel.screening import Ranges, Screen, screened
from config.intel.warning_lists import warning_lists
from detectors.errors import LoginwardError

OURS = Screen(
    own=Ranges([ip_network("203.0.113.64/26")]),
    lists=warning_lists(None),
    revoked=frozenset({"192.0.2.9/32"}),
    least_confidence=50,
)


@pytest.mark.parametrize(
    ("network", "reason"),
    [
        ("192.0.2.7/32", None),
        ("10.1.2.3/32", "private or reserved"),
        ("100.64.0.1/32", "private or reserved"),
        ("fe80::1/128", "private or reserved"),
        ("224.0.0.0/24", "private or reserved"),
        ("2002:c000:201::/48", "private or reserved"),
        ("0.0.0.0/0", "private or reserved"),
        ("198.0.0.0/15", "wider than a /16"),
        ("2a00::/31", "wider than a /32"),
        ("203.0.113.64/32", "our own (proxies, allow-list)"),
        ("203.0.113.0/24", "our own (proxies, allow-list)"),
        ("203.0.113.63/32", None),
        ("203.0.113.128/32", None),
        ("8.8.8.8/32", "on the warning list public DNS resolvers"),
        ("168.95.0.0/16", "on the warning list resolvers of Taiwan's carriers"),
        ("192.0.2.9/32", "revoked here before"),
    ],
)
def test_what_is_kept_out_and_why(network: str, reason: str | None) -> None:
    """A network is kept out as soon as one address of it is."""
    assert OURS.reason(Indicator(network=network)) == reason


def test_only_a_told_confidence_can_be_too_low() -> None:
    """Most sources do not say how sure they are."""
    assert OURS.reason(Indicator(network="192.0.2.7/32", confidence=50)) is None
    assert OURS.reason(Indicator(network="192.0.2.7/32", confidence=49)) == "confidence below 50"


def test_what_is_kept_out_is_listed_and_what_comes_twice_is_there_once() -> None:
    """A revocation passes whatever it is about: it only takes something away."""
    feed = Feed(format="text")
    feed.add("f:1", Indicator(network="192.0.2.7/32"))
    feed.add("f:2", Indicator(network="192.0.2.7/32"))
    feed.add("f:3", Indicator(network="10.0.0.1/32"))
    feed.add("f:4", Indicator(network="10.0.0.2/32", revoked=True, id="x"))

    found = screened(feed, OURS)

    assert [one.network for one in found.fit] == ["192.0.2.7/32", "10.0.0.2/32"]
    assert dict(found.skipped) == {"private or reserved": 1}
    assert found.noted.first == ["f:3: 10.0.0.1/32 is private or reserved"]


def test_misps_warning_lists_are_read_where_they_hold_addresses(tmp_path: Path) -> None:
    """As in the project's repository: lists/NAME/list.json; lists of hosts say nothing."""
    lists = {
        "carrier": {"name": "A carrier", "type": "cidr", "list": ["192.0.2.0/25", "x", 7]},
        "hosts": {"name": "Hosts", "type": "hostname", "list": ["a.example"]},
    }
    for name, content in lists.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "list.json").write_text(json.dumps(content))

    screen = Screen(lists=warning_lists(tmp_path))

    assert screen.reason(Indicator(network="192.0.2.7/32")) == "on the warning list A carrier"
    assert screen.reason(Indicator(network="192.0.2.128/32")) is None


@pytest.mark.parametrize("content", ["{", "[]", '{"list": 7}'])
def test_a_warning_list_that_is_none_is_refused(tmp_path: Path, content: str) -> None:
    """Or a damaged one would let in what it keeps out."""
    (tmp_path / "list.json").write_text(content)

    with pytest.raises(LoginwardError, match=r"list\.json"):
        warning_lists(tmp_path)
