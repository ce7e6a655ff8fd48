"""Named places where a test may kill, stop or fail this process, switched on by the environment.

    LOGINWARD_FAILPOINTS="archive.after_parquet=kill@3,archive.before_seal=raise:ENOSPC"

`name=action` at every hit, `name=action@3` at the third hit alone. Actions: `kill` (SIGKILL to
itself, nothing is flushed), `pause` (SIGSTOP to itself, as a stalled process; goes on at SIGCONT),
`raise` (FailpointError), `raise:ENOSPC` (OSError with that errno). Each that fires says so on
stderr, so that a test can show that its fault has hit.
"""

from __future__ import annotations

import errno
import os
import re
import signal
from dataclasses import dataclass
from typing import Literal

from detectors.errors import LoginwardError, escaped

VARIABLE = "LOGINWARD_FAILPOINTS"

_ENTRY = re.compile(
    r"(?P<name>[a-z0-9_.]+)=(?P<action>kill|pause|raise)(?::(?P<errno>E[A-Z0-9]+))?(?:@(?P<nth>\d+))?"
)


class FailpointError(Exception):
    """What `raise` raises: no LoginwardError, since nobody is meant to handle it."""


@dataclass(slots=True, kw_only=True)
class _Point:
    action: Literal["kill", "pause", "raise"]
    code: int | None
    nth: int | None
    hits: int = 0


_armed: dict[str, _Point] | None = None


def hit(name: str) -> None:
    """Do what the environment asks for at the place `name`; if nothing, one dict look-up."""
    points = arm(os.environ.get(VARIABLE, "")) if _armed is None else _armed
    point = points.get(name)
    if point is None:
        return
    point.hits += 1
    if point.nth is None or point.hits == point.nth:
        _fire(name, point)


def arm(spec: str) -> dict[str, _Point]:
    """Replace what is switched on by `spec` ("" = nothing); LoginwardError where it is wrong."""
    global _armed  # noqa: PLW0603 (one switch-board a process is the point)
    points = {}
    for entry in filter(None, (part.strip() for part in spec.split(","))):
        match = _ENTRY.fullmatch(entry)
        code = match["errno"] if match else None
        if match is None or (code and (match["action"] != "raise" or not hasattr(errno, code))):
            raise LoginwardError(
                f"{VARIABLE}: '{escaped(entry)}' is no failpoint; write name=kill@3, "
                "name=pause, name=raise or name=raise:ENOSPC"
            )
        points[match["name"]] = _Point(
            action=match["action"],  # type: ignore[arg-type]  # the expression allows no other
            code=getattr(errno, code) if code else None,
            nth=int(match["nth"]) if match["nth"] else None,
        )
    _armed = points
    return points


def _fire(name: str, point: _Point) -> None:
    # os.write: after a SIGKILL nobody flushes a buffer.
    os.write(2, f"failpoint {name}: {point.action} at hit {point.hits}\n".encode())
    if point.action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif point.action == "pause":
        os.kill(os.getpid(), signal.SIGSTOP)
    elif point.code is not None:
        raise OSError(point.code, f"{os.strerror(point.code)} (failpoint {name})")
    else:
        raise FailpointError(name)
