"""`loginward answer`: what a customer said on the telephone, and who is still to be called."""

from __future__ import annotations

import getpass
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from loginward_cli.output import columns, done, emit_json, fail, say

if TYPE_CHECKING:
    from detectors.notices import Answer, Confirmation
    from notifier.ledger import Ledger, Notice

_LONGEST_NAME = 64


def command(
    notice: Annotated[
        str | None,
        typer.Argument(help="The notice: its id, or the 8 digits that the customer says."),
    ] = None,
    answer: Annotated[
        str | None, typer.Argument(help="yes: it was the customer. no: it was not.")
    ] = None,
    by: Annotated[
        str | None, typer.Option("--by", help="Who takes the answer; you, where it is left out.")
    ] = None,
    identified: Annotated[
        bool,
        typer.Option("--identified", help="The caller's identity was checked: a yes is strong."),
    ] = False,
    open_: Annotated[
        bool, typer.Option("--open", help="List customers to call and orders not yet done.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="As JSON, last line.")] = False,
) -> None:
    """Record a customer's answer, or with --open list what waits (exit 1 where something does).

    A "no" alerts the SOC and calls the firm's webhook at once, whoever calls; it stands for ever.
    A "yes" lowers no control. Example: loginward answer 27194410 no --by amy
    """
    from config.settings import load
    from notifier.ledger import Ledger

    path = load().notifier.ledger
    if not open_ and (notice is None or answer not in {"yes", "no"}):
        fail("write the notice and yes or no: loginward answer 27194410 no --by amy; or --open")
    if not path.is_file():
        fail(f"notifier.ledger: {path}: no notice was ever made here; is this the right machine?")
    with closing(Ledger.open(path)) as ledger:
        if open_:
            _list(ledger, json=json)
        said: Answer = "yes" if answer == "yes" else "no"
        _record(ledger, _found(ledger, notice or ""), said, _name(by), identified, json)


def _found(ledger: Ledger, named: str) -> Notice:
    found = ledger.find(named)
    if found is None:
        fail(f"{named}: no such notice; say the 8 digits of the message, or its id, once more")
    return found


def _name(by: str | None) -> str:
    name = (getpass.getuser() if by is None else by).strip()
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        fail(f"--by: {name}: a name of 1 to {_LONGEST_NAME} printable characters")
    return name


def _record(
    ledger: Ledger, notice: Notice, answer: Answer, by: str, identified: bool, json: bool
) -> None:
    from notifier.answers import Answers

    answers = Answers(ledger=ledger, now=lambda: datetime.now(UTC))
    said = answers.by_desk(notice, answer, by=by, identified=identified)
    stands = ledger.find(notice.notice_id) or notice
    if json:
        emit_json(_told(stands, said))
    elif said is not None:
        say(f"notice {stands.number}: {_words(said)} recorded, by {by}")
        if answer == "no":
            say("a critical alert goes to the SOC; the firm's webhook is called until it is done")
    else:
        say(f"notice {stands.number}: nothing changed; '{stands.answer}' stands already")


def _words(said: Confirmation) -> str:
    return said.answer if said.strength is None else f"{said.strength} {said.answer}"


def _told(stands: Notice, said: Confirmation | None) -> dict[str, Any]:
    return {
        "notice_id": stands.notice_id,
        "number": stands.number,
        "recorded": said is not None,
        "answer": stands.answer,
        "strength": stands.strength,
        "confirmation_id": None if said is None else said.confirmation_id,
    }


def _list(ledger: Ledger, *, json: bool) -> None:
    from detectors.events import rfc3339
    from notifier.answers import CALL_BACK_TASK, RUNBOOK_TASK

    rows = []
    for kind in (RUNBOOK_TASK, CALL_BACK_TASK):
        for task in ledger.open_tasks(kind):
            about = ledger.find(task.notice_id)
            rows.append(
                {
                    "kind": kind,
                    "number": "" if about is None else about.number,
                    "account": "" if about is None else about.account,
                    "since": rfc3339(task.created_at),
                    "attempts": task.attempts,
                    "error": task.error,
                }
            )
    if json:
        emit_json({"open": rows})
    else:
        header = ("KIND", "NOTICE", "ACCOUNT", "SINCE", "TRIES", "LAST ERROR")
        columns([[str(value) for value in row.values()] for row in rows], header if rows else ())
        say("nothing waits" if not rows else f"{len(rows)} waiting")
    done(findings=bool(rows))
