"""`intel revoke`: a bulletin, or addresses, that turned out to be wrong."""

from __future__ import annotations

from typing import Annotated

import typer

from loginward_cli.output import emit_json, say
from loginward_cli.rules.common import Json, when

from .common import By, Reason, hand


def revoke(
    names: Annotated[
        list[str],
        typer.Argument(metavar="B3|ADDRESS...", help="A bulletin, addresses, or both."),
    ],
    by: By,
    reason: Reason,
    json: Json = False,
) -> None:
    """Take back a bulletin, addresses of it, or addresses whoever listed them.

    Running workers stop judging by them within 15 seconds; logins of before stay judged as they
    were. An address that was named stays out of later imports, unless --anew. Example:
    loginward intel revoke B3 203.0.113.7 --by alice --reason "a branch's new line"
    """
    from config.intel.bulletins import revoke as taken_back
    from config.intel.store import APPLIED_AFTER
    from config.settings import load

    line = taken_back(load(), names, hand(by, reason))
    until = line.at + APPLIED_AFTER
    if json:
        emit_json({"line": line.number, "until": until, "revoked": names})
    else:
        say(f"line {line.number}: {', '.join(names)} in force until {when(until)}")
