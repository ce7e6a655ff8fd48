"""`loginward chaos`: break a real pipeline on purpose and compare with what it should have said."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, NoReturn

import typer

from detectors.errors import LoginwardError
from loginward_cli.output import columns, done, emit_json, fail, note, progress, say

FULL_EVENTS = 5_000_000
FULL_EACH = 5
QUICK_EVENTS = 24_000


def command(
    *,
    faults: Annotated[
        str | None, typer.Option(help="Which faults, with commas; default: all.", metavar="NAMES")
    ] = None,
    each: Annotated[
        int | None, typer.Option(min=1, help="How often each; default 5, with --quick 1.")
    ] = None,
    events: Annotated[
        int | None, typer.Option(min=1000, help="Events of profiles A and G in the trial.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Same seed, same events, same order.")] = 1,
    quick: Annotated[
        bool, typer.Option("--quick", help="24,000 events, the chief faults once.")
    ] = False,
    folder: Annotated[
        Path | None,
        typer.Option(help="For servers, logs and files: empty, or of an earlier trial."),
    ] = None,
    listing: Annotated[bool, typer.Option("--list", help="Name the faults, and end.")] = False,
    self_test: Annotated[
        bool,
        typer.Option("--self-test", help="Plant known defects and show that each is found."),
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="The figures as JSON, last line.")] = False,
) -> None:
    """Break a real pipeline on local servers and compare with replay and ledger.

    Every figure but runs, hits and recovery must be 0; exit code 1 where one is not, where a
    fault could not be run, or did not show that it hit. Example:
    loginward chaos --events 200000 --faults kill_detect,cut_valkey,zombie_detect --each 2
    """
    from config.settings import load
    from loadtest.chaos.figures import HEADER, failed, figures, table
    from loadtest.chaos.kinds import KINDS, QUICK, chosen
    from loadtest.chaos.trial import Plan, as_json, batch_for, run
    from loginward_cli.demo.signals import Ending
    from loginward_cli.places import made_anew

    if listing:
        columns(((kind.name, kind.tells) for kind in KINDS.values()), ("FAULT", "WHAT IS DONE"))
        return
    try:
        kinds = chosen(faults or ",".join(QUICK if quick else KINDS))
    except LoginwardError as wrong:
        fail(str(wrong))
    place = made_anew(folder, load().data_dir / "chaos")
    if self_test:
        _self_test(place, json=json)
    times = each or (1 if quick else FULL_EACH)
    number = events or (QUICK_EVENTS if quick else FULL_EVENTS)
    plan = Plan(
        events=number,
        kinds=kinds,
        each=times,
        seed=seed,
        batch_records=batch_for(number, len(kinds) * times),
        longest_s=900 + 60 * len(kinds) * times + number / 1000,
    )
    # SIGTERM has to unwind too, or workers and a mounted disk are left behind.
    with Ending(), progress("faults", len(kinds) * times) as advance:
        outcome = run(plan, place, note, advance)
    (place / "outcome.json").write_bytes(as_json([outcome]))
    for example in outcome.verdict.examples:
        note(example)
    told = figures(outcome)
    verdict = outcome.verdict
    summary = (
        f"{verdict.records} records, {verdict.alerts} alerts, {verdict.redelivered} redelivered, "
        f"{verdict.as_of_differences} as_of differences, {outcome.seconds:.0f} s; "
        f"found: {verdict.found_by or 'nothing'}; details: {place / 'outcome.json'}"
    )
    if json:
        note(summary)
        emit_json(told)
    else:
        columns(table(told), HEADER)
        say(summary)
    done(findings=failed(outcome))


def _self_test(place: Path, *, json: bool) -> NoReturn:
    """Exit 1 where a defect was not found, or something was without one."""
    from loadtest.chaos.planted import DEFECTS
    from loadtest.chaos.self_test import self_test
    from loginward_cli.demo.signals import Ending

    with Ending(), progress("defects", len(DEFECTS) + 1) as advance:
        findings = self_test(place, note, advance=advance)
    if json:
        rows = {one.defect: {"found_by": one.found_by, "ok": one.ok} for one in findings}
        emit_json({"self_test": rows})
    else:
        columns(
            (
                (one.defect, one.found_by or "nothing", "ok" if one.ok else "WRONG")
                for one in findings
            ),
            ("PLANTED", "FOUND BY", ""),
        )
    done(findings=not all(one.ok for one in findings))
