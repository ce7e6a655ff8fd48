"""What can tell facts here: directory, geo data, networks, threat intelligence; exchanged live.

A change is noticed within seconds, opened beside what is in force, and adopted between two batches:
one batch is judged by one version, which its record of `judged` names. What cannot be opened is
told and counted, and what was in force stays.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

import structlog

from config.intel.store import folder_of, told, watched
from config.networks import load_networks
from config.settings import Settings
from config.systems import load_systems
from detectors.errors import LoginwardError
from detectors.events import LoginEvent
from detectors.facts import Facts, Joiner, facts_of
from detectors.indicators import NO_INDICATORS, Indicators
from detectors.networks import NO_NETWORKS, Networks
from detectors.pseudonyms import Pseudonyms

from . import metrics
from .directory import CURRENT, current_file, is_stale, open_directory
from .directory_file import CustomerDirectory
from .geo import GeoData, geo_files, open_geo

LOOK_EVERY_S: Final = 5.0
"""How often files are looked at for a change; a stat of each, no reading."""

Part = Literal["directory", "geo", "networks", "indicators"]
PARTS: Final[tuple[Part, ...]] = ("directory", "geo", "networks", "indicators")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """One version of all that can tell; never changes."""

    directory: CustomerDirectory | None = None
    geo: GeoData | None = None
    networks: Networks = NO_NETWORKS
    indicators: Indicators = NO_INDICATORS
    two_factors: frozenset[str] = frozenset()
    """The systems that demand a second factor."""

    def __call__(self, event: LoginEvent) -> Facts:
        """The facts of `event`; who stands behind a proxy, or is listed, is counted."""
        facts = facts_of(
            event, self.directory, self.geo, self.networks, self.indicators, self.two_factors
        )
        if facts.behind_proxy:
            metrics.BEHIND_PROXY.inc()
        if facts.kinds_from == "intel":
            metrics.INTEL_HITS.inc()
        return facts

    @property
    def joiner(self) -> Joiner | None:
        """Itself; None where nothing tells more than the event, so that nobody needs to ask."""
        more = self.directory is not None or self.geo is not None or self.networks.proxies
        return self if more or self.indicators or self.two_factors else None

    @property
    def versions(self) -> dict[str, str]:
        """What is in force, for the record of `judged`."""
        told = {} if self.joiner is None else {"networks": self.networks.version}
        if self.directory is not None:
            told["directory"] = self.directory.header.version
        if self.geo is not None:
            told["geo"] = self.geo.version
        if self.indicators.version:
            told["intel"] = self.indicators.version
        return told


class Lookups:
    """Opens what the settings name, and keeps watch over it. `clock` gives the time, aware.

    Raises `SettingsError` where files.networks or files.systems is wrong; a damaged directory or
    geo file is told, and its facts are not known until it is mended. The register is read at start.
    """

    def __init__(
        self,
        settings: Settings,
        names: Pseudonyms,
        clock: Callable[[], datetime] = lambda: datetime.now(tz=UTC),
    ) -> None:
        self._settings = settings
        self._names = names
        self._clock = clock
        self._stale = False
        self._marks: dict[Part, object] = {"networks": self._mark("networks")}
        self._found = InForce(
            networks=load_networks(settings.files.networks),
            two_factors=load_systems(settings.files.systems).two_factors,
        )
        self.look()
        self._in_force = self._found

    @property
    def in_force(self) -> InForce:
        """What is in force now."""
        return self._in_force

    def adopt(self) -> InForce:
        """Take over what was found since; to be called between two batches."""
        if self._found is not self._in_force:
            self._in_force = self._found
            log.info("facts in force", **self._in_force.versions)
        return self._in_force

    def look(self) -> None:
        """Open what has changed since the last look; takes a while where something has."""
        found = self._found
        for part in PARTS:
            mark = self._mark(part)
            if mark == self._marks.get(part):
                continue
            # Marked even if it fails: the same damage is told once, and tried again once changed.
            self._marks[part] = mark
            try:
                found = replace(found, **{part: self._opened(part)})
            except LoginwardError as failure:
                metrics.LOOKUP_FAILURES.labels(part).inc()
                log.warning("cannot be used, what was in force stays", of=part, why=str(failure))
        self._measure(found)
        self._found = found

    async def watch_for_ever(self) -> None:
        """Look every few seconds, in a thread, so that no batch waits for a large file."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            await asyncio.to_thread(self.look)

    def _opened(self, part: Part) -> Any:
        if part == "directory":
            return open_directory(self._settings.directory.folder, self._names)
        if part == "geo":
            return open_geo(self._settings.geo.folder)
        if part == "indicators":
            return self._indicators()
        return load_networks(self._settings.files.networks)

    def _indicators(self) -> Indicators:
        """What can be read of the ledger holds; what cannot is told."""
        try:
            known = told(folder_of(self._settings))
        except OSError as failure:
            raise LoginwardError(f"{failure.filename}: {failure.strerror}") from None
        for trouble in known.troubles:
            metrics.LOOKUP_FAILURES.labels("indicators").inc()
            log.error("threat intelligence is damaged", trouble=trouble)
        return known.indicators

    def _mark(self, part: Part) -> object:
        """What differs once a part has changed."""
        try:
            return tuple(_stat(path) for path in self._files(part))
        except (OSError, LoginwardError) as failure:
            return str(failure)

    def _files(self, part: Part) -> list[Path]:
        if part == "directory":
            folder = self._settings.directory.folder
            current = current_file(folder)
            return [] if current is None else [folder / CURRENT, current]
        if part == "geo":
            return geo_files(self._settings.geo.folder)
        if part == "indicators":
            return [file for file in watched(folder_of(self._settings)) if file.exists()]
        own = self._settings.files.networks
        return [] if own is None else [own]

    def _measure(self, found: InForce) -> None:
        metrics.FACTS_LOADED.labels("directory").set(found.directory is not None)
        metrics.FACTS_LOADED.labels("geo").set(found.geo is not None)
        if found.directory is None:
            metrics.DIRECTORY_STALE.set(0)
            return
        header = found.directory.header
        stale = is_stale(header, self._settings.directory.stale_after, self._clock())
        metrics.DIRECTORY_AS_OF.set(header.as_of.timestamp())
        metrics.DIRECTORY_STALE.set(stale)
        if stale and not self._stale:
            log.error(
                "the directory of customers is stale: new customers may be called unknown",
                as_of=header.as_of.isoformat(),
            )
        self._stale = stale


def _stat(path: Path) -> tuple[str, int, int, int]:
    found = path.stat()
    return str(path), found.st_ino, found.st_mtime_ns, found.st_size
