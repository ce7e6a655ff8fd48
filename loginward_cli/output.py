"""What a person or a script gets to read: sentences, one last JSON line, exit codes, progress."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import NoReturn, Protocol

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from detectors.errors import escaped

OK = 0
FINDINGS = 1
BAD_INPUT = 2

_LONGEST_LINE = 2_000
"""Characters of one line of a message: a hostile file name or value cannot flood a terminal."""


def say(text: str = "") -> None:
    """One or more lines for a person, on stdout; control characters are escaped."""
    print(_safe(text))


def note(text: str) -> None:
    """A line beside the result, on stderr: progress, warnings."""
    print(_safe(text), file=sys.stderr)


def error(message: str) -> None:
    """`error: place: value: way out` on stderr; a message of several lines stays several lines."""
    note(f"error: {message}")


def fail(message: str) -> NoReturn:
    """Bad input: say the place, the value and the way out, and exit with 2."""
    error(message)
    raise typer.Exit(BAD_INPUT)


def done(*, findings: bool) -> NoReturn:
    """Exit with 1 if there are findings and they were asked for, else with 0."""
    raise typer.Exit(FINDINGS if findings else OK)


def emit_json(value: object) -> None:
    """`value` as one line of JSON on stdout: the last line, for scripts."""
    sys.stdout.flush()
    sys.stdout.buffer.write(msgspec.json.encode(value) + b"\n")
    sys.stdout.flush()


def columns(rows: Iterable[Sequence[str]], header: Sequence[str] = ()) -> None:
    """Rows as aligned columns on stdout, plain enough for `grep` and `awk`."""
    table = [[escaped(cell, _LONGEST_LINE) for cell in row] for row in ([header] if header else [])]
    table += [[escaped(cell, _LONGEST_LINE) for cell in row] for row in rows]
    if not table:
        return
    widths = [max(len(row[at]) for row in table) for at in range(len(table[0]))]
    for row in table:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())


class Advance(Protocol):
    """Tells a progress bar how many more units are done."""

    def __call__(self, units: int = 1, /, title: str | None = None) -> None:
        """Add `units` to what is done; `title` stands before the bar from now on."""
        ...


@contextmanager
def progress(title: str, total: int | None = None) -> Iterator[Advance]:
    """A bar on stderr while the block runs; silent where stderr is no terminal.

    `total` in the caller's units, None where it is not known.
    """
    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )
    with bar:
        task = bar.add_task(_safe(title), total=total)

        def advance(units: int = 1, /, title: str | None = None) -> None:
            bar.update(task, advance=units, description=None if title is None else _safe(title))

        yield advance


def _safe(text: str) -> str:
    return "\n".join(escaped(line, _LONGEST_LINE) for line in text.split("\n"))
