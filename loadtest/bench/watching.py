"""Processor time and memory of processes while they work, seen from outside."""

from __future__ import annotations

import time
from bisect import bisect_left
from dataclasses import dataclass, field

import psutil

_MIB = 1024 * 1024


@dataclass(slots=True)
class Watched:
    """Samples of one process and its children."""

    pid: int
    at: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    rss: list[int] = field(default_factory=list)

    def sample(self) -> None:
        """Look once; a process that has gone keeps its last figures."""
        try:
            root = psutil.Process(self.pid)
            family = [root, *root.children(recursive=True)]
            times = [process.cpu_times() for process in family]
            rss = sum(process.memory_info().rss for process in family)
        except psutil.Error:
            return
        self.at.append(time.time())
        self.cpu.append(sum(t.user + t.system for t in times))
        self.rss.append(rss)

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
