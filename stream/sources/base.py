"""What a source is: lines in, login events out, and for each line what was understood and why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any, Literal, Protocol

import msgspec

from detectors import wire
from detectors.events import LoginEvent
from detectors.secrets_scrub import scrub

from .identity import LineIds
from .years import YearRule

Kind = Literal["attempt", "held", "no_login"]
"""A decision of a login; one that a later line may still replace; or nothing of the kind."""


class Cut(msgspec.Struct, frozen=True):
    """What remains known of a line longer than a record may be."""

    sha256: str
    length: int


class Line(msgspec.Struct, frozen=True):
    """One line without its end. `at` grows from line to line; its reader knows what place it is."""

    raw: bytes
    at: int
    cut: Cut | None = None


class Found(msgspec.Struct, frozen=True):
    """An event and the place of the line it stems from; `extra`: fields that no rule reads."""

    event: LoginEvent
    at: int
    extra: dict[str, Any] | None = None

    def record(self) -> bytes:
        """The event as a record of `logins`, with the fields that rules ignore."""
        if not self.extra:
            return wire.encode(self.event)
        return scrub(msgspec.json.encode(msgspec.to_builtins(self.event) | self.extra))


class Understood(msgspec.Struct, frozen=True):
    """What one line brought.

    `found` may hold events of earlier lines, whose fate this one decided; `replaced` are the places
    of earlier lines that told of the same attempt and therefore make no event.
    """

    kind: Kind
    why: str
    found: tuple[Found, ...] = ()
    replaced: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceOptions:
    """What a source must be told: whose log, how ids are made, what its time stamps leave out."""

    system: str
    ids: LineIds
    years: YearRule
    zone: tzinfo


class Source(Protocol):
    """Turns the lines of one file or stream into login events; its state is bounded."""

    def read(self, line: Line) -> Understood:
        """What `line` says. Raises `Rejected` where it is no record of this source."""
        ...

    def flush(self, *, cut_off: bool) -> tuple[Found, ...]:
        """The events still held, as decided by silence; the state is empty afterwards.

        `cut_off`: the file ended, so what should have followed may stand elsewhere.
        """
        ...

    def holds_from(self) -> int | None:
        """Place of the oldest line that is held and may still become an event, if any."""
        ...

    def needs_from(self) -> int | None:
        """Place of the oldest line that may still matter to later ones, if any."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceKind:
    """An entry of the registry: how to make a source, and what it reads, for a person."""

    make: Callable[[SourceOptions], Source]
    reads: str
