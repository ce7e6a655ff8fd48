"""`loginward geo check`: what is known of one address, and what to do where nothing is."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.stream.mmdb import ASN, FLAT_COUNTRY, write

from .running import loginward


def check(home: Path, *args: str) -> subprocess.CompletedProcess[str]:
    """`loginward geo check ARGS` of an installation in `home`."""
    return loginward("geo", "check", *args, cwd=home, environ={"LOGINWARD_HOME": str(home)})


def files(home: Path) -> None:
    """Country and AS data where the pipeline looks."""
    (home / "geo").mkdir()
    write(home / "geo" / "country.mmdb", FLAT_COUNTRY)
    write(home / "geo" / "asn.mmdb", ASN)


def test_an_address_is_told_with_country_network_and_kind(tmp_path: Path) -> None:
    """Kinds by the list of networks in force; an address in any spelling."""
    files(tmp_path)
    (tmp_path / "n.toml").write_text(
        '[[asns]]\nkind = "vpn"\nsource = "a test"\ndate = 2026-11-01\nnumbers = [64496]\n'
    )

    ran = loginward(
        *("geo", "check", "::ffff:192.0.2.1", "--json"),
        cwd=tmp_path,
        environ={"LOGINWARD_HOME": str(tmp_path), "LOGINWARD_FILES_NETWORKS": "n.toml"},
    )

    told: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    assert len(told.pop("geo")) == 12
    assert told == {
        "address": "192.0.2.1",
        "country": "TW",
        "asn": 64496,
        "as_name": "Example Hosting",
        "kinds": ["vpn"],
    }


def test_what_is_not_known_is_said_so(tmp_path: Path) -> None:
    """For people: an address of no network has no kind either, and none is not "not known"."""
    files(tmp_path)

    nowhere, carrier = check(tmp_path, "10.0.0.1").stdout, check(tmp_path, "192.0.2.1").stdout

    assert "country: not known\n" in nowhere
    assert "kinds: not known\n" in nowhere
    assert "kinds: none\n" in carrier


@pytest.mark.parametrize(
    ("address", "says"),
    [("192.0.2.1", "loginward geo fetch"), ("192.0.2", "is no address"), ("\x1b[31m", "\\x1b")],
)
def test_bad_input_exits_with_2(tmp_path: Path, address: str, says: str) -> None:
    """Without data the way to it is told; what is no address is shown harmless."""
    ran = check(tmp_path, address)

    assert ran.returncode == 2
    assert says in ran.stderr
    assert "\x1b" not in ran.stderr
