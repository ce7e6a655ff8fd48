"""Places come from MaxMind's types and the flat schema; what no file tells is not known."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from detectors.errors import LoginwardError
from detectors.facts import NOWHERE, Place
from stream.geo import GeoData, open_geo

from .mmdb import ANONYMOUS, ASN, FLAT_COUNTRY, MAXMIND_CITY, write


def opened(path: Path) -> GeoData:
    """The files of a folder that has some."""
    data = open_geo(path)
    assert data is not None
    return data


def test_country_and_network_come_from_several_files(tmp_path: Path) -> None:
    """The flat schema and MaxMind's ASN type together, IPv4 and IPv6; names are made harmless."""
    write(tmp_path / "country.mmdb", FLAT_COUNTRY, "country ipvAll")
    write(tmp_path / "asn.mmdb", ASN, "GeoLite2-ASN")
    data = opened(tmp_path)

    assert data.look_up("192.0.2.1") == Place("TW", 64496, "Example Hosting")
    assert data.look_up("192.0.2.200") == Place(None, 64496, "Example Hosting")
    assert data.look_up("198.51.100.1") == Place("JP")
    assert data.look_up("2001:db8::1") == Place("US", 4200000000, "Example \\x1b[31mCarrier")
    assert data.look_up("10.0.0.1") == NOWHERE
    assert [file.kind for file in data.files] == ["GeoLite2-ASN", "country ipvAll"]


def test_maxminds_city_type_is_read(tmp_path: Path) -> None:
    """The country is where the address is; where its network is registered is no place."""
    data = opened(write(tmp_path / "GeoLite2-City.mmdb", MAXMIND_CITY, "GeoLite2-City"))

    assert data.look_up("192.0.2.1") == Place("TW")
    assert data.look_up("203.0.113.1") == NOWHERE


def test_maxminds_anonymous_type_tells_kinds(tmp_path: Path) -> None:
    """Its entries name kinds, and an address without an entry is known to be of none."""
    data = opened(write(tmp_path / "a.mmdb", ANONYMOUS, "GeoIP2-Anonymous-IP"))

    assert data.look_up("192.0.2.9").kinds == frozenset({"tor"})
    assert data.look_up("192.0.2.10").kinds == frozenset({"vpn", "hosting"})
    assert data.look_up("192.0.2.11").kinds == frozenset()


def test_of_two_files_the_first_by_name_wins(tmp_path: Path) -> None:
    """Fact by fact: the second still tells what the first does not."""
    write(tmp_path / "1.mmdb", {"192.0.2.0/24": {"country_code": "TW"}})
    write(tmp_path / "2.mmdb", {"192.0.2.0/24": {"country_code": "JP"}} | ASN)
    write(
        tmp_path / "3.mmdb", {"192.0.2.0/24": {"country_code": "KR", "autonomous_system_number": 7}}
    )

    assert opened(tmp_path).look_up("192.0.2.1") == Place("TW", 64496, "Example Hosting")


def test_an_ipv6_address_and_a_file_of_ipv4_alone(tmp_path: Path) -> None:
    """Such a file says nothing of it, and that is no fault."""
    data = opened(write(tmp_path / "a.mmdb", {"192.0.2.0/24": {"country_code": "TW"}}, ipv6=False))

    assert data.look_up("192.0.2.1") == Place("TW")
    assert data.look_up("2001:db8::1") == NOWHERE
    assert data.broken == 0


@pytest.mark.parametrize(
    "content",
    [
        {"country_code": "-"},
        {"country_code": "tw"},
        {"country_code": 7},
        {"country": "Taiwan"},
        {"autonomous_system_number": 0},
        {"autonomous_system_number": "AS64496"},
        {"autonomous_system_organization": ""},
        ["TW"],
        "TW",
    ],
)
def test_what_is_no_country_and_no_number_is_not_known(tmp_path: Path, content: object) -> None:
    """A file of another make never becomes a wrong fact."""
    data = opened(write(tmp_path / "a.mmdb", {"192.0.2.0/24": content}))

    assert data.look_up("192.0.2.1") == NOWHERE


def test_without_files_there_is_nothing_to_ask(tmp_path: Path) -> None:
    """A missing and an empty folder are the same; a file that is none is told by name."""
    assert open_geo(tmp_path / "absent") is None
    assert open_geo(tmp_path) is None

    (tmp_path / "a.mmdb").write_bytes(b"<html>captive portal</html>")
    with pytest.raises(LoginwardError, match=r"a\.mmdb: is no MMDB file"):
        open_geo(tmp_path)
    (tmp_path / "a.mmdb").write_bytes(b"")
    with pytest.raises(LoginwardError, match=r"a\.mmdb: is no MMDB file"):
        open_geo(tmp_path)


def test_a_file_that_is_written_over_in_place_harms_nobody(tmp_path: Path) -> None:
    """An updater that truncates a mapped file would kill the worker; ours reads its own copy."""
    path = write(tmp_path / "a.mmdb", FLAT_COUNTRY)
    data = opened(path)

    os.truncate(path, 0)

    assert data.look_up("192.0.2.1") == Place("TW")
    assert data.look_up("198.51.100.200") == Place("JP")


def test_damage_inside_a_file_is_counted_and_not_known(tmp_path: Path) -> None:
    """A look-up that runs into damage tells nothing, and the next one goes on."""
    path = write(tmp_path / "a.mmdb", {"192.0.2.0/24": {"country_code": "TW"}})
    whole = path.read_bytes()
    end = whole.index(b"\xab\xcd\xefMaxMind.com")
    start = whole.rindex(bytes(16), 0, end) + 16  # behind the tree, the records
    path.write_bytes(whole[:start] + b"\xff" * (end - start) + whole[end:])
    data = opened(path)

    assert data.look_up("192.0.2.1") == NOWHERE
    assert data.broken == 1
    assert data.look_up("10.0.0.1") == NOWHERE


def test_the_version_is_that_of_the_bytes(tmp_path: Path) -> None:
    """The same files have the same version wherever they lie; another byte, another version."""
    one, two = tmp_path / "one", tmp_path / "two"
    for folder in (one, two):
        folder.mkdir()
    path = write(one / "a.mmdb", FLAT_COUNTRY)
    (two / "b.mmdb").write_bytes(path.read_bytes())

    assert opened(one).version == opened(two).version
    write(two / "b.mmdb", ASN)
    assert opened(one).version != opened(two).version


def test_a_folder_of_countless_files_is_refused(tmp_path: Path) -> None:
    """Some other folder was named by mistake."""
    for number in range(17):
        (tmp_path / f"{number}.mmdb").touch()

    with pytest.raises(LoginwardError, match="17 MMDB files"):
        open_geo(tmp_path)
