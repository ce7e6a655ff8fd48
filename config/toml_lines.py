"""On which line of a TOML file a key stands, which tomllib does not tell."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

KeyPath = tuple[str | int, ...]

_PART = r'(?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|\'[^\']*\')'
_DOTTED = rf"{_PART}(?:[ \t]*\.[ \t]*{_PART})*"
_HEADER = re.compile(rf"^[ \t]*(\[\[?)[ \t]*({_DOTTED})[ \t]*\]")
_KEY = re.compile(rf"^[ \t]*({_DOTTED})[ \t]*=(.*)$")
_PARTS = re.compile(_PART)
_TOKEN = re.compile(r'"""|\'\'\'|"(?:[^"\\]|\\.)*"|\'[^\']*\'|[\[\]{}#]')
_CLOSING = {
    '"""': re.compile(r'(?:[^"\\]|\\.|"(?!""))*"""'),
    "'''": re.compile(r"(?:[^']|'(?!''))*'''"),
}


@dataclass(slots=True)
class _Scan:
    lines: dict[KeyPath, int] = field(default_factory=dict)
    table: KeyPath = ()
    counts: dict[KeyPath, int] = field(default_factory=dict)
    depth: int = 0  # open brackets of a value that goes on
    quote: str = ""  # open multi-line string


def locate(text: str) -> dict[KeyPath, int]:
    """Path of each table and key to its line, counted from 1; arrays of tables count from 0.

    `text` is TOML that tomllib has accepted. Keys inside inline tables are found at the line of the
    key that holds the table.
    """
    scan = _Scan()
    for number, line in enumerate(text.splitlines(), start=1):
        if scan.quote or scan.depth:
            _skip_value(scan, line)
        elif header := _HEADER.match(line):
            _enter_table(scan, _parts(header[2]), number, array=header[1] == "[[")
        elif key := _KEY.match(line):
            _note(scan, scan.table + _parts(key[1]), number)
            _skip_value(scan, key[2])
    return scan.lines


def _enter_table(scan: _Scan, parts: KeyPath, number: int, *, array: bool) -> None:
    path: KeyPath = ()
    for part in parts[:-1]:
        path = (*path, part)
        if path in scan.counts:
            path = (*path, scan.counts[path])
    path = (*path, parts[-1])
    if array:
        scan.counts[path] = scan.counts.get(path, -1) + 1
        scan.lines.setdefault(path, number)
        path = (*path, scan.counts[path])
    scan.table = path
    _note(scan, path, number)


def _note(scan: _Scan, path: KeyPath, number: int) -> None:
    for end in range(1, len(path) + 1):
        scan.lines.setdefault(path[:end], number)


def _skip_value(scan: _Scan, rest: str) -> None:
    """Follow brackets and multi-line strings to where the next line stands in the value."""
    at = 0
    while at <= len(rest):
        if scan.quote:
            end = _CLOSING[scan.quote].match(rest, at)
            if end is None:
                return
            scan.quote, at = "", end.end()
            continue
        token = _TOKEN.search(rest, at)
        if token is None or token[0] == "#":
            return
        at = token.end()
        if token[0] in _CLOSING:
            scan.quote = token[0]
        elif token[0] in "[{":
            scan.depth += 1
        elif token[0] in "]}":
            scan.depth -= 1


def _parts(dotted: str) -> KeyPath:
    return tuple(part[1:-1] if part[0] in "\"'" else part for part in _PARTS.findall(dotted))
