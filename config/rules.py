"""The detections in force: rules.toml read into typed limits, each problem with file and line."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, get_type_hints

from detectors.rule import ActiveRule, Mode, Rule
from detectors.rules import RULES
from detectors.windows import LONGEST_QUIET_MS, LONGEST_WINDOW_MS

from .checks import Between, NonEmpty
from .durations import written
from .errors import Problem, SettingsError, shown
from .reading import parse_toml
from .toml_lines import KeyPath
from .values import NotThis, convert

DEFAULT = Path(__file__).with_name("rules.toml")
_SHORTEST = timedelta(seconds=1)
_LONGEST_QUIET = timedelta(milliseconds=LONGEST_QUIET_MS)
_LONGEST_WINDOW = timedelta(milliseconds=LONGEST_WINDOW_MS)
_LARGEST = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One detection as rules.toml sets it; who answers for it and why stand beside the limits."""

    mode: Mode = "staged"
    owner: Annotated[str, NonEmpty()] = "nobody yet"
    reason: Annotated[str, NonEmpty()] = (
        "not in the file: it judges with its defaults and pages nobody"
    )
    quiet: Annotated[timedelta, Between(_SHORTEST, _LONGEST_QUIET)] = _LONGEST_QUIET
    limits: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleBook:
    """All detections with what the file says of them, in the order of detectors/rules."""

    file: Path
    entries: Mapping[str, Entry]

    def active(self) -> tuple[ActiveRule, ...]:
        """The detections as the engine takes them."""
        return tuple(self._active(rule, self.entries[rule.id]) for rule in RULES)

    @staticmethod
    def _active(rule: Rule, entry: Entry) -> ActiveRule:
        return ActiveRule(rule=rule, limits=entry.limits, quiet=entry.quiet, mode=entry.mode)


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
    entries = {
        rule.id: _entry(rule, content.get(rule.id, {}), file, lines, problems)
        for rule in known.values()
    }
    if problems:
        raise SettingsError(problems)
    return RuleBook(file=file, entries=entries)


def _entry(
    rule: Rule, raw: Any, file: Path, lines: Mapping[KeyPath, int], problems: list[Problem]
) -> Entry:
    if not isinstance(raw, dict):
        problems.append(Problem(place=_place(file, lines, (rule.id,)), text="is no table"))
        return Entry()
    where = _Where(file, lines, (rule.id,), problems)
    hints = get_type_hints(Entry, include_extras=True)
    del hints["limits"]
    own = _values({key: value for key, value in raw.items() if key != "limits"}, hints, where)
    inner = raw.get("limits", {})
    if not isinstance(inner, dict):
        problems.append(Problem(place=_place(file, lines, (rule.id, "limits")), text="is no table"))
        inner = {}
    limits = _values(inner, _limit_hints(rule), _Where(file, lines, (rule.id, "limits"), problems))
    return Entry(**own, limits=rule.limits(**limits))


@dataclass(frozen=True, slots=True)
class _Where:
    file: Path
    lines: Mapping[KeyPath, int]
    path: tuple[str, ...]
    problems: list[Problem]

    def wrong(self, key: str, text: str) -> None:
        self.problems.append(
            Problem(place=_place(self.file, self.lines, (*self.path, key)), text=text)
        )


def _limit_hints(rule: Rule) -> dict[str, Any]:
    """Limits are counts of at least one, or spans no longer than a subject is remembered."""
    bounded = {int: Between(1, _LARGEST), timedelta: Between(_SHORTEST, _LONGEST_WINDOW)}
    return {
        name: Annotated[hint, bounded[hint]] if hint in bounded else hint
        for name, hint in get_type_hints(rule.limits).items()
    }


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


def _place(file: Path, lines: Mapping[KeyPath, int], path: tuple[str, ...]) -> str:
    line = next((lines[path[:end]] for end in range(len(path), 0, -1) if path[:end] in lines), 1)
    return f"{file}:{line} {'.'.join(path)}"


def _nearest(wrong: str, right: Iterable[str]) -> str:
    names = sorted(right)
    near = difflib.get_close_matches(wrong, names, n=1)
    return f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"


def told(limits: Any) -> dict[str, str]:
    """Limits as rules.toml writes them, for `rules show` and the record of what was in force."""
    return {
        part.name: written(value) if isinstance(value, timedelta) else str(value)
        for part in fields(limits)
        if (value := getattr(limits, part.name)) is not None
    }
