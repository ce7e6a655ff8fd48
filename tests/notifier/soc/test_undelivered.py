"""An outage is told once, by the others, and told to be over; it never feeds itself."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

from notifier.soc.queue import TOPIC, Queue
from notifier.soc.undelivered import Watch
from notifier.soc.worker import Worker

from .made import HOUR, MINUTE, SECOND, START_MS, Clock, Heap, item, made_metrics, queue

AFTER = timedelta(minutes=5)


def watch(waiting: Queue) -> Watch:
    """What looks at outages."""
    return Watch(waiting, made_metrics(), AFTER)


def test_what_waits_too_long_is_told_by_the_others_once(tmp_path: Path) -> None:
    """Not before the time, then one alert; one revision more when twice as many wait."""
    clock = Clock()
    waiting = queue(tmp_path, clock, "webhook", "syslog", TOPIC)
    looking = watch(waiting)
    waiting.put([item(1)])
    waiting.sent("syslog", [item(1)])

    clock.pass_(5 * MINUTE - 1)
    assert looking.look(clock.now) == []
    clock.pass_(1)
    (told,) = looking.look(clock.now)
    assert looking.look(clock.now) == []

    alert = told.alert
    assert (alert.system, alert.rule, alert.severity) == ("_loginward", "alert_undelivered", "high")
    assert alert.subject.value == "webhook"
    assert alert.counts == {"waiting": 1, "waited_s": 300}
    assert alert.opened_at == "2026-11-23T06:00:00.000Z"
    assert [x.item.key for x in waiting.owed("syslog", 9)] == [told.key]
    assert [x.item.key for x in waiting.owed(TOPIC, 9)] == [told.key]
    assert [x.item.key for x in waiting.owed("webhook", 9)] == [item(1).key]

    waiting.put([item(2)])
    (again,) = looking.look(clock.now)
    assert (again.id, again.alert.revision) == (told.id, 2)


def test_an_alert_that_grows_meanwhile_is_late_all_the_same(tmp_path: Path) -> None:
    """It waits since its first undelivered revision, else a lasting attack would never be told."""
    clock = Clock()
    waiting = queue(tmp_path, clock, "webhook", TOPIC)
    for revision in range(1, 7):
        waiting.put([item(1, revision)])
        clock.pass_(MINUTE)

    assert len(watch(waiting).look(clock.now)) == 1


def test_a_restart_does_not_tell_it_again_and_knows_when_it_ends(tmp_path: Path) -> None:
    """The outage stands in the queue: same id, one last revision, then nothing."""
    clock = Clock()
    waiting = queue(tmp_path, clock, "webhook", "syslog", TOPIC)
    waiting.put([item(1)])
    waiting.sent("syslog", [item(1)])
    clock.pass_(HOUR)
    (told,) = watch(waiting).look(clock.now)
    waiting.sent("syslog", [told])
    waiting.store.close()

    waiting = queue(tmp_path, clock, "webhook", "syslog", TOPIC)
    looking = watch(waiting)
    assert looking.look(clock.now) == []
    waiting.sent("webhook", [item(1)])
    (over,) = looking.look(clock.now)

    assert (over.id, over.alert.revision) == (told.id, 2)
    assert over.alert.counts["waiting"] == 0
    assert "again" in over.alert.summary
    waiting.sent("syslog", [over])
    waiting.sent(TOPIC, [over])
    assert looking.look(clock.now) == []


def test_two_dead_outputs_do_not_feed_each_other(tmp_path: Path) -> None:
    """A day without either: an alert about each, and no more than a few revisions of them."""
    clock = Clock()
    waiting = queue(tmp_path, clock, "webhook", "syslog", TOPIC)
    looking = watch(waiting)
    heaps = [Heap("webhook"), Heap("syslog"), Heap(TOPIC)]
    heaps[0].down = heaps[1].down = True
    workers = [
        Worker(output=heap, queue=waiting, metrics=made_metrics(), now=clock) for heap in heaps
    ]
    waiting.put([item(number) for number in range(5)])

    for _ in range(24 * 60):
        clock.pass_(MINUTE)
        looking.look(clock.now)
        for one in workers:
            asyncio.run(one.turn())

    ids = {one.id for one in heaps[2].taken}
    assert len(ids) == 2
    assert len(heaps[2].taken) <= 4
    assert waiting.backlog("webhook")[0] == 6
    assert all(one.alert.system == "_loginward" for one in heaps[2].taken)


def test_when_the_topic_itself_is_away_nobody_is_told_by_it(tmp_path: Path) -> None:
    """An alert about the topic could only go into the topic."""
    clock = Clock()
    waiting = queue(tmp_path, clock, "webhook", TOPIC)
    looking = watch(waiting)
    waiting.put([item(1)])
    clock.pass_(HOUR)
    looking.look(clock.now)
    clock.pass_(HOUR)

    assert waiting.backlog(TOPIC)[0] == 1
    assert looking.look(clock.now) == []


def test_the_same_outage_has_the_same_id_wherever_it_is_computed(tmp_path: Path) -> None:
    """Its id is made of the output and the second at which the outage began."""
    ids = set()
    for folder in ("a", "b"):
        clock = Clock(START_MS)
        waiting = queue(tmp_path / folder, clock, "webhook", TOPIC)
        waiting.put([item(1)])
        clock.pass_(HOUR + (SECOND if folder == "a" else 0))
        ids |= {told.id for told in watch(waiting).look(clock.now)}

    assert len(ids) == 1
