"""Lists as text and as CSV: one address or network a line."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Final

from detectors.errors import LoginwardError, escaped

from .feed import Feed
from .indicator import Indicator, named, network_of, tlp_of

COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "network": (
        "network", "ip", "address", "cidr", "indicator", "value", "ip_address", "src_ip", "ioc",
    ),
    "valid_from": ("valid_from", "first_seen", "since"),
    "valid_until": ("valid_until", "expires", "expiry", "until"),
    "confidence": ("confidence", "score"),
    "tlp": ("tlp",),
    "name": ("name", "title", "description", "threat", "comment"),
    "id": ("id", "uuid"),
}  # fmt: skip
"""What a column is for, and the headers by which it is found without --map."""
_LONGEST_CELL: Final = 10_000


def read_text(data: bytes, name: str) -> Feed:
    """One address or network a line; empty lines and what follows `#` or `;` are no matter."""
    feed = Feed(format="text")
    for number, line in enumerate(_lines(data), start=1):
        text = line.partition("#")[0].partition(";")[0].strip()
        if not text:
            continue
        place = f"{name}:{number}"
        try:
            network = network_of(text)
        except LoginwardError as failure:
            feed.bad.add(place, str(failure))
        else:
            feed.add(place, Indicator(network=str(network)))
    return feed


def read_csv(data: bytes, name: str, mapping: Mapping[str, str] | None = None) -> Feed:
    """Lines under a header; `mapping` says by which header a column is found.

    Raises LoginwardError where there is no column of addresses.
    """
    feed = Feed(format="csv")
    rows = csv.reader(io.StringIO(data.decode("utf-8-sig", "replace")), strict=True)
    try:
        header = next(rows, [])
        places = _places(header, name, mapping or {})
        for row in rows:
            if any(cell.strip() for cell in row):
                _row(feed, f"{name}:{rows.line_num}", row, places)
    except csv.Error as failure:
        raise LoginwardError(
            f"{name}:{rows.line_num}: is no CSV: {escaped(str(failure), 100)}"
        ) from None
    return feed


def is_csv(data: bytes) -> bool:
    """Whether the first line names a column of addresses beside another one, or alone."""
    first = next(iter(_lines(data[:_LONGEST_CELL])), "")
    return any(cell.strip().strip('"').lower() in COLUMNS["network"] for cell in first.split(","))


def _row(feed: Feed, place: str, row: list[str], places: Mapping[str, int]) -> None:
    cells = {key: row[at].strip() for key, at in places.items() if at < len(row)}
    try:
        indicator = Indicator(
            network=str(network_of(cells.get("network", ""))),
            id=named(cells.get("id")),
            name=named(cells.get("name")),
            valid_from=_time("valid_from", cells),
            valid_until=_time("valid_until", cells),
            confidence=_confidence(cells.get("confidence", "")),
            tlp=tlp_of(cells.get("tlp", "")),
        )
    except LoginwardError as failure:
        feed.bad.add(place, str(failure))
    else:
        feed.add(place, indicator)


def _places(header: list[str], name: str, mapping: Mapping[str, str]) -> dict[str, int]:
    found = {cell.strip().lower(): at for at, cell in reversed(list(enumerate(header)))}
    places: dict[str, int] = {}
    for key, headers in COLUMNS.items():
        wanted = (mapping[key].strip().lower(),) if key in mapping else headers
        at = next((found[one] for one in wanted if one in found), None)
        if at is not None:
            places[key] = at
        elif key in mapping or key == "network":
            raise LoginwardError(
                f"{name}:1: has no column {escaped(' or '.join(wanted), 100)}; it has "
                f"{escaped(', '.join(header), 200)}: write --map {key}=HEADER"
            )
    return places


def _time(key: str, cells: Mapping[str, str]) -> datetime | None:
    text = cells.get(key, "")
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
        # A bare date or a time without an offset is UTC: feeds mean that, and nobody can ask them.
        return (at if at.tzinfo is not None else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise LoginwardError(
            f"{key}: '{escaped(text, 60)}' is no time; write 2026-11-22T09:00:00+08:00"
        ) from None


def _confidence(text: str) -> int | None:
    if not text:
        return None
    if text.isascii() and text.isdigit() and int(text[:4]) <= 100:  # noqa: PLR2004 (STIX's scale)
        return int(text)
    raise LoginwardError(f"confidence: '{escaped(text, 30)}' is not 0 to 100")


def _lines(data: bytes) -> Iterator[str]:
    for line in data.split(b"\n"):
        yield line.decode("utf-8", "replace").lstrip("\ufeff").rstrip("\r")
