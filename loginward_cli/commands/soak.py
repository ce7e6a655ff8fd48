"""`loginward soak`: a real pipeline for long at a steady rate, with faults; does anything grow?"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from detectors.errors import LoginwardError
from loginward_cli.output import columns, done, emit_json, fail, note, say


def command(
    *,
    minutes: Annotated[float, typer.Option(min=0.5, max=1440, help="How long.")] = 60.0,
    rate: Annotated[float, typer.Option(min=1, help="Logins a second.")] = 1000.0,
    every: Annotated[str, typer.Option(help="A fault every so often, e.g. 5m.")] = "5m",
    seed: Annotated[int, typer.Option(help="Same seed, same faults in the same order.")] = 1,
    folder: Annotated[
        Path | None,
        typer.Option(help="For servers, logs and files: empty, or of an earlier trial."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="The figures as JSON, last line.")] = False,
) -> None:
    """Send logins at a steady rate, break something now and then, and watch what grows.

    Told for each part: memory, open files, connections, their growth an hour; Valkey's memory and
    the lag. Growth is judged from 20 minutes on. Exit code 1: something grows beyond its limit, a
    fault did not hit, logins wait at the end, or a customer was told twice or not at all. Example:
    loginward soak --minutes 60 --rate 2000
    """
    from config.durations import parse_duration
    from config.settings import load
    from loadtest.chaos.soak import SoakPlan, checked, run
    from loginward_cli.demo.signals import Ending
    from loginward_cli.places import made_anew

    try:
        span = parse_duration(every).total_seconds()
    except ValueError as wrong:
        fail(f"--every {every}: {wrong}")
    try:
        plan = checked(SoakPlan(minutes=minutes, rate=rate, every_s=span, seed=seed))
    except LoginwardError as wrong:
        fail(str(wrong))
    place = made_anew(folder, load().data_dir / "soak")
    with Ending():
        soaked = run(plan, place, note)
    if json:
        emit_json(
            {
                "figures": {row.name: asdict(row) | {"ok": row.well} for row in soaked.rows},
                "faults": [{"name": name, "hit": hit} for name, hit in soaked.faults],
                "sent": soaked.sent,
                "most_lag": soaked.most_lag,
                "findings": soaked.findings,
            }
        )
    else:
        columns(
            (
                (
                    row.name,
                    f"{row.last:.1f}",
                    f"{row.most:.1f}",
                    "-" if row.per_hour is None else f"{row.per_hour:+.1f}",
                    "not judged" if row.limit is None else f"{row.limit:.1f}",
                )
                for row in soaked.rows
            ),
            ("FIGURE", "LAST", "MOST", "AN HOUR", "LIMIT"),
        )
        hits = sum(hit for _, hit in soaked.faults)
        say(
            f"{soaked.sent} logins, {hits} of {len(soaked.faults)} faults hit, "
            f"lag at most {soaked.most_lag}; {'; '.join(soaked.findings) or 'nothing is wrong'}"
        )
    done(findings=bool(soaked.findings))
