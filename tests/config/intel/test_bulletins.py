"""What is in force when: by the ledger alone, and by the time of the login alone."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from config.intel.as_file import indicators_of
from config.intel.bulletins import Came, Hand, Taken, content_of, receive, revoke
from config.intel.reading import read_feed
from config.intel.records import Received
from config.intel.store import APPLIED_AFTER, FILE, folder_of, told
from config.settings import Settings
from config.settings import load as load_settings
from detectors.errors import LoginwardError
from detectors.events import milliseconds
from tests.builders import DAY, time

from .feeds import attribute, bundle, misp, stix_indicator

DELAY = APPLIED_AFTER.total_seconds()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """An installation of the test's own."""
    return load_settings(environ={"LOGINWARD_HOME": str(tmp_path)})


def hand(at: float, by: str = "amy") -> Hand:
    """Somebody, at START plus `at` seconds."""
    return Hand(by=by, login="root", reason="a test", now=time(at))


def take(settings: Settings, data: bytes | str, at: float, anew: bool = False) -> Taken:
    """Import `data` at that time."""
    raw = data.encode() if isinstance(data, str) else data
    came = Came(source="f", content=content_of(raw), feed=read_feed(raw, "f"))
    return receive(settings, came, hand(at), anew=anew)


def listed(settings: Settings, address: str, at: float) -> bool:
    """Whether a login from `address` at that time is judged as listed."""
    indicators = told(folder_of(settings)).indicators
    return indicators.listed(address, milliseconds(time(at)))


def when(at: float) -> str:
    """A time as STIX writes it."""
    return time(at).isoformat().replace("+00:00", "Z")


def test_a_bulletin_is_in_force_from_its_import_until_its_validity_ends(
    settings: Settings,
) -> None:
    """Not before, whenever the login arrives; for 90 days where it has no end of its own."""
    taken = take(settings, "192.0.2.7", 0)

    assert (taken.bulletin, taken.tlp) == ("B1", "amber")
    assert not listed(settings, "192.0.2.7", DELAY - 0.001)
    assert listed(settings, "192.0.2.7", DELAY)
    assert listed(settings, "192.0.2.7", 90 * DAY - 1)
    assert not listed(settings, "192.0.2.7", 90 * DAY)


def test_an_indicators_own_times_hold(settings: Settings) -> None:
    """valid_from and valid_until of STIX, in event time."""
    take(settings, bundle(stix_indicator(valid_from=when(100), valid_until=when(200))), 0)

    assert [listed(settings, "192.0.2.7", at) for at in (99, 100, 199, 200)] == [
        False,
        True,
        True,
        False,
    ]


def test_the_same_bulletin_twice_is_one(settings: Settings) -> None:
    """What has ends of its own changes nothing; what has none holds on from now."""
    dated = bundle(stix_indicator(valid_until=when(10 * DAY)))
    assert take(settings, dated, 0).line is not None
    assert take(settings, dated, 100).line is None

    take(settings, "192.0.2.8", 0)
    again = take(settings, "192.0.2.8", 50 * DAY)

    assert again.bulletin == "B2"
    assert listed(settings, "192.0.2.8", 139 * DAY)
    assert list(told(folder_of(settings)).bulletins()) == ["B1", "B2"]


def test_what_lapsed_begins_anew_and_the_gap_stays_a_gap(settings: Settings) -> None:
    """A list that comes again after half a year judges no login of between."""
    take(settings, "192.0.2.7", 0)
    take(settings, "192.0.2.7", 180 * DAY)

    assert [listed(settings, "192.0.2.7", day * DAY) for day in (1, 100, 181)] == [
        True,
        False,
        True,
    ]


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (
            bundle(stix_indicator(name="a")),
            bundle(stix_indicator(name="a", revoked=True, modified="2026-11-21T00:00:00Z")),
        ),
        (
            misp(attribute("192.0.2.7", uuid="u", timestamp="100")),
            misp(attribute("192.0.2.7", uuid="u", timestamp="200", deleted=True)),
        ),
    ],
    ids=["STIX", "MISP"],
)
def test_what_the_source_takes_back_stops(settings: Settings, first: bytes, then: bytes) -> None:
    """By its own name for it; logins of before stay judged as they were."""
    take(settings, first, 0)
    take(settings, then, 1000)

    assert listed(settings, "192.0.2.7", 1000 + DELAY - 0.001)
    assert not listed(settings, "192.0.2.7", 1000 + DELAY)


def test_an_older_version_changes_nothing(settings: Settings) -> None:
    """A server that sends things out of order does not bring back what was taken back."""
    take(
        settings,
        bundle(stix_indicator(name="a", revoked=True, modified="2026-11-21T00:00:00Z")),
        0,
    )
    take(settings, bundle(stix_indicator(name="a")), 100)

    assert not listed(settings, "192.0.2.7", 1000)


def test_a_newer_version_takes_the_place_of_the_older(settings: Settings) -> None:
    """Other addresses, other times."""
    take(settings, bundle(stix_indicator(name="a")), 0)
    take(
        settings,
        bundle(
            stix_indicator(
                "[ipv4-addr:value = '192.0.2.8' OR ipv4-addr:value = '192.0.2.9']",
                name="a",
                modified="2026-11-21T00:00:00Z",
            )
        ),
        100,
    )

    at = 100 + DELAY
    assert [listed(settings, f"192.0.2.{n}", at) for n in (7, 8, 9)] == [False, True, True]


def test_what_we_take_back_stops_and_stays_out(settings: Settings) -> None:
    """An address of a bulletin: the rest of it holds; the next import of it is left out."""
    take(settings, "192.0.2.7\n192.0.2.8", 0)

    revoke(settings, ["B1", "192.0.2.7"], hand(1000))

    assert listed(settings, "192.0.2.7", 1000)
    assert not listed(settings, "192.0.2.7", 1000 + DELAY)
    assert listed(settings, "192.0.2.8", 1000 + DELAY)
    again = take(settings, "192.0.2.7", 2000)
    assert dict(again.sorted_out.skipped) == {"revoked here before": 1}
    take(settings, "192.0.2.7", 3000, anew=True)
    assert listed(settings, "192.0.2.7", 3000 + DELAY)


def test_a_revoked_bulletin_that_comes_again_is_a_new_one(settings: Settings) -> None:
    """Whoever imports it after all does so under a name."""
    take(settings, "192.0.2.7", 0)
    revoke(settings, ["B1"], hand(100))

    assert not listed(settings, "192.0.2.7", 100 + DELAY)
    assert take(settings, "192.0.2.7", 200).bulletin == "B3"
    assert listed(settings, "192.0.2.7", 200 + DELAY)


def test_a_renewal_does_not_bring_back_what_was_taken_back(settings: Settings) -> None:
    """The list comes every day, with the address that we know better."""
    take(settings, "192.0.2.7\n192.0.2.8", 0)
    revoke(settings, ["192.0.2.7"], hand(100))
    take(settings, "192.0.2.7\n192.0.2.8", 200)

    assert not listed(settings, "192.0.2.7", 1000)
    assert listed(settings, "192.0.2.8", 1000)


@pytest.mark.parametrize("names", [["B9"], ["192.0.2.9"], ["B1", "192.0.2.9"], ["x"], []])
def test_only_what_is_in_force_can_be_taken_back(settings: Settings, names: list[str]) -> None:
    """A slip of the pen is told, and nothing is written."""
    take(settings, "192.0.2.7", 0)

    with pytest.raises(LoginwardError):
        revoke(settings, names, hand(100))
    assert len(told(folder_of(settings)).ledger.lines) == 1


def test_our_own_proxies_are_kept_out(settings: Settings, tmp_path: Path) -> None:
    """A list that names them would judge every customer."""
    own = tmp_path / "networks.toml"
    own.write_text(
        '[[trusted_proxies]]\nsource = "web"\nnetworks = ["192.0.2.0/28"]\nowner = "T"\n'
    )
    settings = replace(settings, files=replace(settings.files, networks=own))

    taken = take(settings, "192.0.2.7\n192.0.2.77", 0)

    assert [one.network for one in taken.sorted_out.fit] == ["192.0.2.77/32"]


def test_the_ledger_says_what_came_and_what_became_of_it(settings: Settings) -> None:
    """A bulletin without a single address of ours is on record too."""
    take(settings, bundle({"type": "malware"}, 7), 0)

    (line,) = told(folder_of(settings)).ledger.lines
    assert (line.by, line.login, line.at) == ("amy", "root", time(0))
    assert isinstance(line.what, Received)
    assert (line.what.applied, line.what.ignored, line.what.bad) == (0, {"malware": 1}, 1)


def test_an_altered_ledger_or_list_is_told_and_the_rest_holds(settings: Settings) -> None:
    """Damage never ends detection, and nothing is added to a damaged ledger."""
    take(settings, "192.0.2.7", 0)
    take(settings, "192.0.2.8", 1)
    folder = folder_of(settings)
    name = next(iter(told(folder).bulletins().values()))[1].indicators
    (folder / "lists" / f"{name}.json").write_text('[{"network":"192.0.2.9/32"}]')

    assert [listed(settings, f"192.0.2.{n}", 100) for n in (7, 8, 9)] == [False, True, False]
    assert "was altered after its import" in told(folder).troubles[0]

    file = folder / FILE
    file.write_bytes(file.read_bytes().replace(b'"amy"', b'"eve"', 1))
    assert not listed(settings, "192.0.2.8", 100)
    with pytest.raises(LoginwardError, match="Nothing is added to a damaged ledger"):
        take(settings, "192.0.2.10", 2)


def test_a_replay_judges_by_the_ledger_as_of_its_times(settings: Settings) -> None:
    """The folder, or its ledger by name; with a trouble it is refused, not half believed."""
    take(settings, "192.0.2.7", 0)

    for path in (folder_of(settings), folder_of(settings) / FILE):
        found = indicators_of(path)
        assert found.version == told(folder_of(settings)).ledger.head[:16]
        assert [found.listed("192.0.2.7", milliseconds(time(at))) for at in (0, DELAY)] == [
            False,
            True,
        ]


def test_a_replay_takes_a_bulletin_by_itself(tmp_path: Path) -> None:
    """Its own times hold, the newest of each id counts, and what it takes back is out."""
    file = tmp_path / "b.json"
    late = timedelta(days=1)
    file.write_bytes(
        bundle(
            stix_indicator(name="a", revoked=True, modified="2026-11-21T00:00:00Z"),
            stix_indicator(name="a"),
            stix_indicator("[ipv4-addr:value = '192.0.2.8']", valid_from=when(100)),
            stix_indicator("[ipv4-addr:value = '10.0.0.1']"),
        )
    )

    found = indicators_of(file)

    def said(address: str, at: datetime) -> bool:
        return found.listed(address, milliseconds(at))

    assert not said("192.0.2.7", time(200))
    assert not said("192.0.2.8", time(99))
    assert said("192.0.2.8", time(100) + late)
    assert not said("10.0.0.1", time(200))


def test_a_replay_without_a_ledger_is_told(tmp_path: Path) -> None:
    """An empty folder is a slip, not an empty list."""
    with pytest.raises(LoginwardError, match=r"holds no ledger\.jsonl"):
        indicators_of(tmp_path)


def test_of_two_versions_in_one_bundle_the_newer_counts(settings: Settings) -> None:
    """In whatever order they stand; the older one is left out, and said."""
    versions = (
        stix_indicator(name="a", revoked=True, modified="2026-11-21T00:00:00Z"),
        stix_indicator(name="a"),
    )

    taken = take(settings, bundle(*versions), 0)

    assert dict(taken.sorted_out.skipped) == {"an older version of the same indicator": 1}
    assert not listed(settings, "192.0.2.7", 1000)


def test_a_strangers_names_fit_into_the_ledger(settings: Settings, tmp_path: Path) -> None:
    """However long and odd: a file's, a warning list's, a type's."""
    odd = "\x1b" * 400
    (tmp_path / "list.json").write_text(
        json.dumps({"name": odd, "type": "cidr", "list": ["192.0.2.8"]})
    )
    settings = replace(settings, intel=replace(settings.intel, warning_lists=tmp_path))
    data = bundle(
        {"type": odd},
        {"type": "report", "name": odd},
        stix_indicator(name=odd),
        stix_indicator("[ipv4-addr:value = '192.0.2.8']"),
    )
    came = Came(source=odd, content=content_of(data), feed=read_feed(data, odd), cursor="")

    taken = receive(settings, came, hand(0))

    assert taken.line is not None
    assert taken.sorted_out.skipped.total() == 1
    assert listed(settings, "192.0.2.7", DELAY)
