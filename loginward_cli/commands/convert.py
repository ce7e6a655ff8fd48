"""`loginward convert`: log files of a source into login events, without any server."""

from __future__ import annotations

import sys
from collections import Counter
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from loginward_cli.output import BAD_INPUT, Advance, emit_json, error, fail, note, progress, say
from loginward_cli.places import to_write

if TYPE_CHECKING:
    from stream.inputs import Reading
    from stream.sources.reading import Counts, Refused

_NAMED = 10
"""Unparsable lines are named one by one up to here, then counted."""


def command(
    files: Annotated[
        list[str] | None, typer.Argument(help="Log files, also .gz; - is stdin.")
    ] = None,
    source: Annotated[str, typer.Option(help="What wrote them: openssh or jsonl.")] = ...,  # type: ignore[assignment]
    output: Annotated[
        str, typer.Option("-o", "--output", help="Where the events go; - is stdout.")
    ] = "-",
    system: Annotated[
        str | None, typer.Option(help="The core system; by default the source's name.")
    ] = None,
    year: Annotated[
        int | None,
        typer.Option(help="Year of the first line, where lines have none; default: by file date."),
    ] = None,
    timezone: Annotated[
        str, typer.Option(help="Zone of times that name none.", metavar="TZ")
    ] = "UTC",
    explain: Annotated[
        str | None,
        typer.Option(help="Tell what became of one line: its number in FILE, or its text."),
    ] = None,
    rejects: Annotated[
        Path | None,
        typer.Option(help="Where unparsable lines go; by default OUTPUT.rejects.jsonl, if any."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Counts as JSON in the last line.")] = False,
) -> None:
    """Turn log files into events, one JSON object a line, in the order of their lines.

    Lines that are no login are counted; unparsable ones are named, counted and kept. Exit code 2
    where a file cannot be read to its end, or nothing in it fits the source. Example:
    loginward convert --source openssh --year 2016 auth.log -o events.jsonl
    """
    from config.settings import load
    from stream.inputs import reading
    from stream.keys import load_pseudonyms

    how = reading(source, system, year, timezone, load_pseudonyms(load()))
    if explain is not None:
        _explain(files or [], how, explain)
        return
    if not files:
        fail("no input: name log files, or - for stdin")
    to_write("--output", None if output == "-" else Path(output))
    to_write("--rejects", rejects)
    _convert(files, how, output, rejects, json=json)


def _explain(files: list[str], how: Reading, wanted: str) -> None:
    from datetime import UTC, datetime

    from stream.explain import explain
    from stream.inputs import opened
    from stream.sources.base import Line
    from stream.sources.lines import numbered

    if wanted.isascii() and wanted.isdigit():
        if len(files) != 1:
            fail(f"--explain {wanted}: name the one file whose line {wanted} you mean")
        with opened(files[0]) as given:
            lines = numbered(given.stream, given.name)
            told = explain(lines, how.new_source(given.changed), int(wanted))
        if told is None:
            fail(f"--explain {wanted}: {files[0]} has fewer lines")
    else:
        text = Line(wanted.encode("utf-8", "surrogateescape"), 1)
        told = explain([text], how.new_source(lambda: datetime.now(UTC)), 1) or []
    for row in told:
        say(row)


class _Rejects:
    """Unparsable lines: named up to a bound, kept in a file that is made when there is one."""

    def __init__(self, stack: ExitStack, named: Path | None, output: str) -> None:
        self._stack = stack
        self.path = named
        self._out: BinaryIO | None = None
        self._of: Counter[str] = Counter()
        if named is not None:
            self._open(named)
        elif output != "-":
            self.path = Path(f"{output}.rejects.jsonl")
            self.path.unlink(missing_ok=True)  # of an earlier run: it would not fit this one

    def _open(self, path: Path) -> BinaryIO:
        from config.files import whole_file

        self._out = self._stack.enter_context(whole_file(path))
        return self._out

    def add(self, name: str, refused: Refused) -> None:
        """Keep one line of the input `name`."""
        import msgspec

        from stream.convert import reject

        self._of[name] += 1
        if self._of[name] <= _NAMED:
            note(f"{name}:{refused.at}: {refused.reason}: {refused.detail}")
        if self.path is not None:
            out = self._out or self._open(self.path)
            out.write(msgspec.json.encode(reject(name, refused)) + b"\n")

    def count_rest(self, name: str) -> None:
        """Say how many lines of `name` were not named."""
        if self._of[name] > _NAMED:
            note(f"{name}: ... and {self._of[name] - _NAMED} more unparsable lines")


def _convert(
    files: list[str], how: Reading, output: str, rejects: Path | None, *, json: bool
) -> None:
    from config.files import whole_file
    from stream.inputs import STDIN, opened
    from stream.sources.reading import Counts

    for name in files:
        if name != STDIN:
            with opened(name):
                pass  # all or nothing: a misspelt name must not leave half a result
    total = Counts()
    problems: list[str] = []
    to_stdout = output == STDIN
    with ExitStack() as stack:
        events = sys.stdout.buffer if to_stdout else stack.enter_context(whole_file(Path(output)))
        kept = _Rejects(stack, rejects, output)
        advance = stack.enter_context(progress("converting"))
        for name in files:
            problems += _one(name, how, events, kept, advance, total)
    _tell(total, how, kept.path if total.unparsable else None, json=json, to_stdout=to_stdout)
    for problem in problems:
        error(problem)
    if problems:
        raise typer.Exit(BAD_INPUT)


def _one(
    name: str, how: Reading, events: BinaryIO, kept: _Rejects, advance: Advance, total: Counts
) -> list[str]:
    """Convert one input; what is wrong with it as a whole, in sentences."""
    from stream.convert import convert
    from stream.inputs import opened

    with opened(name) as given:
        counts, damage = convert(given, how, events, partial(kept.add, given.name), advance)
    kept.count_rest(given.name)
    total.add(counts)
    problems = [] if damage is None else [str(damage)]
    if not counts.fits:
        problems.append(
            f"{given.name}: none of {counts.lines} lines fits the source {how.source}; "
            "name another --source"
        )
    return problems


def _tell(
    total: Counts, how: Reading, rejects: Path | None, *, json: bool, to_stdout: bool
) -> None:
    import msgspec

    told = {
        "source": how.source,
        "system": how.system,
        "lines": total.lines,
        "events": total.events,
        "no_login": total.no_login,
        "same_attempt": total.same_attempt,
        "unparsable": total.unparsable,
        "rejects": None if rejects is None else str(rejects),
    }
    if json and not to_stdout:
        emit_json(told)
    elif json:
        note(msgspec.json.encode(told).decode())
    else:
        note(
            f"{total.lines} lines: {total.events} events, {total.no_login} no login, "
            f"{total.same_attempt} of an attempt told by another line, "
            f"{total.unparsable} unparsable" + (f" (kept in {rejects})" if rejects else "")
        )
