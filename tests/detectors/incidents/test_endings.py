"""How an incident leaves the news: no campaign any more, forgotten, or told by somebody slower."""

from __future__ import annotations

from detectors.events import milliseconds
from detectors.incidents import Incident
from detectors.incidents.fold import Fold
from detectors.incidents.news import News
from tests.builders import DAY, HOUR, time

from .made_alerts import botnet, later

NOW = milliseconds(time(HOUR))


def told(fold: Fold) -> tuple[News, Incident]:
    """News of a botnet that are told, and what was told."""
    for one in botnet():
        fold.add(one)
    news = News(fold)
    due = news.look(NOW)
    assert [incident.status for incident in due] == ["open"]
    news.note(due)
    return news, due[0]


def test_what_turns_out_to_be_no_campaign_is_closed() -> None:
    """Every alert of it was lowered: it is told once more, as closed."""
    fold = Fold()
    news, _ = told(fold)
    for one in botnet():
        fold.add(later(one, 2, severity="low"))

    (closed,) = news.look(NOW)
    news.note([closed])

    assert (closed.status, closed.revision) == ("closed", 2)
    assert news.look(NOW) == []


def test_what_is_forgotten_is_told_no_more() -> None:
    """A month later nobody knows its alerts, and nobody asks."""
    fold = Fold()
    news, _ = told(fold)
    much_later = milliseconds(time(30 * DAY))

    fold.forget(much_later)

    assert news.look(much_later) == []


def test_an_older_revision_takes_nothing_back() -> None:
    """Records may be read out of turn: the highest revision stands."""
    fold = Fold()
    news, opened = told(fold)
    for one in botnet(8):
        fold.add(one)
    (doubled,) = news.look(NOW)
    news.note([doubled])

    news.note([opened])

    assert doubled.revision == 2
    assert news.look(NOW) == []
