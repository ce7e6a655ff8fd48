"""What is worth telling of incidents, and under which name."""

from __future__ import annotations

from detectors.alerts import Alert
from detectors.events import milliseconds
from detectors.incidents import Incident
from detectors.incidents.fold import Fold
from detectors.incidents.news import News
from tests.builders import DAY, HOUR, MINUTE, time

from .made_alerts import alert, botnet, everybody, takeover


class Desk:
    """A fold whose news are told at once."""

    def __init__(self) -> None:
        self.fold = Fold()
        self.news = News(self.fold)
        self.told: list[Incident] = []

    def see(self, *found: Alert, at: float = HOUR) -> list[Incident]:
        """What is told after these alerts, at so many seconds."""
        for one in found:
            self.fold.add(one)
        due = self.news.look(milliseconds(time(at)))
        self.news.note(due)
        self.told += due
        return due


def test_it_tells_when_one_opens_doubles_and_hits() -> None:
    """And nothing of what changes little."""
    desk = Desk()

    (opened,) = desk.see(*botnet())
    assert (opened.revision, opened.status) == (1, "open")
    assert desk.see(alert("n5", ip="10.5.0.1", at=31 * MINUTE)) == []
    (doubled,) = desk.see(*[alert(f"m{n}", ip=f"10.6.{n}.1", at=32 * MINUTE) for n in range(3)])
    assert (doubled.revision, len(doubled.alerts)) == (2, 8)
    (hit,) = desk.see(takeover("t", "mei", at=33 * MINUTE, ip="10.6.1.1"))
    assert (hit.revision, hit.accounts_hit, hit.severity) == (3, ["mei"], "critical")


def test_it_tells_that_one_is_over_once() -> None:
    """By the clock, since nothing comes any more."""
    desk = Desk()
    desk.see(*botnet())

    (closed,) = desk.see(at=3 * DAY)

    assert (closed.status, closed.revision) == ("closed", 2)
    assert desk.see(at=4 * DAY) == []


def test_one_that_joins_another_says_so() -> None:
    """The older name goes on; the other one ends with it."""
    desk = Desk()
    (older,) = desk.see(*botnet(3))
    second = [alert(f"x{n}", ip=f"172.16.{n}.1", at=2 * HOUR + n) for n in range(3)]
    (younger,) = desk.see(*second)

    told = {one.incident_id: one for one in desk.see(everybody("g", lasts=3 * HOUR))}

    assert told[older.incident_id].status == "open"
    assert len(told[older.incident_id].alerts) == 7
    assert told[younger.incident_id].status == "merged"
    assert told[younger.incident_id].merged_into == older.incident_id
    assert desk.see() == []


def test_after_a_restart_it_goes_on_where_it_was_told() -> None:
    """Names and revisions come from what was told, and only what is new is told."""
    desk = Desk()
    desk.see(*botnet())
    again = Desk()
    again.fold = Fold(one.opened_with for one in desk.told)
    again.news = News(again.fold, desk.told)

    assert again.see(*botnet(), alert("early", ip="10.0.0.1", at=-MINUTE)) == []
    (hit,) = again.see(takeover("t", "mei", ip="10.1.0.1"))
    assert (hit.incident_id, hit.revision) == (desk.told[0].incident_id, 2)
