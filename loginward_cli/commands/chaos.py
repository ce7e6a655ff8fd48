"""`loginward chaos`: kill parts of a real pipeline and compare with what it should have said."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from loginward_cli.output import done, emit_json, note, say

FULL_EVENTS = 2_000_000
QUICK_EVENTS = 60_000


def command(
    events: Annotated[
        int | None, typer.Option(min=1000, help="Events of profiles A and G in one trial.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Same seed, same events.")] = 1,
    fault: Annotated[
        list[str] | None,
        typer.Option(help="Kill -9 of TARGET at a share of the offsets.", metavar="TARGET@SHARE"),
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="60,000 events, about a minute.")] = False,
    folder: Annotated[
        Path | None, typer.Option(help="Where servers, logs and files go; made anew.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="The figures as JSON, last line.")] = False,
) -> None:
    """Kill parts of a real pipeline on local servers and compare with replay and ledger.

    Every figure but runs, hits and recovery must be 0; exit code 1 where one is not. Example:
    loginward chaos --events 2000000 --fault detect-0@0.3 --fault valkey@0.4 --fault kafka@0.5
    """
    import shutil

    from config.settings import load
    from loadtest.chaos.faults import DEFAULT, figures, parse
    from loadtest.chaos.trial import Plan, as_json, run

    faults = tuple(parse(text) for text in fault) if fault else DEFAULT
    chosen = events or (QUICK_EVENTS if quick else FULL_EVENTS)
    place = folder or load().data_dir / "chaos"
    shutil.rmtree(place, ignore_errors=True)
    outcome = run(Plan(events=chosen, seed=seed, faults=faults), place, note)
    (place / "outcome.json").write_bytes(as_json([outcome]))
    for example in outcome.verdict.examples:
        note(example)
    told = figures(faults, outcome)
    if json:
        emit_json(told)
    else:
        for name, row in told["faults"].items():
            say(f"{name}: " + ", ".join(f"{key} {value}" for key, value in row.items()))
        verdict = outcome.verdict
        say(
            f"{verdict.records} records, {verdict.alerts} alerts, {verdict.redelivered} "
            f"redelivered, {verdict.as_of_differences} as_of differences, "
            f"{outcome.seconds:.0f} s; details: {place / 'outcome.json'}"
        )
    done(findings=bool(outcome.verdict.faults) or outcome.hits < len(faults))
