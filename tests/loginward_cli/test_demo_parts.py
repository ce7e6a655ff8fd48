"""The parts of the demo by themselves: its folder, its children, its reckoning, its words."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from config.settings import Settings, load
from console.live_lines import incident_line
from console.live_view import Surroundings
from deploy.embedded import Endpoints
from detectors.alerts import Alert, AlertSubject
from detectors.errors import LoginwardError
from loginward_cli.demo import children as processes
from loginward_cli.demo import folder as folders
from loginward_cli.demo.children import Children, left_running
from loginward_cli.demo.folder import (
    DemoFolder,
    demo_settings,
    opened,
    write_child_config,
    write_config,
)
from loginward_cli.demo.options import LONGEST_S, Options
from loginward_cli.demo.places import commands
from loginward_cli.demo.reckoning import Archived, Replay, compare
from loginward_cli.demo.show import LINE_EVERY_S, Lines
from loginward_cli.demo.signals import Ending
from loginward_cli.demo.summary import Summary, Times, text
from loginward_cli.demo.telling import Told
from tests.console.builders import incident, picture

from .running import ROOT

ENDPOINTS = Endpoints(kafka_bootstrap="127.0.0.1:12345", redis_url="redis://127.0.0.1:12346/0")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings whose data folder is the test's."""
    return load(environ={"LOGINWARD_HOME": str(tmp_path / "data")})


def test_the_folder_is_fresh_unless_kept(settings: Settings) -> None:
    """What an earlier demo left is gone, or with --keep still there."""
    with opened(settings, keep=False) as folder:
        (folder.root / "old").touch()
    with opened(settings, keep=True) as folder:
        assert (folder.root / "old").exists()
    with opened(settings, keep=False) as folder:
        assert not (folder.root / "old").exists()
        assert folder.root.stat().st_mode & 0o077 == 0


def test_half_of_a_folder_is_no_obstacle(settings: Settings) -> None:
    """A demo that was killed while it made or removed its folder harms no later one."""
    cut = settings.data_dir / "demo.old-1" / "stack"
    cut.mkdir(parents=True)
    (settings.data_dir / "demo" / "stack" / "kafka").mkdir(parents=True)
    (settings.data_dir / "demo" / "stack" / "kafka" / "server.json").write_text('{"pid": 1')

    with opened(settings, keep=False) as folder:
        assert [entry.name for entry in folder.root.iterdir()] == ["logs"]

    assert not cut.exists()


def test_a_link_is_not_followed_to_remove_what_it_leads_to(
    settings: Settings, tmp_path: Path
) -> None:
    """Somebody who put the folder elsewhere by a link is told, and loses nothing."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "mine").touch()
    settings.data_dir.mkdir()
    (settings.data_dir / "demo").symlink_to(elsewhere)

    with (
        pytest.raises(LoginwardError, match="demo: is a link; remove it"),
        opened(settings, keep=False),
    ):
        pass

    assert (elsewhere / "mine").exists()


def test_a_full_disk_is_told_before_anything_starts(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sentence says how much is free, how much is needed, and the way out."""
    monkeypatch.setattr(folders, "NEEDED_MB", 10**9)

    with (
        pytest.raises(LoginwardError, match=r"MB free; a demo needs 1000000000 MB: free some"),
        opened(settings, keep=False),
    ):
        pass


def test_two_demos_never_share_a_folder(settings: Settings) -> None:
    """The second one is refused while the first runs, and welcome after it."""
    with (
        opened(settings, keep=False),
        pytest.raises(LoginwardError, match="another demo"),
        opened(settings, keep=True),
    ):
        pass

    with opened(settings, keep=True):
        pass


def test_the_demo_has_settings_of_its_own(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its servers, its folder, the user's rules; nothing of the user's environment."""
    monkeypatch.setenv("KAFKA_BOOTSTRAP", "broker.example:9092")
    with opened(settings, keep=False) as folder:
        write_config(folder, ENDPOINTS, files={"rules": '/my "rules".toml'})
        write_child_config(folder, "relay", 23456)

        shared = demo_settings(folder)
        child = load(folder.child_config("relay"), environ={})

    assert shared.kafka.bootstrap == "127.0.0.1:12345"
    assert shared.redis.url == "redis://127.0.0.1:12346/0"
    assert shared.archive.directory == folder.root / "archive"
    assert shared.keys.pseudonym_key_file == folder.root / "keys" / "pseudonym.key"
    assert shared.files.rules == Path('/my "rules".toml')
    assert replace(child, metrics=shared.metrics) == shared
    assert child.metrics.port == 23456


@pytest.fixture
def broken(settings: Settings) -> Iterator[DemoFolder]:
    """A folder whose children cannot start: their settings are refused."""
    with opened(settings, keep=False) as folder:
        write_config(folder, ENDPOINTS, detect={"batch_records": 0})
        yield folder


def check_until_it_fails(children: Children) -> None:
    """Ask as the demo does, until its patience would be over."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        children.check()
        time.sleep(0.05)


def test_a_child_that_cannot_run_is_told_with_its_log(
    broken: DemoFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After its restarts the demo ends: which child, which file to read, its last lines."""
    monkeypatch.setattr(processes, "MOST_RESTARTS", 0)
    monkeypatch.setenv("LOGINWARD_KAFKA_BOOTSTRAP", "must:not:reach:a:child")

    with Children(broken, 1, ROOT) as children:
        (detect,) = [child for child in children.all if child.part == "detect"]
        with pytest.raises(LoginwardError, match=rf"ended 1 times; read {broken.logs}") as told:
            check_until_it_fails(children)

    assert "reach" not in detect.log.read_text()
    assert "detect.batch_records" in str(told.value)
    assert left_running(broken.root) == []


def alert(**changed: object) -> Alert:
    """An alert on one address."""
    facts: dict[str, object] = {
        "alert_id": "a1",
        "revision": 10,
        "system": "trading-web",
        "rule": "ip_account_spray",
        "rule_version": "1-0000",
        "severity": "high",
        "opened_at": "2026-11-22T12:00:00Z",
        "updated_at": "2026-11-22T12:00:00Z",
        "subject": AlertSubject("ip", "198.51.100.7"),
        "counts": {"failures": 10},
        "window_s": 300,
        "threshold": 10,
        "accounts": [],
        "ips": ["198.51.100.7"],
        "event_ids": [],
        "attack_ids": [],
        "checklist_item": "15",
        "summary": "",
    }
    return Alert(**(facts | changed))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("live", "again", "said"),
    [
        pytest.param([alert()], [alert()], [], id="equal"),
        pytest.param(
            [alert()],
            [],
            ["a1: raised live, not by the replay (ip_account_spray 198.51.100.7)"],
            id="missing",
        ),
        pytest.param(
            [],
            [alert()],
            ["a1: raised by the replay, not live (ip_account_spray 198.51.100.7)"],
            id="extra",
        ),
        pytest.param(
            [alert()],
            [alert(revision=11)],
            ["a1: revision 10 live, 11 by the replay"],
            id="grown",
        ),
        pytest.param(
            [alert()],
            [alert(event_ids=["x"])],
            ["a1: revision 10 live, 10 by the replay"],
            id="one byte",
        ),
    ],
)
def test_every_difference_between_live_and_replay_is_named(
    live: list[Alert], again: list[Alert], said: list[str]
) -> None:
    """Equal means byte for byte; each other alert has a sentence."""
    assert compare({a.alert_id: a for a in live}, {a.alert_id: a for a in again}) == said


def summary(**changed: object) -> Summary:
    """A good demo's figures."""
    facts: dict[str, object] = {
        "times": Times(
            stack_ready=3.9,
            pipeline_ready=8.8,
            attack_began=12.9,
            first_alert=14.7,
            attack_to_alert=1.8,
            ended=104.2,
        ),
        "sent": 123_456,
        "read": 123_456,
        "judged": 122_100,
        "duplicates": 1_300,
        "rejected": 56,
        "archived": Archived(events=123_400, undecodable=56),
        "alerts": 54,
        "by_rule": {"ip_account_spray": 18, "ip_fail_burst": 18, "ip_fail_daily": 18},
        "by_severity": {"high": 36, "medium": 18},
        "attackers": 18,
        "attackers_caught": ["198.51.100.7"] * 18,
        "alerts_on_others": 0,
        "incidents": [incident_line(incident())] + ["another"] * 4,
        "replay": Replay(events=123_400, alerts=54, seconds=6.1, same=True),
        "told": Told(push=3, sms=3, email=3, held=1, link="http://127.0.0.1:8087/a#x"),
        "restarts": 0,
        "folder": "/data/demo",
    }
    return Summary(**(facts | changed))  # type: ignore[arg-type]


def test_a_good_summary_fits_a_narrow_terminal() -> None:
    """80 columns, and it says yes where everything held."""
    said = text(summary(), ["loginward archive verify"])

    assert summary().sound
    assert max(map(len, said.splitlines())) <= 80
    assert "first alert  14.7 s after the start, 1.8 s after the attack began" in said
    assert "campaigns    CRITICAL stuffing 1c1c1c1c: 1 address, 2,100 tried, 1 hit" in said
    assert "and 2 more" in said
    assert "adds up      yes" in said
    assert "left running nothing" in said


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"sent": 123_457}, "adds up      NO"),
        ({"rejected": 55}, "adds up      NO"),
        ({"archived": Archived(events=123_399, undecodable=56)}, "adds up      NO"),
        ({"replay": Replay(same=False, differences=["a1: gone"])}, "a1: gone"),
        ({"left_running": [4711]}, "left running 4711"),
    ],
)
def test_what_does_not_hold_is_said(changed: dict[str, object], said: str) -> None:
    """One record too few, one alert that differs, one process left: never a success."""
    found = summary(**changed)

    assert not found.sound
    assert said in text(found, [])


def test_a_summary_without_alerts_is_a_summary() -> None:
    """Customers alone: nothing is claimed that was not there."""
    none = Times(
        stack_ready=1, pipeline_ready=None, attack_began=None, first_alert=None,
        attack_to_alert=None,
    )  # fmt: skip
    said = text(
        summary(
            times=none,
            attackers=0,
            attackers_caught=[],
            alerts=0,
            by_rule={},
            by_severity={},
            incidents=[],
            replay=Replay(reason="too many"),
        ),
        [],
    )

    assert "the pipeline was not" in said
    assert "none was simulated" in said
    assert "campaigns    none" in said
    assert "not run: too many" in said
    assert asdict(summary())["times"]["ended"] == 104.2


def test_only_commands_that_are_there_are_named(settings: Settings) -> None:
    """The shortest address stands in the example, and the folder's settings in each command."""
    folder = DemoFolder(root=settings.data_dir / "demo")

    said = commands(folder, ROOT, ["198.51.100.77", "192.0.2.1"])

    assert any(line.endswith("archive query --ip 192.0.2.1") for line in said)
    assert any("replay" in line and "events.jsonl" in line for line in said)


def test_a_forgotten_demo_ends() -> None:
    """Without --seconds there is a bound; the attack waits a moment, in a short demo a shorter."""
    endless = Options(seconds=None, profile="A+G", workers=2, view=True, events=False, keep=False)

    assert endless.bound == LONGEST_S
    assert replace(endless, seconds=8.0).attack_after == 2


def test_ctrl_c_is_an_order_first_and_a_request_later() -> None:
    """Before there is anything to reckon up it ends at once, then it asks, twice it orders."""
    before = signal.getsignal(signal.SIGINT)
    with Ending() as ending:
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        ending.gently()
        signal.raise_signal(signal.SIGINT)
        assert ending.asked.is_set()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        with pytest.raises(SystemExit, match="143"):
            signal.raise_signal(signal.SIGTERM)

    assert signal.getsignal(signal.SIGINT) is before


def test_lines_tell_each_thing_once(capsys: pytest.CaptureFixture[str]) -> None:
    """Each alert, each login and each revision of a campaign has one line, the moment one every few
    seconds.
    """
    clock = [0.0]
    lines = Lines(logins=True, now=lambda: clock[0])
    around = Surroundings(title="", phase="", hint="")
    first = picture()
    row = replace(first.logins[0])
    first = replace(first, incidents=(incident(),))
    second = replace(
        first, logins=(*first.logins, row), incidents=(incident(revision=2, severity="high"),)
    )

    lines(first, around, 1)
    lines(second, around, 2)
    clock[0] = LINE_EVERY_S
    lines(second, around, 7)

    told = capsys.readouterr().err.splitlines()
    assert sum(line.startswith("ALERT") for line in told) == 1
    assert sum("trading-web" in line for line in told) == 2
    assert [line.split()[1] for line in told if line.startswith("CAMPAIGN")] == ["CRITICAL", "HIGH"]
    assert [line[:4] for line in told if "logins/s" in line] == ["0:01", "0:07"]
