"""The ledger with the lists of its bulletins: what was in force when, as they alone tell it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Final

import msgspec

from detectors.errors import LoginwardError, escaped
from detectors.events import milliseconds
from detectors.indicators import FOR_EVER, Indicators, Span

from ..chained import START, Chain, append_link, read_chain
from ..files import whole_file
from ..settings import Settings
from .indicator import Indicator
from .records import Line, Received, Renewed, Revoked, What

FILE: Final = "ledger.jsonl"
Ledger = Chain[Line]

APPLIED_AFTER: Final = timedelta(seconds=15)
"""Between a line and the event time from which it holds: every worker has noticed it by then
(stream/lookups.py looks every 5 seconds), so that a replay says what was judged live."""

MOST_ENTRIES: Final = 1_000_000
"""Of all bulletins together: about 400 MB in each worker."""
_LARGEST_LIST: Final = 128 * 1024 * 1024
_decoder = msgspec.json.Decoder(Line)
_list_decoder = msgspec.json.Decoder(list[Indicator])
_encoder = msgspec.json.Encoder()


@dataclass(slots=True)
class Entry:
    """One indicator of a bulletin with the span (event time) in which it judges, in ms.

    `ended`: it was revoked here, or the source has said otherwise since.
    """

    bulletin: str
    indicator: Indicator
    since_ms: int
    until_ms: int
    ended: bool = False

    def end(self, at_ms: int) -> None:
        """From `at_ms` on it judges no more."""
        self.until_ms = min(self.until_ms, at_ms)
        self.ended = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """All that the ledger tells; `troubles` are sentences about what could not be used."""

    ledger: Ledger = field(default_factory=Chain)
    entries: tuple[Entry, ...] = ()
    troubles: tuple[str, ...] = ()

    @property
    def indicators(self) -> Indicators:
        """For detection."""
        return Indicators(
            (
                (ip_network(one.indicator.network), Span(one.since_ms, one.until_ms, one.bulletin))
                for one in self.entries
            ),
            version="" if self.ledger.head == START else self.ledger.head[:16],
        )

    def bulletins(self) -> dict[str, tuple[Line, Received]]:
        """Every bulletin by its id, oldest first."""
        return {
            line.id: (line, line.what)
            for line in self.ledger.lines
            if isinstance(line.what, Received)
        }


def folder_of(settings: Settings) -> Path:
    """Where the ledger and the lists lie."""
    return settings.intel.folder


def watched(folder: Path) -> tuple[Path, Path]:
    """What changes when what is in force does: the ledger, and a list that was put back."""
    return folder / FILE, folder / "lists"


def read(folder: Path) -> Ledger:
    """The ledger; empty where there is none. Raises OSError."""
    return read_chain(folder / FILE, _decoder)


def append(
    folder: Path,
    decide: Callable[[Ledger], What | None],
    *,
    by: str,
    login: str,
    reason: str,
    now: datetime,
) -> Line | None:
    """One more line, on the disk when this returns; None where `decide` gives none.

    `decide` sees the ledger as it stands, nobody else writing. Raises LoginwardError, OSError.
    """

    def make(known: Ledger) -> Line | None:
        what = decide(known)
        if what is None:
            return None
        return Line(
            number=len(known.lines) + 1,
            at=now,
            by=by,
            login=login,
            reason=reason,
            what=what,
            previous=known.head,
        )

    return append_link(folder / FILE, _decoder, make)


def source_of(text: str) -> str:
    """A file's name or a URL as the ledger keeps it."""
    return escaped(text, 400)[:500]


def last_cursor(ledger: Ledger, source: str) -> str:
    """Where the next poll of a collection begins; empty where it was never polled."""
    cursors = (
        line.what.cursor
        for line in reversed(ledger.lines)
        if isinstance(line.what, Received) and line.what.source == source_of(source)
    )
    return next((cursor for cursor in cursors if cursor), "")


def told(folder: Path) -> Told:
    """What the ledger in `folder` tells. Raises OSError.

    A damaged ledger or a lost list never ends detection: what can be read holds.
    """
    ledger = read(folder)
    troubles = [] if ledger.damage is None else [ledger.damage]
    loaded: dict[str, list[Indicator]] = {}
    for line in ledger.lines:
        if isinstance(line.what, Received):
            try:
                loaded[line.id] = load_list(folder, line.what.indicators)
            except (LoginwardError, OSError) as failure:
                troubles.append(f"{line.id}: {failure}")
    entries = entries_of(ledger.lines, loaded)
    return Told(ledger=ledger, entries=tuple(entries), troubles=tuple(troubles))


def entries_of(lines: Iterable[Line], loaded: dict[str, list[Indicator]]) -> list[Entry]:
    """Every indicator of the lists `loaded` (by bulletin), with the span in which it judges."""
    found: list[Entry] = []
    by_id: dict[str, tuple[datetime | None, list[Entry], str]] = {}
    for line in lines:
        at_ms = milliseconds(line.at + APPLIED_AFTER)
        what = line.what
        if isinstance(what, Received):
            _receive(line, loaded.get(line.id, []), found, by_id)
        elif isinstance(what, Renewed):
            ends = milliseconds(line.at + timedelta(seconds=what.validity_s))
            found += _renewed(found, what.bulletin, at_ms, ends)
        elif isinstance(what, Revoked):
            networks = frozenset(what.networks)
            for one in found:
                if what.bulletin in {None, one.bulletin} and (
                    not networks or one.indicator.network in networks
                ):
                    one.end(at_ms)
    return found


def _receive(
    line: Line,
    indicators: list[Indicator],
    found: list[Entry],
    by_id: dict[str, tuple[datetime | None, list[Entry], str]],
) -> None:
    what = line.what
    assert isinstance(what, Received)  # noqa: S101 (the caller has looked)
    at_ms = milliseconds(line.at + APPLIED_AFTER)
    default = milliseconds(line.at + timedelta(seconds=what.validity_s))
    for one in indicators:
        since = at_ms if one.valid_from is None else max(at_ms, milliseconds(one.valid_from))
        until = default if one.valid_until is None else milliseconds(one.valid_until)
        entry = Entry(line.id, one, since, min(FOR_EVER, until))
        if one.id:
            key = f"{what.format} {one.id}"
            known = by_id.get(key)
            if known is not None and known[2] != line.id:
                if _older(one.modified, known[0]):
                    continue  # what the source has since said otherwise
                for earlier in known[1]:
                    earlier.end(at_ms)
                known = None
            siblings = [] if known is None else known[1]
            by_id[key] = (one.modified, [*siblings, entry], line.id)
        if one.revoked:
            entry.end(entry.since_ms)
        found.append(entry)


def _older(new: datetime | None, known: datetime | None) -> bool:
    return new is not None and known is not None and new < known


def _renewed(found: list[Entry], bulletin: str, at_ms: int, ends: int) -> list[Entry]:
    """What has no end of its own goes on; what had lapsed meanwhile begins anew."""
    anew: list[Entry] = []
    last = {id(one.indicator): one for one in found if one.bulletin == bulletin}
    for one in last.values():
        if one.indicator.valid_until is not None or one.ended:
            continue
        if one.until_ms >= at_ms:
            one.until_ms = max(one.until_ms, ends)
        else:
            anew.append(Entry(bulletin, one.indicator, at_ms, ends))
    return anew


def store_list(folder: Path, indicators: list[Indicator]) -> str:
    """Keep a list under its hash, which is returned. Raises OSError."""
    data = _encoder.encode(indicators)
    name = hashlib.sha256(data).hexdigest()
    path = _list(folder, name)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with whole_file(path) as out:
        out.write(data)
    return name


def load_list(folder: Path, name: str) -> list[Indicator]:
    """A list by its hash. Raises LoginwardError where it is not what was received, OSError."""
    path = _list(folder, name)
    if not path.is_file():
        raise LoginwardError(f"{path}: is gone; put the backup in its place")
    data = path.read_bytes() if path.stat().st_size <= _LARGEST_LIST else b""
    if hashlib.sha256(data).hexdigest() != name:
        raise LoginwardError(f"{path}: was altered after its import; put the backup in its place")
    try:
        return _list_decoder.decode(data)
    except msgspec.DecodeError as failure:
        raise LoginwardError(f"{path}: {escaped(str(failure), 200)}") from None


def _list(folder: Path, name: str) -> Path:
    return folder / "lists" / f"{name}.json"
