"""Fills frozen dataclasses from TOML and environment; every problem is found in one pass."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

from .checks import SecretUrl
from .errors import Problem, SettingsError, shown
from .toml_lines import KeyPath, locate
from .values import NotThis, convert

T = TypeVar("T")
Key = tuple[str, ...]
CrossCheck = Callable[[Any], Iterable[tuple[Key, str]]]

_WAY_OUT = "name a file that this user can read"
_MAX_FILE_BYTES = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where values come from, weakest first: defaults, file, environment.

    `aliases` are short names of the environment beside `<prefix>_<SECTION>_<KEY>`; `base` is the
    folder a relative data_dir stands under.
    """

    defaults: Path
    file: Path | None
    environ: Mapping[str, str]
    aliases: Mapping[str, Key]
    prefix: str
    base: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class _Value:
    place: str
    raw: Any
    from_environment: bool = False


def read(kind: type[T], sources: Sources, cross_checks: CrossCheck) -> T:
    """An instance of the dataclass `kind`. Raises `SettingsError` with everything that is wrong."""
    problems: list[Problem] = []
    known = _keys(kind)
    values = _from_file(sources.defaults, known, problems)
    if sources.file is not None:
        values |= _from_file(sources.file, known, problems)
    values |= _from_environment(sources, known, problems)
    converted = _convert_all(values, known, sources.base, problems)
    if problems:
        raise SettingsError(problems)
    settings = _build(kind, converted)
    for key, text in cross_checks(settings):
        problems.append(Problem(place=values[key].place, text=text))
    if problems:
        raise SettingsError(problems)
    return settings


def _keys(kind: type[Any], prefix: Key = ()) -> dict[Key, Any]:
    """Every key that may be set, with its annotation."""
    hints = get_type_hints(kind, include_extras=True)
    found: dict[Key, Any] = {}
    for part in fields(kind):
        hint = hints[part.name]
        if is_dataclass(hint) and isinstance(hint, type):
            found |= _keys(hint, (*prefix, part.name))
        else:
            found[(*prefix, part.name)] = hint
    return found


def _from_file(path: Path, known: Mapping[Key, Any], problems: list[Problem]) -> dict[Key, _Value]:
    try:
        content, lines = parse_toml(path)
    except SettingsError as failure:
        problems.extend(failure.problems)
        return {}
    sections = {key[0] for key in known if len(key) > 1}
    found: dict[Key, _Value] = {}
    for key, raw in _flat(content, sections):
        place = f"{path}:{lines.get(key, 1)} {'.'.join(key)}"
        problem = _unwelcome(key, raw, known, sections)
        if problem:
            problems.append(Problem(place=place, text=problem))
        else:
            found[key] = _Value(place=place, raw=raw)
    return found


def parse_toml(path: Path) -> tuple[dict[str, Any], dict[KeyPath, int]]:
    """The content of a TOML file and the line of each key.

    Raises `SettingsError` where the file cannot be read, is no TOML, or is larger than 1 MB.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(_MAX_FILE_BYTES + 1)
    except OSError as failure:
        raise SettingsError(
            [Problem(place=str(path), text=f"{failure.strerror}; {_WAY_OUT}")]
        ) from None
    if len(raw) > _MAX_FILE_BYTES:
        raise SettingsError([Problem(place=str(path), text="larger than 1 MB; is it settings?")])
    try:
        text = raw.decode()
        return tomllib.loads(text), locate(text)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as failure:
        raise SettingsError([Problem(place=str(path), text=f"not TOML: {failure}")]) from None


def _flat(content: Mapping[str, Any], sections: set[str]) -> list[tuple[Key, Any]]:
    flat: list[tuple[Key, Any]] = []
    for name, value in content.items():
        if name in sections and isinstance(value, dict):
            flat += [((name, inner), raw) for inner, raw in value.items()]
        else:
            flat.append(((name,), value))
    return flat


def _unwelcome(key: Key, raw: Any, known: Mapping[Key, Any], sections: set[str]) -> str | None:
    """Why a key of a file is refused, or None."""
    if key not in known:
        return _unknown(key, known, sections)
    secret = _secret(known[key])
    return secret.in_file(raw) if secret is not None and isinstance(raw, str) else None


def _secret(hint: Any) -> SecretUrl | None:
    extras = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
    return next((extra for extra in extras if isinstance(extra, SecretUrl)), None)


def _unknown(key: Key, known: Mapping[Key, Any], sections: set[str]) -> str:
    if key[0] in sections and len(key) == 1:
        return f"is a section, not a value; write it as [{key[0]}]"
    if len(key) == 1:
        return "is no section of ours; " + _nearest(
            key[0], [*sections, *(name[0] for name in known if len(name) == 1)]
        )
    return f"is no key of [{key[0]}]; " + _nearest(
        key[1], [name[1] for name in known if name[0] == key[0]]
    )


def _nearest(wrong: str, right: Iterable[str]) -> str:
    names = sorted(right)
    near = difflib.get_close_matches(wrong, names, n=1)
    return f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"


def _from_environment(
    sources: Sources, known: Mapping[Key, Any], problems: list[Problem]
) -> dict[Key, _Value]:
    names = {f"{sources.prefix}_{'_'.join(key).upper()}": key for key in known}
    names |= dict(sources.aliases)
    starts = tuple(f"{sources.prefix}_{key[0].upper()}_" for key in known if len(key) > 1)
    found: dict[Key, _Value] = {}
    for name, raw in sources.environ.items():
        if name in names:
            found[names[name]] = _Value(place=f"environment {name}", raw=raw, from_environment=True)
        elif name.startswith(starts):
            section = next(start for start in starts if name.startswith(start))
            near = _nearest(name, [right for right in names if right.startswith(section)])
            problems.append(Problem(place=f"environment {name}", text=f"sets nothing; {near}"))
    return found


def _convert_all(
    values: Mapping[Key, _Value], known: Mapping[Key, Any], base: Path, problems: list[Problem]
) -> dict[Key, Any]:
    """Values in their types; data_dir first, since relative paths stand under it."""
    converted: dict[Key, Any] = {}
    for key in sorted(known, key=lambda key: key != ("data_dir",)):
        value = values.get(key)
        if value is None:
            problems.append(Problem(place=".".join(key), text="has no default; our fault"))
            continue
        under = base if key == ("data_dir",) else converted.get(("data_dir",), base)
        try:
            converted[key] = convert(
                value.raw, known[key], under=under, text_only=value.from_environment
            )
        except NotThis as failure:
            told = "the value" if _secret(known[key]) else shown(value.raw)
            problems.append(Problem(place=value.place, text=f"{told} {failure}"))
    return converted


def _build(kind: type[T], converted: Mapping[Key, Any], prefix: Key = ()) -> T:
    hints = get_type_hints(kind)
    parts: dict[str, Any] = {}
    for part in fields(kind):  # type: ignore[arg-type]  # T is always one of our dataclasses
        hint = hints[part.name]
        key = (*prefix, part.name)
        nested = is_dataclass(hint) and isinstance(hint, type)
        parts[part.name] = _build(hint, converted, key) if nested else converted[key]
    return kind(**parts)
