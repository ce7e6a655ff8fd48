"""Processor time and memory of processes while they work, seen from outside."""

from __future__ import annotations

import time
from bisect import bisect_left
from dataclasses import dataclass, field
from pathlib import Path

import psutil

_MIB = 1024 * 1024


@dataclass(slots=True)
class Watched:
    """Samples of one process and its children, and, by name, of each of them alone (`parts`)."""

    pid: int
    at: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    rss: list[int] = field(default_factory=list)
    parts: dict[str, Watched] = field(default_factory=dict)
    _names: dict[int, str] = field(default_factory=dict)

    def sample(self) -> None:
        """Look once; a process that has gone keeps its last figures."""
        try:
            root = psutil.Process(self.pid)
            family = [root, *root.children(recursive=True)]
            seen = [(process.pid, _figures(process)) for process in family]
        except psutil.Error:
            return
        for process in family if len(family) > 1 else ():
            if process.pid not in self._names:
                self._names[process.pid] = _name(process, set(self._names.values()))
        now = time.time()
        self.add(now, [figures for _, figures in seen])
        for pid, figures in seen if len(seen) > 1 else ():
            self.parts.setdefault(self._names[pid], Watched(pid)).add(now, [figures])

    def add(self, now: float, figures: list[tuple[float, int]]) -> None:
        """One sample: processor seconds and bytes of each process of it."""
        self.at.append(now)
        self.cpu.append(sum(cpu for cpu, _ in figures))
        self.rss.append(sum(rss for _, rss in figures))

    def cpu_between(self, began: float, ended: float) -> float:
        """Processor seconds spent between two moments, straight lines between samples."""
        return max(0.0, self._cpu_at(ended) - self._cpu_at(began))

    def peak_mb(self) -> float:
        """The largest resident memory seen, in MiB."""
        return max(self.rss, default=0) / _MIB

    def _cpu_at(self, moment: float) -> float:
        if not self.at:
            return 0.0
        after = bisect_left(self.at, moment)
        if after in {0, len(self.at)}:
            return self.cpu[min(after, len(self.cpu) - 1)]
        span = self.at[after] - self.at[after - 1]
        part = (moment - self.at[after - 1]) / span if span else 0.0
        return self.cpu[after - 1] + part * (self.cpu[after] - self.cpu[after - 1])


def _figures(process: psutil.Process) -> tuple[float, int]:
    """Processor seconds and resident bytes of a process."""
    with process.oneshot():
        times = process.cpu_times()
        return times.user + times.system, process.memory_info().rss


def _name(process: psutil.Process, taken: set[str]) -> str:
    """The part that it runs, or its module or program; numbered where there are several."""
    try:
        words = process.cmdline()
    except psutil.Error:
        words = []
    if "run" in words[:-1]:
        name = words[words.index("run") + 1]
    elif "-m" in words[:-1]:
        name = words[words.index("-m") + 1].rpartition(".")[2]
    else:
        name = Path(words[0]).name if words else "gone"
    number, unique = 2, str(name)
    while unique in taken:
        unique, number = f"{name}-{number}", number + 1
    return unique
