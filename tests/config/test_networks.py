"""The list of networks says what it knows and since when, and refuses what it cannot mean."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from config.errors import SettingsError
from config.networks import DEFAULT, load_networks, read_networks
from detectors.networks import Networks

LIST = 'kind = "{}"\nsource = "a list"\ndate = 2026-11-01\nnumbers = {}\n'
PROXY = '[[trusted_proxies]]\nsource = "{}"\nnetworks = {}\nowner = "Team"\n'


def own(folder: Path, text: str) -> Path:
    """A list of the user's own."""
    path = folder / "networks.toml"
    path.write_text(text)
    return path


def asns(kind: str, numbers: str) -> str:
    """One entry of AS numbers."""
    return "[[asns]]\n" + LIST.format(kind, numbers)


def test_our_own_list_loads_and_names_its_sources() -> None:
    """Every entry has source and date; no number stands twice under one kind; no proxies."""
    file = read_networks(DEFAULT)

    seen = [(entry.kind, number) for entry in file.asns for number in entry.numbers]
    assert len(seen) == len(set(seen)) > 100
    assert {kind for kind, _ in seen} == frozenset({"cloud", "hosting", "vpn", "tor", "relay"})
    assert all(date(2026, 1, 1) <= entry.date <= date(2026, 11, 22) for entry in file.asns)
    assert not file.proxies


def test_known_networks_are_of_their_kind() -> None:
    """Amazon is a cloud, M247 rents servers to VPNs, Chunghwa Telecom is an ordinary carrier."""
    networks = load_networks()

    assert networks.kinds_of(16509) == frozenset({"cloud"})
    assert networks.kinds_of(9009) == frozenset({"hosting", "vpn"})
    assert networks.kinds_of(3462) == frozenset()
    assert Networks().kinds_of(3462) is None


def test_a_list_of_ones_own_is_added(tmp_path: Path) -> None:
    """Its numbers replace ours, "ordinary" takes one off, its proxies count; all else stays."""
    path = own(
        tmp_path,
        asns("ordinary", "[16509]")
        + asns("vpn", "[14061]")
        + asns("tor", "[14061, 64496]")
        + PROXY.format("web", '["192.0.2.10", "2001:db8::/64"]')
        + PROXY.format("web", '["192.0.2.11"]')
        + PROXY.format("*", '["198.51.100.0/24"]'),
    )

    networks = load_networks(path)

    assert networks.kinds_of(16509) == frozenset()
    assert networks.kinds_of(14061) == frozenset({"vpn", "tor"})
    assert networks.kinds_of(64496) == frozenset({"tor"})
    assert networks.kinds_of(14618) == frozenset({"cloud"})
    for address in ("192.0.2.10", "192.0.2.11", "2001:db8::9", "198.51.100.7"):
        assert networks.is_proxy("web", address)
    assert not networks.is_proxy("app", "192.0.2.10")
    assert networks.is_proxy("app", "198.51.100.7")
    assert networks.version != load_networks().version


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("[[asn]]\n", "1 asn: is unknown; write [[asns]]", id="table"),
        pytest.param("asns = 7\n", "1 asns: write [[asns]], not [asns]", id="no list"),
        pytest.param(asns("cloudy", "[1]"), "asns: Invalid", id="kind"),
        pytest.param(asns("cloud", "[]"), "length", id="empty"),
        pytest.param(asns("cloud", "[0]"), "$.numbers", id="AS 0"),
        pytest.param(asns("cloud", '["AS16509"]'), "$.numbers", id="text"),
        pytest.param("[[asns]]\nkind = 'vpn'\nnumbers = [1]\n", "missing", id="no source"),
        pytest.param(asns("vpn", "[1]") + "x = 1\n", "unknown field `x`", id="key"),
        pytest.param(
            PROXY.format("web", '["192.0.2.1/24"]'), "3 trusted_proxies: '192.0.2.1/24'", id="bits"
        ),
        pytest.param(PROXY.format("web", '["0.0.0.0/0"]'), "holds every address", id="Internet"),
        pytest.param(PROXY.format("web", '["proxy"]'), "write 192.0.2.10", id="name"),
        pytest.param(PROXY.format("", '["192.0.2.1"]'), "$.source", id="source"),
    ],
)
def test_what_cannot_be_meant_is_told_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    """File, line, value and way out."""
    path = own(tmp_path, text)

    with pytest.raises(SettingsError) as caught:
        load_networks(path)

    assert str(caught.value).startswith(f"{path}:")
    assert says in str(caught.value)


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    """Who mends a file wants to mend it once."""
    path = own(tmp_path, asns("x", "[1]") + PROXY.format("web", '["a", "b"]') + "[[nonsense]]\n")

    with pytest.raises(SettingsError) as caught:
        read_networks(path)

    assert len(caught.value.problems) == 4
