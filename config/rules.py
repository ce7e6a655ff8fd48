"""The detections in force: rules.toml read into typed limits, each problem with file and line.

An entry may hold from an `effective` time on; `[[<rule>.earlier]]` say what held before it. Times
are event times, so that a replay of an old day judges by what was in force then.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, get_type_hints

from detectors.rule import Rule
from detectors.rules import RULES
from detectors.windows import LONGEST_WINDOW_MS

from .checks import Between
from .errors import Problem, SettingsError, shown
from .reading import parse_toml
from .rule_book import Entry, RuleBook, told
from .toml_lines import KeyPath
from .values import NotThis, convert

__all__ = ["DEFAULT", "Entry", "RuleBook", "load_rules", "told"]

DEFAULT = Path(__file__).with_name("rules.toml")
_SHORTEST = timedelta(seconds=1)
_LONGEST_WINDOW = timedelta(milliseconds=LONGEST_WINDOW_MS)
_LARGEST = 1_000_000


def load_rules(path: Path | None = None, rules: Iterable[Rule] = RULES) -> RuleBook:
    """The rule book of `path` (None: config/rules.toml). Raises `SettingsError` with every problem.

    A detection that the file does not name judges with its defaults, staged: an upgrade that brings
    a new one pages nobody until somebody has decided so.
    """
    file = path if path is not None else DEFAULT
    content, lines = parse_toml(file)
    known = {rule.id: rule for rule in rules}
    problems: list[Problem] = [
        Problem(
            place=_place(file, lines, (name,)), text=f"is no detection; {_nearest(name, known)}"
        )
        for name in content
        if name not in known
    ]
    entries: dict[str, Entry] = {}
    earlier: dict[str, tuple[Entry, ...]] = {}
    for rule in known.values():
        where = _Where(file, lines, (rule.id,), problems)
        *before, entries[rule.id] = _periods(rule, content.get(rule.id, {}), where)
        if before:
            earlier[rule.id] = tuple(before)
    if problems:
        raise SettingsError(problems)
    return RuleBook(file=file, entries=entries, earlier=earlier)


def _periods(rule: Rule, raw: Any, where: _Where) -> list[Entry]:
    """The entry of one detection behind those that held before it, in the order of time."""
    if not isinstance(raw, dict):
        where.itself("is no table")
        return [Entry()]
    newest = _entry(rule, {key: raw[key] for key in raw if key != "earlier"}, where)
    listed = raw.get("earlier", [])
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        where.wrong("earlier", f"is no array of tables; write [[{rule.id}.earlier]]")
        listed = []
    inside = [where.under("earlier", number) for number in range(len(listed))]
    found = [_entry(rule, one, place) for one, place in zip(listed, inside, strict=True)]
    found.append(newest)
    for one, before, place in zip(found[1:], found, [*inside[1:], where], strict=False):
        since = before.effective
        if one.effective is None:
            place.wrong("effective", "must say since when, where another entry held before")
        elif since is not None and one.effective <= since:
            place.wrong("effective", f"is not after {since.isoformat()}, that of the one before it")
    return found


def _entry(rule: Rule, raw: Mapping[str, Any], where: _Where) -> Entry:
    hints = get_type_hints(Entry, include_extras=True)
    del hints["limits"]
    own = _values({key: value for key, value in raw.items() if key != "limits"}, hints, where)
    inner = raw.get("limits", {})
    if not isinstance(inner, dict):
        where.wrong("limits", "is no table")
        inner = {}
    limits = _values(inner, _limit_hints(rule), where.under("limits"))
    return Entry(**own, limits=rule.limits(**limits))


@dataclass(frozen=True, slots=True)
class _Where:
    file: Path
    lines: Mapping[KeyPath, int]
    path: KeyPath
    problems: list[Problem]

    def under(self, *keys: str | int) -> _Where:
        return _Where(self.file, self.lines, (*self.path, *keys), self.problems)

    def itself(self, text: str) -> None:
        self.problems.append(Problem(place=_place(self.file, self.lines, self.path), text=text))

    def wrong(self, key: str, text: str) -> None:
        self.under(key).itself(text)


def _limit_hints(rule: Rule) -> dict[str, Any]:
    """Limits are counts of at least one, or spans no longer than a subject is remembered."""
    found: dict[str, Any] = {}
    for name, hint in get_type_hints(rule.limits).items():
        longest = rule.longest.get(name, _LONGEST_WINDOW)
        bounded = {int: Between(1, _LARGEST), timedelta: Between(_SHORTEST, longest)}
        found[name] = Annotated[hint, bounded[hint]] if hint in bounded else hint
    return found


def _values(raw: Mapping[str, Any], hints: Mapping[str, Any], where: _Where) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, value in raw.items():
        if key not in hints:
            where.wrong(key, f"is no key here; {_nearest(key, hints)}")
            continue
        try:
            values[key] = convert(value, hints[key], under=where.file.parent, text_only=False)
        except NotThis as failure:
            where.wrong(key, f"{shown(value)} {failure}")
    return values


def _place(file: Path, lines: Mapping[KeyPath, int], path: KeyPath) -> str:
    line = next((lines[path[:end]] for end in range(len(path), 0, -1) if path[:end] in lines), 1)
    return f"{file}:{line} {'.'.join(map(str, path))}"


def _nearest(wrong: str, right: Iterable[str]) -> str:
    names = sorted(right)
    near = difflib.get_close_matches(wrong, names, n=1)
    return f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"
