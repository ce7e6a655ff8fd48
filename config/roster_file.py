"""roster.toml into a Roster; what is wrong is told with its place, and no number is ever shown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Final, get_args
from zoneinfo import ZoneInfo

import msgspec

from detectors.events import Name

from .checks import web_url
from .durations import parse_duration
from .errors import Problem, SettingsError, shown
from .reading import parse_toml
from .roster import Channel, Level, Person, Roster, Shift, Way

DEFAULT: Final = Path(__file__).with_name("roster.toml")

_PHONE = re.compile(r"\+[1-9][0-9]{6,14}")
_AT = re.compile(r" - at `\$?([^`]*)`$")


class _RawPerson(msgspec.Struct, forbid_unknown_fields=True):
    name: Name
    channels: Annotated[list[str], msgspec.Meta(min_length=1)]


class _RawLevel(msgspec.Struct, forbid_unknown_fields=True):
    name: Name
    escalate_after: str
    shift: Annotated[list[Shift], msgspec.Meta(min_length=1)]


class _RawFirst(msgspec.Struct, forbid_unknown_fields=True):
    high: str | None = None
    critical: str | None = None


class _Raw(msgspec.Struct, forbid_unknown_fields=True):
    timezone: str = "Asia/Taipei"
    person: list[_RawPerson] = []
    level: list[_RawLevel] = []
    first: _RawFirst = msgspec.field(default_factory=_RawFirst)


def load_roster(path: Path | None = None) -> Roster:
    """The roster of `path` (None: config/roster.toml, which names nobody).

    Raises `SettingsError` with what is wrong: file, place, value, way out.
    """
    file = path if path is not None else DEFAULT
    content, lines = parse_toml(file)
    try:
        raw = msgspec.convert(_hours(content), _Raw)
    except msgspec.ValidationError as failure:
        where = _AT.search(str(failure))
        key = where[1].lstrip(".") if where else ""
        text = f"{_AT.sub('', str(failure))}; config/roster.toml shows how"
        raise SettingsError(
            [Problem(place=f"{file}:{_line(lines, key)} {key}", text=text)]
        ) from None
    problems = [Problem(place=f"{file} {place}", text=text) for place, text in _wrong(raw)]
    if problems:
        raise SettingsError(problems)
    return _built(raw, file.parent)


def _hours(content: dict[str, Any]) -> dict[str, Any]:
    """`08:00`, as people write it, is an hour; msgspec wants seconds too."""
    levels = [dict(level) for level in content.get("level", []) if isinstance(level, dict)]
    for level in levels:
        level["shift"] = [
            {
                key: f"{value}:00"
                if key in {"from", "to"} and len(str(value)) == len("08:00")
                else value
                for key, value in shift.items()
            }
            if isinstance(shift, dict)
            else shift
            for shift in level.get("shift", [])
        ]
    return content | ({"level": levels} if levels else {})


def _line(lines: Mapping[Any, int], key: str) -> int:
    parts = tuple(
        int(part) if part.isdigit() else part for part in re.split(r"[.\[\]]+", key) if part
    )
    for end in range(len(parts), 0, -1):
        if parts[:end] in lines:
            return lines[parts[:end]]
    return 1


def _wrong(raw: _Raw) -> Iterator[tuple[str, str]]:
    try:
        ZoneInfo(raw.timezone)
    except (KeyError, ValueError, OSError):
        yield "timezone", f"{shown(raw.timezone)} is no time zone; write Asia/Taipei"
    people = [person.name for person in raw.person]
    for person in raw.person:
        if people.count(person.name) > 1:
            yield f"person {person.name}", "stands there twice; give each a name of their own"
        for channel in person.channels:
            text = _wrong_channel(channel)
            if text:
                yield f"person {person.name}", text
    names = [level.name for level in raw.level]
    for level in raw.level:
        yield from _wrong_level(level, people)
    for severity in ("high", "critical"):
        first = getattr(raw.first, severity)
        if first is not None and first not in names:
            yield f"first.{severity}", f"{shown(first)} is no level; there are {', '.join(names)}"
        if first is None and raw.level:
            yield f"first.{severity}", "is not set, so nobody would be paged; name a level"


def _wrong_level(level: _RawLevel, people: list[str]) -> Iterator[tuple[str, str]]:
    try:
        if not timedelta(minutes=1) <= parse_duration(level.escalate_after) <= timedelta(days=1):
            yield f"level {level.name}", "escalate_after is not between 1m and 24h"
    except ValueError as failure:
        yield f"level {level.name}", f"escalate_after: {shown(level.escalate_after)} {failure}"
    for shift in level.shift:
        for name in shift.people:
            if name not in people:
                yield f"level {level.name}", f"{shown(name)} is no [[person]] of this file"


def _wrong_channel(text: str) -> str | None:
    """What is wrong with `way:address`; the address itself is never shown."""
    way, found, address = text.partition(":")
    if way not in get_args(Way) or not found or not address:
        return "a channel is no way:address; write sms:+886900000001, phone:, push: or webhook:"
    if way in {"sms", "phone"} and not _PHONE.fullmatch(address):
        return f"the {way} number is not in E.164; write {way}:+886900000001"
    wrong = web_url(address) if way == "webhook" else None
    return f"the webhook {wrong}" if wrong else None


def _built(raw: _Raw, folder: Path) -> Roster:
    names = [level.name for level in raw.level]
    people = {
        person.name: Person(person.name, tuple(_channel(text, folder) for text in person.channels))
        for person in raw.person
    }
    firsts = {"high": raw.first.high, "critical": raw.first.critical}
    return Roster(
        zone=raw.timezone,
        people=people,
        levels=tuple(
            Level(
                name=level.name,
                escalate_after=parse_duration(level.escalate_after),
                shifts=tuple(level.shift),
            )
            for level in raw.level
        ),
        first={severity: names.index(name) for severity, name in firsts.items() if name},
    )


def _channel(text: str, folder: Path) -> Channel:
    way, _, address = text.partition(":")
    if way == "push":
        address = str(folder / Path(address).expanduser())
    return Channel(way, address)  # type: ignore[arg-type]  # `_wrong_channel` has looked
