"""What a first use shows while it fetches and starts: bars on a terminal, else a line a step."""

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class Progress(Protocol):
    """Told what is going on; may show it."""

    def say(self, text: str) -> None:
        """Show one step."""

    def fetching(self, what: str, total: int, /) -> AbstractContextManager[Callable[[int], None]]:
        """Show a fetch of `total` bytes; the function given takes the bytes that just came."""


class Silent:
    """Shows nothing: for tests and for callers with a display of their own."""

    def say(self, text: str) -> None:
        """Show nothing."""

    @contextmanager
    def fetching(self, _what: str, _total: int) -> Iterator[Callable[[int], None]]:
        """Show nothing."""
        yield _nothing


class Console:
    """Writes to standard error, which keeps standard output for results."""

    def say(self, text: str) -> None:
        """Write one line."""
        print(text, file=sys.stderr, flush=True)  # noqa: T201 - showing is its purpose

    @contextmanager
    def fetching(self, what: str, total: int, /) -> Iterator[Callable[[int], None]]:
        """Draw a bar on a terminal; elsewhere write one line at the start."""
        if not sys.stderr.isatty():
            self.say(f"{what} ({total / 1e6:.0f} MB)")
            yield _nothing
            return
        from rich.console import Console as Terminal  # noqa: PLC0415 - only where it is shown
        from rich.progress import (  # noqa: PLC0415
            BarColumn,
            DownloadColumn,
            TextColumn,
            TimeRemainingColumn,
        )
        from rich.progress import Progress as Bars  # noqa: PLC0415

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TimeRemainingColumn(),
        )
        with Bars(*columns, console=Terminal(stderr=True)) as bars:
            task = bars.add_task(what, total=total)
            yield lambda came: bars.advance(task, came)


def _nothing(_came: int) -> None:
    """Count nothing."""
