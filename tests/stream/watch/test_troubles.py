"""Alarms open once, grow, close, and are the same after a restart."""

from __future__ import annotations

from typing import Any

from detectors.events import instant
from notifier.soc.paging import wakes
from stream.watch.troubles import Open, Trouble, take

NOW = 1_800_000_000_000


def trouble(size: int = 10, **more: Any) -> Trouble:
    """A trouble of detect."""
    fields: dict[str, Any] = {
        "rule": "pipeline_lag",
        "subject": "detect:logins",
        "severity": "high",
        "summary": f"behind {size}",
        "size": size,
    }
    return Trouble(**(fields | more))


def test_an_alarm_is_told_once_and_again_when_it_has_doubled() -> None:
    """Revisions follow the size, not the rounds of the watchdog."""
    known: dict[str, Open] = {}

    told = [take(known, [trouble(size)], NOW + at) for at, size in enumerate([10, 15, 20, 39, 40])]

    assert [[one.revision for one in alerts] for alerts in told] == [[1], [], [2], [], [3]]
    assert len({one.alert_id for alerts in told for one in alerts}) == 1


def test_an_alarm_that_is_over_gets_its_last_word_and_wakes_nobody() -> None:
    """The end is a revision with nothing waiting; a later trouble is another alert."""
    known: dict[str, Open] = {}
    (opened,) = take(known, [trouble()], NOW)
    (closed,) = take(known, [], NOW + 60_000)
    (again,) = take(known, [trouble()], NOW + 120_000)

    assert (closed.alert_id, closed.revision) == (opened.alert_id, 2)
    assert closed.counts == {"waiting": 0, "lasted_s": 60}
    assert again.alert_id != opened.alert_id
    assert wakes(opened, instant(NOW + 60_000))
    assert not wakes(closed, instant(NOW + 60_000))


def test_what_grows_worse_is_told_at_once() -> None:
    """A graver severity needs no doubled size."""
    known: dict[str, Open] = {}
    take(known, [trouble(severity="medium")], NOW)

    (worse,) = take(known, [trouble(severity="critical")], NOW + 1)

    assert (worse.revision, worse.severity) == (2, "critical")


def test_an_alert_of_our_own_names_its_system() -> None:
    """Consumers tell the pipeline's own alarms from attacks by `_loginward`."""
    (alert,) = take({}, [trouble()], NOW)

    assert (alert.system, alert.subject.value) == ("_loginward", "detect:logins")
    assert alert.opened_at == "2027-01-15T08:00:00Z"
