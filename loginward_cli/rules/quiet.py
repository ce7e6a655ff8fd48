"""`rules mutes | allowed`: what pages nobody, until when, by whom, and what is owed."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from loginward_cli.output import columns, done, emit_json, say

from .common import Json, utc_now, when

All = Annotated[bool, typer.Option("--all", help="Also what is over or withdrawn.")]


def mutes(every: All = False, json: Json = False) -> None:
    """List mutes: rule, subject, end, by whom, approved by whom.

    Exit code 1: one was not approved within 24 hours. Example: loginward rules mutes --all
    """
    _list("mute", every=every, json=json)


def allowed(every: All = False, json: Json = False) -> None:
    """List allow-list entries: network, owner, end, by whom, approved by whom.

    Example: loginward rules allowed
    """
    _list("allow", every=every, json=json)


def _list(kind: Literal["mute", "allow"], *, every: bool, json: bool) -> None:
    from dataclasses import asdict

    from config.governance.books import folder_of
    from config.governance.ledger import read
    from config.settings import load
    from config.suppressions import load as load_suppressions

    now = utc_now()
    found = [
        entry
        for entry in load_suppressions(read(folder_of(load())).lines).entries
        if entry.kind == kind and (every or not entry.state(now).startswith(("over", "withdrawn")))
    ]
    overdue = any(entry.overdue(now) for entry in found)
    if json:
        rows = [asdict(entry) | {"state": entry.state(now)} for entry in found]
        emit_json({"mutes" if kind == "mute" else "allowed": rows})
    elif found:
        table = [
            [
                entry.id,
                f"{entry.rule} {entry.subject[1]}" if entry.subject else entry.network or "",
                entry.system or entry.owner or "-",
                when(entry.until),
                entry.by,
                entry.approved_by or "-",
                entry.state(now),
                entry.reason,
            ]
            for entry in found
        ]
        columns(table, ["ID", "WHAT", "WHERE", "UNTIL", "BY", "APPROVED", "STATE", "REASON"])
    else:
        say("none in force" + ("" if every else "; --all shows what was"))
    done(findings=overdue)
