"""The doctor says what keeps customers from being told."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from config.settings import Settings, load
from loginward_cli.doctor.check import Check, Visit
from loginward_cli.doctor.telling import telling

from .harness import Clock, Harness, Providers, environment


def told(settings: Settings, clock: Clock) -> dict[str, Check]:
    """What the doctor says, by code."""
    return {check.code: check for check in telling(Visit(settings=settings, now=clock()))}


def test_without_a_channel_it_says_that_nobody_is_told(tmp_path: Path) -> None:
    """A note: an installation may be meant to watch only. Nothing is made by looking."""
    said = told(load(environ={"LOGINWARD_HOME": str(tmp_path)}), Clock())

    assert [check.state for check in said.values()] == ["note"]
    assert list(tmp_path.iterdir()) == []


def test_a_whole_set_up_has_nothing_to_mend(notifier: Harness) -> None:
    """Channels, contacts and ledger are there."""
    said = told(notifier.settings, notifier.clock)

    assert {check.state for check in said.values()} == {"ok", "note"}
    assert said["notifier.contacts"].message == "10 customers"


def test_channels_without_contacts_are_to_be_mended(tmp_path: Path, providers: Providers) -> None:
    """With nobody in the book all channels tell nobody."""
    said = told(load(environ=environment(tmp_path, providers)), Clock())

    assert said["notifier.contacts"].state == "finding"


def test_a_secret_that_cannot_be_read_is_named(tmp_path: Path, providers: Providers) -> None:
    """The setting and the file, never what stands in it."""
    environ = environment(tmp_path, providers)
    (tmp_path / "secrets" / "fcm.json").write_text('{"private_key": "SECRET')

    said = told(load(environ=environ), Clock())["notifier.channels"]

    assert said.state == "finding"
    assert "notifier.fcm_credentials_file" in said.message
    assert "SECRET" not in said.message + said.hint


def test_messages_that_nobody_sends_are_named(notifier: Harness) -> None:
    """Due for more than ten minutes: the notifier does not run, or a provider fails."""
    notifier.take(notifier.verdict(notice_risk="high"))
    assert told(notifier.settings, notifier.clock)["notifier.ledger"].state == "ok"

    notifier.clock.advance(timedelta(minutes=11))

    late = told(notifier.settings, notifier.clock)["notifier.late"]
    assert late.state == "finding"
    assert "1 by sms" in late.message
