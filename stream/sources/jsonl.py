"""JSON Lines: events of the wire as they are, and the short form of public data sets.

A field of the wire keeps its meaning. Where it is missing, these stand for it:

    ts -> occurred_at      user -> account      source -> data_source

(`source` only in the short form with `ts`, where it names a file and no emitter). What can be known
is filled in: `schema` 1, `system` as named on the command line, `event_id` as for any line source.
Fields the wire does not know (a data set's `label`) are kept beside the event, archived and ignored
by rules; null stands for an optional field that is not there.
"""

from __future__ import annotations

from typing import Any

import msgspec

from detectors import wire
from detectors.errors import Rejected
from detectors.events import LoginEvent

from .base import Found, Line, Source, SourceOptions, Understood

ALIASES = {"ts": "occurred_at", "user": "account"}
_DATA_SOURCE = "data_source"

_FIELDS = frozenset(field.encode_name for field in msgspec.structs.fields(LoginEvent))
_NULLABLE = frozenset({"account", "ip"})
"""Null says something here: the source has none."""
_UNNAMED = "-"
_ROOM = 64
"""Bytes that `received_at` will add to a record."""
_NEARLY_TOO_LARGE = wire.MAX_RECORD_BYTES // 2
_decode = msgspec.json.Decoder(dict[str, Any]).decode


class Jsonl:
    """Reads one JSON object a line; every line stands for itself."""

    def __init__(self, options: SourceOptions) -> None:
        self._system = options.system
        self._ids = options.ids

    def read(self, line: Line) -> Understood:
        """What `line` says; see `Source.read`. Its rejects carry the wire's own reasons."""
        if line.cut is not None:
            raise Rejected("too_large", f"{line.cut.length} bytes in one line")
        if not line.raw.strip():
            return Understood("no_login", "an empty line")
        tree = _tree(line.raw)
        named = "event_id" in tree
        extra = {name: tree.pop(name) for name in list(tree) if name not in _FIELDS}
        if not named:
            tree["event_id"] = _UNNAMED
        tree.setdefault("schema", 1)
        tree.setdefault("system", self._system)
        event = wire.decode(msgspec.json.encode(tree))
        if not named:
            identity = self._ids.line(line.raw, line.at, event.occurred_at)
            event = msgspec.structs.replace(event, event_id=identity.event_id())
        found = Found(event, line.at, extra or None)
        if (
            len(line.raw) > _NEARLY_TOO_LARGE
            and len(found.record()) > wire.MAX_RECORD_BYTES - _ROOM
        ):
            raise Rejected("too_large", f"{len(line.raw)} bytes in one line")
        why = "an event of the wire" if named else "an event without an id"
        return Understood("attempt", why, (found,))

    def flush(self, *, cut_off: bool) -> tuple[Found, ...]:  # noqa: ARG002 (nothing is held)
        """Nothing: no line waits for another."""
        return ()

    def holds_from(self) -> int | None:
        """See `Source.holds_from`: no line is held."""
        return None

    def needs_from(self) -> int | None:
        """See `Source.needs_from`: equal lines without ids are numbered."""
        return self._ids.needs_from()


def make(options: SourceOptions) -> Source:
    """A source for JSON Lines."""
    return Jsonl(options)


def _tree(raw: bytes) -> dict[str, Any]:
    try:
        tree = _decode(raw)
    except msgspec.ValidationError as problem:
        raise Rejected("wrong_type", f"no JSON object: {problem}") from None
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as problem:
        raise Rejected("not_json", str(problem) or type(problem).__name__) from None
    if "occurred_at" not in tree and "ts" in tree and "source" in tree:
        tree[_DATA_SOURCE] = tree.pop("source")
    for alias, name in ALIASES.items():
        if name not in tree and alias in tree:
            tree[name] = tree.pop(alias)
    return {name: value for name, value in tree.items() if value is not None or name in _NULLABLE}
