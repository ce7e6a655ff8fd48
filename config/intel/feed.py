"""What a file of a source holds: indicators, what is none of ours, what cannot be read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

import msgspec

from detectors.errors import LoginwardError, escaped

from .indicator import Indicator, Tlp

Format = Literal["stix", "misp", "csv", "text"]
FORMATS: Final[tuple[Format, ...]] = get_args(Format)

LARGEST_BYTES: Final = 64 * 1024 * 1024
"""A year of a national centre's bulletins has a few megabytes; more is a mistake or an attack."""
MOST_ENTRIES: Final = 200_000
"""Of one bulletin. Blocklists in the field have up to 100,000 lines."""
SHOWN: Final = 20
"""Bad and skipped entries are named one by one up to here, then counted."""


@dataclass(slots=True)
class Noted:
    """Sentences of which the first are kept and all are counted."""

    first: list[str] = field(default_factory=list)
    count: int = 0

    def add(self, place: str, text: str) -> None:
        """One more: where it stands, and what is wrong (with its value)."""
        self.count += 1
        if len(self.first) < SHOWN:
            self.first.append(f"{escaped(place, 200)}: {escaped(text, 400)}")


@dataclass(slots=True, kw_only=True)
class Feed:
    """One file as read. `ignored` counts what says nothing about an address, by its kind."""

    format: Format
    title: str = ""
    tlp: Tlp | None = None
    indicators: list[Indicator] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    """Where each indicator stands in the file."""
    ignored: Counter[str] = field(default_factory=Counter)
    bad: Noted = field(default_factory=Noted)

    def add(self, place: str, indicator: Indicator) -> None:
        """One more. Raises LoginwardError where there are too many."""
        if len(self.indicators) >= MOST_ENTRIES:
            raise LoginwardError(
                f"{place}: more than {MOST_ENTRIES:,} indicators; split the file, or take the "
                "source's list of the most certain ones"
            )
        self.indicators.append(indicator)
        self.places.append(place)

    def ignore(self, kind: object) -> None:
        """One more of a kind that is none of ours; kinds are bounded in length and number."""
        text = escaped(kind, 40)[:60] if isinstance(kind, str) and kind else "without a type"
        known = text in self.ignored or len(self.ignored) < SHOWN
        self.ignored[text if known else "other"] += 1


Progress = Callable[[int], object]
"""Told how many more objects were read: STIX takes half a millisecond each."""


def unwatched(_: int) -> None:
    """Nobody looks on."""


def shown(value: object) -> str:
    """A value out of a feed as a message tells it."""
    try:
        return f"'{escaped(str(value), 60)}'"
    except RecursionError:
        return "a value that is nested too deeply"


def decoded_json(data: bytes, name: str) -> Any:
    """The JSON of a file. Raises LoginwardError with the place of the fault."""
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as failure:
        raise LoginwardError(f"{name}: is no JSON: {escaped(str(failure), 200)}") from None
    except RecursionError:
        raise LoginwardError(f"{name}: is nested too deeply to be a bulletin") from None
