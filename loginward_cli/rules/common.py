"""What every part of `loginward rules` needs: options, the ledger, the one clock."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from detectors.errors import escaped
from loginward_cli.output import fail

if TYPE_CHECKING:
    from config.governance.ledger import Ledger
    from config.governance.records import Line, What

By = Annotated[str, typer.Option(help="Who decides this; another person approves.")]
Reason = Annotated[str, typer.Option(help="Why; it stands in the history.", metavar="TEXT")]
Json = Annotated[bool, typer.Option("--json", help="As JSON, last line.")]


def utc_now() -> datetime:
    """The one clock of these commands, whole seconds."""
    return datetime.now(tz=UTC).replace(microsecond=0)


def decided(
    decide: Callable[[Ledger, datetime, str], What], *, by: str, reason: str
) -> tuple[Line, datetime]:
    """Write what `decide` makes of ledger, time and name into the ledger; the line and its time."""
    from config.governance.books import folder_of
    from config.governance.ledger import append
    from config.governance.people import checked
    from config.settings import load

    now, name = utc_now(), checked("--by", by)
    line = append(
        folder_of(load()),
        lambda ledger: decide(ledger, now, name),
        by=name,
        login=login_name(),
        reason=checked("--reason", reason),
        now=now,
    )
    return line, now


def login_name() -> str:
    """The account of this machine under which the command runs."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return "unnamed"


def moment(option: str, text: str) -> datetime:
    """A time with its offset; else exit 2."""
    way_out = "write it with its offset, like 2026-11-22T09:00:00+08:00"
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        fail(f"{option}: '{escaped(text)}' is no time; {way_out}")
    if at.tzinfo is None:
        fail(f"{option}: '{escaped(text)}' has no offset; {way_out}")
    return at.astimezone(UTC)


def when(time: datetime) -> str:
    """A time for people."""
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z"
