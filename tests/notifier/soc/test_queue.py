"""What is owed stands on the disk; each output is served by itself; nothing is lost."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from detectors.errors import LoginwardError
from notifier.soc.item import OWN_SYSTEM, UNDELIVERED, own_item
from notifier.soc.output import LONGEST_PAUSE_S, pause
from notifier.soc.queue import TOPIC, Place, Queue
from notifier.soc.store import only_one, open_store
from notifier.soc.worker import Worker
from tests.checkout import ROOT

from .made import DAY, MINUTE, SECOND, Clock, Heap, alert, item, made_metrics, queue


def worker(heap: Heap, waiting: Queue, clock: Clock) -> Worker:
    """A worker whose pauses are drawn at their longest."""
    return Worker(output=heap, queue=waiting, metrics=made_metrics(), now=clock, jitter=lambda: 1.0)


def drain(*workers: Worker) -> None:
    """Turn until none has anything to do."""

    async def run() -> None:
        for _ in range(1000):
            if not any([await one.turn() for one in workers]):
                return
        raise AssertionError("never done")

    asyncio.run(run())


def test_the_highest_revision_counts_whatever_the_order(tmp_path: Path) -> None:
    """Late, doubled and equal revisions change nothing once a higher one is there."""
    clock = Clock()
    waiting, heap = queue(tmp_path, clock), Heap()
    serving = worker(heap, waiting, clock)
    rng = random.Random(7)
    sent = [item(number, revision) for number in range(20) for revision in range(1, 6)] * 2
    rng.shuffle(sent)

    for one in sent:
        waiting.put([one])
        if rng.random() < 0.3:
            drain(serving)
    drain(serving)

    by_alert: dict[str, list[int]] = {}
    for one in heap.taken:
        by_alert.setdefault(one.id, []).append(one.alert.revision)
    assert len(by_alert) == 20
    for revisions in by_alert.values():
        assert revisions == sorted(set(revisions))
        assert revisions[-1] == 5


def test_an_outage_of_one_output_delays_no_other(tmp_path: Path) -> None:
    """What one does not take waits for it alone; after its return it has the newest of each."""
    clock = Clock()
    waiting = queue(tmp_path, clock, "one", "two")
    one, two = Heap("one"), Heap("two")
    first, second = worker(one, waiting, clock), worker(two, waiting, clock)
    one.down = True

    for revision in (1, 2, 3):
        waiting.put([item(number, revision) for number in range(30)])
        drain(first, second)
    one.down = False
    clock.pass_(MINUTE)
    drain(first, second)

    assert two.keys == [item(n, r).key for r in (1, 2, 3) for n in range(30)]
    assert one.keys == [item(n, 3).key for n in range(30)]
    assert waiting.backlog("one") == (0, None)


def test_an_output_that_is_down_is_asked_ever_more_rarely(tmp_path: Path) -> None:
    """1, 2, 4 ... 60 seconds by the clock given; never more often, and never given up."""
    clock = Clock()
    waiting, heap = queue(tmp_path, clock), Heap()
    serving = worker(heap, waiting, clock)
    heap.down = True
    waiting.put([item()])
    tried: list[int] = []

    for _ in range(300):
        before = heap.tries
        asyncio.run(serving.turn())
        if heap.tries > before:
            tried.append(clock.now)
        clock.pass_(SECOND)

    gaps = [(later - earlier) // SECOND for earlier, later in pairwise(tried)]
    assert gaps == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_pauses_are_spread_over_their_upper_half() -> None:
    """Many senders do not come back at the same instant."""
    assert pause(3, lambda: 0.0) == 4.0
    assert pause(3, lambda: 1.0) == 8.0
    assert pause(10_000, lambda: 1.0) == LONGEST_PAUSE_S


def test_one_refused_alert_holds_up_no_other(tmp_path: Path) -> None:
    """It stays owed and is tried again; the rest passes."""
    clock = Clock()
    waiting, heap = queue(tmp_path, clock), Heap()
    serving = worker(heap, waiting, clock)
    heap.refuses = {item(3).id}
    waiting.put([item(number) for number in range(10)])

    drain(serving)
    assert heap.keys == [item(n).key for n in range(10) if n != 3]

    heap.refuses = set()
    clock.pass_(2 * SECOND)
    drain(serving)
    assert heap.keys[-1] == item(3).key


def test_what_may_not_have_arrived_is_sent_again(tmp_path: Path) -> None:
    """Under the same key, or as the newer revision that came meanwhile."""
    clock = Clock()
    waiting, heap = queue(tmp_path, clock), Heap()
    serving = worker(heap, waiting, clock)
    waiting.put([item(1), item(2)])
    drain(serving)

    heap.doubt = [item(1), item(2)]
    waiting.put([item(2, 2)])
    drain(serving)

    assert heap.keys == [item(1).key, item(2).key, item(1).key, item(2, 2).key]


def test_a_revision_that_comes_during_a_send_is_sent_too(tmp_path: Path) -> None:
    """Taking the older one does not settle the newer."""
    clock = Clock()
    waiting = queue(tmp_path, clock)
    waiting.put([item(1, 1)])
    (owed,) = waiting.owed("one", 10)
    waiting.put([item(1, 2)])

    waiting.sent("one", [owed.item])

    assert [one.item.key for one in waiting.owed("one", 10)] == [item(1, 2).key]


def test_our_own_alert_never_goes_where_it_cannot(tmp_path: Path) -> None:
    """About `one` it goes to the others and to the topic, which takes nothing else."""
    waiting = queue(tmp_path, Clock(), "one", "two", TOPIC)
    own = own_item(alert(1, system=OWN_SYSTEM, rule=UNDELIVERED, subject="one"))

    waiting.put([own, item(2)])

    assert [x.item.key for x in waiting.owed("one", 9)] == [item(2).key]
    assert {x.item.key for x in waiting.owed("two", 9)} == {own.key, item(2).key}
    assert [x.item.key for x in waiting.owed(TOPIC, 9)] == [own.key]


def test_canaries_go_nowhere(tmp_path: Path) -> None:
    """The pipeline's heartbeat is no news."""
    waiting = queue(tmp_path, Clock())

    assert waiting.put([item(1, system="_canary")]) == []
    assert waiting.backlog("one") == (0, None)


def test_a_new_output_gets_what_comes_from_now_on(tmp_path: Path) -> None:
    """And one that is no longer configured is forgotten, with its count told."""
    clock = Clock()
    waiting = queue(tmp_path, clock, "one")
    waiting.put([item(1), item(2)])

    later = Queue(waiting.store, ("two",), clock)
    assert later.forget_others() == {"one": 2}
    later.put([item(3)])

    assert [x.item.key for x in later.owed("two", 9)] == [item(3).key]
    assert later.backlog("one") == (0, None)


def test_only_what_everybody_has_is_ever_dropped(tmp_path: Path) -> None:
    """However old: what is owed stays."""
    clock = Clock()
    waiting, heap = queue(tmp_path, clock, "one", "two"), Heap("one")
    waiting.put([item(1), item(2)])
    drain(worker(heap, waiting, clock))
    waiting.sent("two", [item(1)])
    clock.pass_(100 * DAY)

    assert waiting.prune(clock.now - 90 * DAY) == 1
    assert [x.item.key for x in waiting.owed("two", 9)] == [item(2).key]


def test_positions_never_go_back(tmp_path: Path) -> None:
    """A rebalance that reads again from earlier does not make the queue forget."""
    waiting = queue(tmp_path, Clock())

    waiting.put([], [Place("id", 0, 10)])
    waiting.put([], [Place("id", 0, 4), Place("id", 1, 2)])

    assert [waiting.position("id", part) for part in (0, 1, 2)] == [10, 2, 0]
    assert waiting.position("other", 0) == 0


KILLED = """
import sys
from pathlib import Path
from tests.notifier.soc.made import Clock, item, queue
from notifier.soc.queue import Place
waiting = queue(Path(sys.argv[1]), Clock(), "one")
for number in range(1000):
    waiting.put([item(number)], [Place("id", 0, number + 1)])
    print(number, flush=True)
"""


@pytest.mark.parametrize("step", ["before", "after"])
@pytest.mark.parametrize("nth", [1, 2, 17])
def test_kill_9_between_any_two_steps_leaves_queue_and_position_in_step(
    tmp_path: Path, step: str, nth: int
) -> None:
    """What the position says was read is in the queue, no more and no less."""
    process = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path)],
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "LOGINWARD_FAILPOINTS": f"soc.{step}_commit=kill@{nth}",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert process.returncode == -9, process.stderr
    waiting = queue(tmp_path, Clock(), "one")

    read = waiting.position("id", 0)
    assert read == nth - (step == "before")
    assert [x.item.key for x in waiting.owed("one", 2000)] == [item(n).key for n in range(read)]


def test_a_disk_that_refuses_writes_only_delays(tmp_path: Path) -> None:
    """What was taken meanwhile is sent again, ever more rarely; then all goes on."""
    clock = Clock()
    waiting, heap = queue(tmp_path, clock), Heap()
    serving = worker(heap, waiting, clock)
    waiting.put([item(1), item(2)])
    waiting.store.execute("PRAGMA busy_timeout=0")
    other = queue(tmp_path, clock).store
    other.execute("BEGIN IMMEDIATE")  # as a writer that never ends

    for _ in range(60):
        assert not asyncio.run(serving.attempt())
        clock.pass_(SECOND)
    assert 2 <= heap.tries <= 8
    other.execute("ROLLBACK")
    clock.pass_(MINUTE)
    drain(serving)

    assert set(heap.keys) == {item(1).key, item(2).key}
    assert waiting.backlog("one") == (0, None)


def test_a_second_process_on_one_queue_is_refused(tmp_path: Path) -> None:
    """It would send everything twice."""
    with (
        only_one(tmp_path / "queue.db"),
        pytest.raises(LoginwardError, match=r"another `loginward run outputs`"),
        only_one(tmp_path / "queue.db"),
    ):
        pass
    with only_one(tmp_path / "queue.db"):
        pass


def test_a_queue_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    """With its setting, its path and a way out."""
    (tmp_path / "queue.db").write_bytes(b"this is no database, and long enough to be told so" * 9)

    with pytest.raises(
        LoginwardError, match=r"outputs\.queue: .*queue\.db: file is not a database"
    ):
        open_store(tmp_path / "queue.db")


def test_the_file_is_for_us_alone(tmp_path: Path) -> None:
    """It holds who attacks whom, and who acknowledged."""
    queue(tmp_path / "new", Clock())

    assert (tmp_path / "new" / "queue.db").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700
