"""The register of core systems: who must be heard from, since when, and who answers for it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import msgspec

from detectors.events import Channel, Name

from .durations import parse_duration
from .errors import Problem, SettingsError, shown
from .reading import parse_toml
from .toml_lines import KeyPath

RESERVED = "_"
"""Names that start so are ours: `_canary` goes through the whole pipeline and is never counted."""

_AT = re.compile(r" - at `\$((?:\.\w+|\[\d+\])*)`$")
_UNKNOWN = re.compile(r"unknown field `([^`]*)`")


class CoreSystem(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"since": "from"}
):
    """One core system and the time it serves; days are those of Asia/Taipei."""

    name: Name
    owner: Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
    channels: Annotated[tuple[Channel, ...], msgspec.Meta(min_length=1)]
    sources: Annotated[tuple[Name, ...], msgspec.Meta(min_length=1)]
    silent_after: timedelta
    two_factors: bool = False
    """Whether the firm demands a second factor of every login there."""
    since: date
    until: date | None = None

    def serves_on(self, day: date) -> bool:
        """Whether it is to be heard from on `day`."""
        return self.since <= day and (self.until is None or day <= self.until)


class Register(msgspec.Struct, frozen=True):
    """All registered systems, in the order of the file."""

    systems: tuple[CoreSystem, ...]

    def serving(self, day: date) -> tuple[CoreSystem, ...]:
        """The systems to be heard from on `day`."""
        return tuple(system for system in self.systems if system.serves_on(day))

    @property
    def two_factors(self) -> frozenset[str]:
        """The systems of which the firm demands a second factor."""
        return frozenset(system.name for system in self.systems if system.two_factors)

    def unregistered(self, heard: Iterable[str], day: date) -> tuple[str, ...]:
        """Names heard on `day` that no entry covers, sorted; our own (`_canary`) left out."""
        known = {system.name for system in self.serving(day)}
        return tuple(sorted({n for n in heard if n not in known and not n.startswith(RESERVED)}))


def load_systems(path: Path | None = None) -> Register:
    """The register from `path` (None: config/systems.toml).

    Raises `SettingsError` with every problem found: file, line, value, way out.
    """
    file = path if path is not None else Path(__file__).with_name("systems.toml")
    content, lines = parse_toml(file)
    problems = [
        Problem(place=f"{file}:{lines.get((key,), 1)} {key}", text="is unknown; write [[system]]")
        for key in content
        if key != "system"
    ]
    systems: dict[int, CoreSystem] = {}
    entries = content.get("system", [])
    if not isinstance(entries, list):
        raise SettingsError(
            [Problem(place=f"{file} system", text="write [[system]], not [system]")]
        )
    for at, entry in enumerate(entries):
        try:
            systems[at] = _system(entry)
        except (msgspec.ValidationError, ValueError) as failure:
            problems.append(_problem(file, lines, at, entry, str(failure)))
    problems += _overlaps(file, lines, systems)
    if problems:
        raise SettingsError(problems)
    return Register(tuple(systems.values()))


def _system(entry: dict[str, Any]) -> CoreSystem:
    raw = dict(entry)
    if isinstance(raw.get("silent_after"), str):
        try:
            raw["silent_after"] = parse_duration(raw["silent_after"])
        except ValueError as failure:
            raise ValueError(f"{failure} - at `$.silent_after`") from None
    system = msgspec.convert(raw, CoreSystem)
    if system.name.startswith(RESERVED):
        raise ValueError(f"names with {RESERVED} in front are loginward's own - at `$.name`")
    if system.until is not None and system.until < system.since:
        raise ValueError("ends before it begins - at `$.until`")
    return system


def _problem(file: Path, lines: dict[KeyPath, int], at: int, entry: Any, message: str) -> Problem:
    """The place of a failure, from msgspec's path (`$.channels[1]`) to file and line."""
    where = _AT.search(message)
    unknown = _UNKNOWN.search(message)
    key = unknown[1] if unknown else where[1].lstrip(".").split("[")[0] if where else ""
    path: KeyPath = ("system", at, key) if key else ("system", at)
    line = lines.get(path, lines.get(("system", at), 1))
    text = _AT.sub("", message)
    if not unknown and isinstance(entry, dict) and key in entry:
        text = f"{shown(entry[key])}: {text}"
    return Problem(
        place=f"{file}:{line} system.{key}".rstrip("."),
        text=f"{text}; config/systems.toml says what each key takes",
    )


def _overlaps(
    file: Path, lines: dict[KeyPath, int], systems: dict[int, CoreSystem]
) -> Iterator[Problem]:
    """Two entries of one name that serve at the same time contradict each other."""
    by_name: defaultdict[str, list[tuple[CoreSystem, int]]] = defaultdict(list)
    for at, system in systems.items():
        by_name[system.name].append((system, at))
    for name, entries in by_name.items():
        entries.sort(key=lambda entry: entry[0].since)
        for (earlier, _), (later, at) in pairwise(entries):
            if earlier.until is None or later.since <= earlier.until:
                yield Problem(
                    place=f"{file}:{lines.get(('system', at), 1)} system",
                    text=f"{shown(name)} is registered twice from {later.since}; end the earlier",
                )
