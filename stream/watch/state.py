"""What the watchdog must not forget: open alarms, rhythms, canaries, and where it has read to."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import msgspec

from detectors.alerts import Alert
from detectors.errors import LoginwardError

from .canaries import Beat
from .silence import Rhythm
from .troubles import Open

_MODE: Final = 0o600
_FOLDER_MODE: Final = 0o700


class Place(msgspec.Struct, kw_only=True):
    """How far a topic has been read, by partition."""

    topic_id: str
    next: dict[int, int]


class State(msgspec.Struct, kw_only=True):
    """`unsent`: alerts decided and not yet confirmed by Kafka; sent again, they are the same."""

    format: int = 1
    known: dict[str, Open] = {}
    unsent: list[Alert] = []
    places: dict[str, Place] = {}
    rhythms: dict[str, Rhythm] = {}
    beats: list[Beat] = []
    next_beat: int = 0
    judged_ms: int | None = None


def load(path: Path) -> State:
    """The state of `path`, or an empty one where it is not there.

    Raises LoginwardError where it cannot be read: an empty one would open every alarm anew.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=State)
    except FileNotFoundError:
        return State()
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as failure:
        raise LoginwardError(
            f"watch.state: {path}: {failure}; move it away, then alarms that are open are told anew"
        ) from None


def save(path: Path, state: State) -> None:
    """Write it whole or not at all."""
    path.parent.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, _MODE)
    with os.fdopen(handle, "wb") as file:
        file.write(msgspec.json.encode(state))
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
