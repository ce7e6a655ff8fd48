"""A lower limit finds what had gathered below the higher one, at the next attempt."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from config.governance.books import folder_of, store
from config.governance.records import Approved
from config.rules import load_rules
from config.settings import load
from detectors.engine import Engine
from detectors.memory import MemoryStore
from detectors.rules import RULES
from stream.looks_anew import MemoryLooksAnew
from stream.rule_watch import RuleWatch, TakeOver
from tests.builders import HOUR, NAMES, arrivals, final, finish, found, series
from tests.config.governance.builders import adopted, at, say

ALONE = "".join(f'[{rule.id}]\nmode = "off"\n' for rule in RULES if rule.id != "ip_fail_burst")
"""Every other detection off: they would look at the log for reasons of their own."""

TEN = f'{ALONE}[ip_fail_burst]\nmode = "live"\n'
SEVEN = f"""{TEN}[ip_fail_burst.limits]
failures = 7
window = "2h"
many_failures = 900
long_window = "3h"
"""
"""Seven failures within two hours: those before the change fill the window too."""

CHANGE = 6 * HOUR
"""NOON of the ledger, in seconds after START of the events."""

EVENTS = series(9, every=600, start=CHANGE - 3000)
"""Six up to the change, three after it."""


@pytest.mark.parametrize("anew", [True, False])
def test_live_gives_what_a_replay_gives(tmp_path: Path, anew: bool) -> None:
    """A worker that takes a change over half-way finds the same alerts as one that knew it before.

    Without the second look it finds none: what it guards against is real.
    """
    ours, new = tmp_path / "ours.toml", tmp_path / "new.toml"
    ours.write_text(TEN)
    new.write_text(SEVEN)
    environ = {"LOGINWARD_HOME": str(tmp_path), "LOGINWARD_FILES_RULES": str(ours)}
    settings = load(environ=environ)
    watch = RuleWatch(settings)
    engine = Engine(watch.in_force.book.active(), NAMES)
    kept = MemoryLooksAnew()
    take_over = TakeOver(watch, engine, kept, at(-60))
    folder = folder_of(settings)

    async def run() -> None:
        await engine.handle(arrivals(EVENTS[:6]), kept)
        say(folder, adopted(store(folder, new), store(folder, ours)))
        say(folder, Approved(id="C1", effective=at(0)), "bob")
        watch.look()
        take_over(at(-1))
        if anew:
            kept.look_anew(time.time() + 1000)  # the ledger's NOON is not today's
        else:
            kept.look_anew(0)
        for number in range(6, 9):
            await engine.handle(arrivals(EVENTS[number : number + 1], offset=number), kept)
        await finish(engine, kept, 0)

    asyncio.run(run())

    active = watch.in_force.book.active()
    live = [alert for alert in final(kept) if alert.rule == "ip_fail_burst"]
    replayed = [alert for alert in found(EVENTS, active=active) if alert.rule == "ip_fail_burst"]
    assert len(replayed) == 1
    assert live == (replayed if anew else [])


def test_a_log_is_looked_at_once_more_and_then_as_usual() -> None:
    """Until the end of the time; another subject has its own look."""
    kept, plain = MemoryLooksAnew(), MemoryStore()
    kept.look_anew(time.time() + 1000)

    async def looks(judged: MemoryStore) -> list[int]:
        engine = Engine(load_rules().active(), NAMES)
        events = [*series(3, every=60), *series(1, every=1, start=300, ip="192.0.2.9", name="x")]
        return [
            (await engine.handle(arrivals([event], offset=n), judged)).looked
            for n, event in enumerate(events)
        ]

    anew, usual = asyncio.run(looks(kept)), asyncio.run(looks(plain))
    assert anew[0] > usual[0]
    assert (anew[1], anew[3] > usual[3]) == (usual[1], True)
