"""Changes of the rule book taken over by running workers: noticed within seconds, between batches.

A change holds from an event time that lies a little ahead of its approval, and the new book knows
since when. So it does not matter when before that time a worker takes it over.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import structlog

from config.governance.books import Governed, folder_of, governed
from config.governance.ledger import FILE
from config.settings import Settings
from detectors.engine import Engine
from detectors.errors import LoginwardError
from detectors.judging import Judges
from detectors.windows import RETENTION_MS

from .looks_anew import LooksAnew

LOOK_EVERY_S: Final = 5.0
"""A stat of one file; less than half of config.governance.changes.AT_ONCE."""

SETTLED_AFTER: Final = 2 * timedelta(milliseconds=RETENTION_MS)
"""Long enough that no log is left which was last looked at under the rules before, lag included."""

log = structlog.get_logger(__name__)


class RuleWatch:
    """The rule book in force here. Raises SettingsError where there is none at all."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._ledger = folder_of(settings) / FILE
        self._mark = _mark(self._ledger)
        self._found = governed(settings)
        self._adopted = self._found
        _tell(self._found)

    @property
    def in_force(self) -> Governed:
        """What was adopted last."""
        return self._adopted

    def adopt(self) -> Governed | None:
        """The rule book found since the last call; None where nothing has changed."""
        if self._found is self._adopted:
            return None
        self._adopted = self._found
        return self._adopted

    def look(self) -> None:
        """Read the ledger where its file has changed; what cannot be read leaves all as it was."""
        mark = _mark(self._ledger)
        if mark == self._mark:
            return
        self._mark = mark
        try:
            found = governed(self._settings)
        except (LoginwardError, OSError) as failure:
            log.error("the rule book cannot be read", why=str(failure))  # noqa: TRY400 (expected)
            return
        _tell(found)
        if found.version != self._found.version:
            log.info("rule book", version=found.version)
            self._found = found

    async def watch_for_ever(self) -> None:
        """Look every few seconds, beside the event loop."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            await asyncio.to_thread(self.look)


class TakeOver:
    """Brings a changed rule book into a worker: what judges, and what is looked at under it."""

    def __init__(self, watch: RuleWatch, engine: Engine, store: LooksAnew, now: datetime) -> None:
        self._watch = watch
        self._engine = engine
        self._store = store
        self._versions = versions(watch.in_force)
        # The last change may be so new that logs are not settled under it yet.
        self._look_anew(watch.in_force, now)

    def __call__(self, now: datetime | None = None) -> Mapping[str, str]:
        """Between two batches: put in force what was found; the versions in force."""
        rules = self._watch.adopt()
        if rules is not None:
            active = [one for one in rules.book.active() if one.mode != "off"]
            self._engine.judges = Judges(active, self._engine.names)
            self._look_anew(rules, now or datetime.now(tz=UTC))
            self._versions = versions(rules)
        return self._versions

    def _look_anew(self, rules: Governed, now: datetime) -> None:
        until = rules.spells[-1].since + SETTLED_AFTER if rules.spells else now
        if now < until:
            self._store.look_anew(until.timestamp())


def versions(rules: Governed) -> dict[str, str]:
    """What is in force, for the record of `judged`: our code, the rule book with the head of its
    ledger, each detection with the limits of each of its periods.
    """
    try:
        code = version("loginward")
    except PackageNotFoundError:
        code = "checkout"
    told: dict[str, str] = {}
    for active in rules.book.active():
        known = told.get(active.rule.id)
        told[active.rule.id] = active.version if known is None else f"{known} {active.version}"
    return {"code": code, "rules": rules.version} | told


def _mark(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _tell(found: Governed) -> None:
    for trouble in found.troubles:
        log.error("governance", trouble=trouble)
