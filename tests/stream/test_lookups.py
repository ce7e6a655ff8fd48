"""What tells facts is exchanged between batches, told where it cannot be used, and watched."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from config.errors import SettingsError
from config.intel.bulletins import Came, Hand, content_of, receive
from config.intel.reading import read_feed
from config.intel.store import FILE, folder_of
from config.settings import Settings
from config.settings import load as load_settings
from stream import metrics
from stream.directory import current_file, load_directory
from stream.directory_csv import Export
from stream.lookups import InForce, Lookups
from tests.builders import NAMES, START, login

from .mmdb import FLAT_COUNTRY, write

NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)
PROXIES = '[[trusted_proxies]]\nsource = "web"\nnetworks = ["192.0.2.7"]\nowner = "Team"\n'


class Clock:
    """A time that a test moves."""

    now = NOW

    def __call__(self) -> datetime:
        """The time."""
        return self.now


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of an installation of the test's own."""
    return load_settings(environ={"LOGINWARD_HOME": str(tmp_path)})


@pytest.fixture
def clock() -> Clock:
    """The time, which stands still unless moved."""
    return Clock()


def customers(settings: Settings, *accounts: str, at: datetime = NOW) -> None:
    """Put a list of customers in force that was exported at `at`."""
    path = settings.data_dir / "customers.csv"
    path.write_text("account,customer,class\n" + "".join(f"{a},C-{a},customer\n" for a in accounts))
    os.utime(path, (at.timestamp(), at.timestamp()))
    load_directory(
        Export(file=path), settings.directory.folder, NAMES, now=at, allow_shrink="a test"
    )


def value(name: str, **labels: str) -> float | None:
    """A metric as Prometheus reads it."""
    return metrics.REGISTRY.get_sample_value(name, labels)


def classed(in_force: InForce, account: str) -> str | None:
    """The class of an account by what is in force."""
    return in_force(login(0, "a", account=account)).account_class


def test_with_nothing_loaded_nobody_is_asked(settings: Settings) -> None:
    """No directory, no geo data, no proxies: the event alone tells, and costs nothing more."""
    in_force = Lookups(settings, NAMES).in_force

    assert in_force.joiner is None
    assert in_force.versions == {}
    assert value("facts_loaded", of="directory") == value("facts_loaded", of="geo") == 0


def test_what_is_there_at_the_start_is_in_force(settings: Settings) -> None:
    """Directory and geo data, each named by its version."""
    customers(settings, "alice")
    settings.geo.folder.mkdir()
    write(settings.geo.folder / "a.mmdb", FLAT_COUNTRY)

    in_force = Lookups(settings, NAMES).in_force

    known = in_force(login(0, "a"))
    assert (known.account_class, known.country) == ("customer", "TW")
    assert in_force.joiner is in_force
    assert set(in_force.versions) == {"directory", "geo", "networks"}
    assert value("facts_loaded", of="directory") == value("facts_loaded", of="geo") == 1


def test_a_new_list_is_adopted_between_two_batches(settings: Settings, clock: Clock) -> None:
    """Found by a look, in force only when asked for: no batch is judged by two versions."""
    customers(settings, "alice")
    lookups = Lookups(settings, NAMES, clock)
    before = lookups.adopt()

    customers(settings, "alice", "bob", at=NOW + timedelta(hours=1))
    lookups.look()

    assert classed(lookups.in_force, "bob") == "unknown"
    after = lookups.adopt()
    assert classed(after, "bob") == "customer"
    assert after.versions["directory"] != before.versions["directory"]
    assert classed(before, "bob") == "unknown"
    assert lookups.adopt() is after


def test_each_kind_changes_by_itself(settings: Settings, tmp_path: Path) -> None:
    """Geo files and the own list of networks come, change and go without a restart."""
    own = tmp_path / "networks.toml"
    own.write_text("")
    settings = load_settings(
        environ={"LOGINWARD_HOME": str(tmp_path), "LOGINWARD_FILES_NETWORKS": str(own)}
    )
    lookups = Lookups(settings, NAMES)
    assert lookups.adopt().joiner is None

    own.write_text(PROXIES)
    lookups.look()
    counted = value("logins_behind_proxy_total") or 0
    assert lookups.adopt()(login(0, "a")).address is None
    assert value("logins_behind_proxy_total") == counted + 1

    own.write_text("")
    settings.geo.folder.mkdir()
    geo = write(settings.geo.folder / "a.mmdb", FLAT_COUNTRY)
    lookups.look()
    known = lookups.adopt()(login(0, "a"))
    assert (known.address, known.country) == ("192.0.2.7", "TW")

    geo.unlink()
    lookups.look()
    assert lookups.adopt().joiner is None


def imported(settings: Settings, *addresses: str, now: datetime = NOW) -> None:
    """Put a bulletin of `addresses` in force."""
    data = "\n".join(addresses).encode()
    came = Came(source="f", content=content_of(data), feed=read_feed(data, "f"))
    receive(settings, came, Hand(by="amy", login="root", reason="", now=now))


def test_a_bulletin_is_adopted_between_two_batches(settings: Settings) -> None:
    """Found by a look; named by the ledger's head; a login from it counts for the metric."""
    at = NOW - START + timedelta(minutes=1)
    lookups = Lookups(settings, NAMES)
    assert "intel" not in lookups.in_force.versions

    imported(settings, "192.0.2.7")
    lookups.look()
    assert lookups.in_force(login(at.total_seconds(), "a")).kinds is None
    counted = value("logins_listed_total") or 0
    known = lookups.adopt()(login(at.total_seconds(), "a"))

    assert (known.kinds, known.kinds_from) == (frozenset({"listed"}), "intel")
    assert value("logins_listed_total") == counted + 1
    assert lookups.in_force.joiner is lookups.in_force
    first = lookups.in_force.versions["intel"]
    imported(settings, "192.0.2.8")
    lookups.look()
    assert lookups.adopt().versions["intel"] != first


def test_of_a_damaged_ledger_what_can_be_read_holds(settings: Settings) -> None:
    """Told and counted; a worker that starts now still knows what stands before the damage."""
    imported(settings, "192.0.2.7")
    imported(settings, "192.0.2.8")
    file = folder_of(settings) / FILE
    file.write_bytes(file.read_bytes().replace(b'"number":2', b'"number":3'))
    counted = value("facts_load_failures_total", of="indicators") or 0

    with capture_logs() as logs:
        lookups = Lookups(settings, NAMES)

    at = (NOW - START).total_seconds() + 60
    assert lookups.in_force(login(at, "a")).kinds == frozenset({"listed"})
    assert lookups.in_force(login(at, "b", ip="192.0.2.8")).kinds is None
    assert [entry["event"] for entry in logs] == ["threat intelligence is damaged"]
    assert value("facts_load_failures_total", of="indicators") == counted + 1


def test_damage_is_told_once_and_what_was_in_force_stays(settings: Settings) -> None:
    """A broken list costs no facts; it is counted, and tried again as soon as it is mended."""
    customers(settings, "alice")
    lookups = Lookups(settings, NAMES)
    path = current_file(settings.directory.folder)
    assert path is not None
    whole = path.read_bytes()
    failures = value("facts_load_failures_total", of="directory") or 0

    path.unlink()  # the old one is mapped
    path.write_bytes(whole[:-1])
    with capture_logs() as told:
        lookups.look()
        lookups.look()

    assert [(entry["of"], entry["log_level"]) for entry in told] == [("directory", "warning")]
    assert "damaged" in told[0]["why"]
    assert value("facts_load_failures_total", of="directory") == failures + 1
    assert classed(lookups.adopt(), "alice") == "customer"

    customers(settings, "alice", "bob", at=NOW + timedelta(hours=1))
    lookups.look()
    assert classed(lookups.adopt(), "bob") == "customer"


def test_damage_at_the_start_leaves_facts_unknown(settings: Settings) -> None:
    """Detection starts all the same: an account nobody can ask about is not called unknown."""
    customers(settings, "alice")
    path = current_file(settings.directory.folder)
    assert path is not None
    path.write_bytes(b"x")
    settings.geo.folder.mkdir()
    (settings.geo.folder / "a.mmdb").write_text("no MMDB")

    with capture_logs() as told:
        in_force = Lookups(settings, NAMES).in_force

    assert {entry["of"] for entry in told} == {"directory", "geo"}
    assert classed(in_force, "eve") is None


def test_a_wrong_list_of_networks_stops_the_start(tmp_path: Path) -> None:
    """It is a setting: who wrote it is there to mend it."""
    own = tmp_path / "networks.toml"
    own.write_text("[[proxies]]\n")
    settings = load_settings(
        environ={"LOGINWARD_HOME": str(tmp_path), "LOGINWARD_FILES_NETWORKS": str(own)}
    )

    with pytest.raises(SettingsError, match="proxies: is unknown"):
        Lookups(settings, NAMES)


def test_a_stale_list_alarms_once_and_goes_on(settings: Settings, clock: Clock) -> None:
    """Metric and log when its age passes directory.stale_after; a fresh one ends the alarm."""
    customers(settings, "alice")
    lookups = Lookups(settings, NAMES, clock)
    assert value("directory_stale") == 0
    assert value("directory_as_of_timestamp_seconds") == NOW.timestamp()

    clock.now += settings.directory.stale_after + timedelta(seconds=1)
    with capture_logs() as told:
        lookups.look()
        lookups.look()

    assert [entry["log_level"] for entry in told] == ["error"]
    assert value("directory_stale") == 1
    assert classed(lookups.adopt(), "alice") == "customer"
    customers(settings, "alice", at=clock.now)
    lookups.look()
    assert value("directory_stale") == 0
