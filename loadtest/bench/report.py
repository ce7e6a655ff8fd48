"""What a contender's process tells the harness: how many events, from when to when."""

from __future__ import annotations

import msgspec


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """`events` were handled between two moments (seconds since 1970, the machine's clock)."""

    events: int
    began: float
    ended: float

    @property
    def per_second(self) -> float:
        """Events a second."""
        return self.events / max(self.ended - self.began, 1e-9)

    def told(self) -> str:
        """The line a process prints at its end."""
        return msgspec.json.encode(self).decode()


def heard(output: bytes) -> Span:
    """The last line of a process as a span. Raises ValueError where it is none."""
    lines = output.strip().splitlines() or [b""]
    try:
        return msgspec.json.decode(lines[-1], type=Span)
    except msgspec.DecodeError as wrong:
        raise ValueError(f"its last line is no result: {lines[-1][:200]!r} ({wrong})") from None
