"""`loginward doctor`: what is wrong with this installation, and how to mend it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from config.kafka import mend_topics
from config.settings import load
from loginward_cli.doctor.answers import answers
from loginward_cli.doctor.check import Check, Checks, Visit
from loginward_cli.doctor.governance import governance
from loginward_cli.doctor.heard import heard, utc_now
from loginward_cli.doctor.intel import intel
from loginward_cli.doctor.kafka_checks import kafka
from loginward_cli.doctor.known import known
from loginward_cli.doctor.machine import machine
from loginward_cli.doctor.redis_checks import redis_server
from loginward_cli.doctor.soc import soc
from loginward_cli.doctor.telling import telling
from loginward_cli.embedded import use_running_stack
from loginward_cli.output import done, emit_json, progress, say

CHECKS: tuple[Checks, ...] = (
    machine,
    governance,
    known,
    intel,
    kafka,
    redis_server,
    heard,
    soc,
    answers,
    telling,
)
_MARKS = {"ok": "ok  ", "note": "note", "finding": "MEND", "skipped": "-   "}


def command(
    mend: Annotated[
        bool, typer.Option("--mend", help="Make missing topics and set differing ones first.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="As JSON, last line.")] = False,
) -> None:
    """Check this installation; exit 1 where something has to be mended.

    `ok` is well, `note` is a choice to know of, `MEND` names what to do, `-` could not be looked
    at. Example: loginward doctor --mend
    """
    use_running_stack()
    settings = load()
    if mend:
        mend_topics(settings.kafka)
    visit = Visit(settings=settings, now=utc_now())
    found: list[Check] = []
    with progress("looking", total=len(CHECKS)) as advance:
        for checks in CHECKS:
            found += checks(visit)
            advance()
    findings = sum(check.state == "finding" for check in found)
    if json:
        emit_json({"findings": findings, "checks": [asdict(check) for check in found]})
    else:
        _tell(found, findings)
    done(findings=findings > 0)


def _tell(found: list[Check], findings: int) -> None:
    for check in found:
        say(f"{_MARKS[check.state]}  {check.code}: {check.message}")
        if check.hint:
            say(f"      -> {check.hint}")
    say(f"{findings} to mend" if findings else "nothing to mend")
