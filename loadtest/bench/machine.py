"""What the figures were measured on: without it they say nothing."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

import msgspec
import psutil

_GIB = 1024**3
_PACKAGES = ("faust-streaming", "aiokafka", "redis", "msgspec", "uvloop")


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """The machine and the versions in use. `busy` is the load of one minute before the run."""

    cores: int
    processor: str
    memory_gb: float
    kernel: str
    python: str
    packages: dict[str, str]
    busy: float


def describe() -> Machine:
    """This machine, now."""
    return Machine(
        cores=len(os.sched_getaffinity(0)),
        processor=_processor(),
        memory_gb=round(psutil.virtual_memory().total / _GIB, 1),
        kernel=platform.release(),
        python=platform.python_version(),
        packages={name: version(name) for name in _PACKAGES},
        busy=round(os.getloadavg()[0], 2),
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
