"""One value of a file or of the environment into the type its setting has."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from .durations import parse_duration

_BOOLEANS = {"true": True, "false": False}


class NotThis(ValueError):
    """A value that its setting cannot take; the text goes after the value."""


def convert(raw: Any, hint: Any, *, under: Path, text_only: bool) -> Any:
    """`raw` as `hint` says, checked by what `Annotated` holds.

    `under` is the folder of relative paths; `text_only` means that `raw` came from the environment,
    where numbers and booleans are texts. Raises `NotThis`.
    """
    checks: tuple[Any, ...] = ()
    if get_origin(hint) is Annotated:
        hint, *extras = get_args(hint)
        checks = tuple(extras)
    optional = get_origin(hint) in {Union, UnionType} and NoneType in get_args(hint)
    if optional:
        if raw == "":
            return None
        (hint,) = (kind for kind in get_args(hint) if kind is not NoneType)
    if hint is Path and raw == "":
        raise NotThis("is empty; it must be set")
    value = _moment(raw) if hint is datetime else _typed(raw, hint, under, text_only=text_only)
    for check in checks:
        wrong = check(value)
        if wrong:
            raise NotThis(wrong)
    return value


def _typed(raw: Any, hint: Any, under: Path, *, text_only: bool) -> Any:
    if get_origin(hint) is Literal:
        return _choice(raw, get_args(hint))
    if hint is bool:
        return _boolean(raw, text_only=text_only)
    if hint is int:
        return _integer(raw, text_only=text_only)
    if not isinstance(raw, str):
        raise NotThis("is not a text; put it in quotes")
    if hint is timedelta:
        try:
            return parse_duration(raw)
        except ValueError as failure:
            raise NotThis(str(failure)) from None
    if "\0" in raw:
        raise NotThis("holds a NUL character")
    if hint is Path:
        return (under / Path(raw).expanduser()).absolute()
    return raw


def _moment(raw: Any) -> datetime:
    """A TOML date-time or RFC 3339 text, with its offset."""
    at = raw
    if isinstance(raw, str):
        try:
            at = datetime.fromisoformat(raw)
        except ValueError:
            at = None
    if not isinstance(at, datetime) or at.tzinfo is None:
        raise NotThis("is no time with an offset; write 2026-12-01T09:00:00+08:00")
    return at


def _choice(raw: Any, allowed: tuple[str, ...]) -> str:
    if raw not in allowed:
        raise NotThis(f"is none of {', '.join(allowed)}")
    return str(raw)


def _boolean(raw: Any, *, text_only: bool) -> bool:
    value = _BOOLEANS.get(raw.lower()) if text_only else raw
    if not isinstance(value, bool):
        raise NotThis("is neither true nor false")
    return value


def _integer(raw: Any, *, text_only: bool) -> int:
    if text_only:
        try:
            return int(raw)
        except ValueError:
            raise NotThis("is not a whole number") from None
    if isinstance(raw, bool) or not isinstance(raw, int):
        raise NotThis("is not a whole number; write it without quotes, point or unit")
    return raw
