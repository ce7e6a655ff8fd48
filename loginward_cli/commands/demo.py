"""`loginward demo`: real servers, the whole pipeline, simulated customers and an attack, here."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Annotated

import typer

from loginward_cli.output import emit_json, error, say

_FAULT = 70


def command(
    seconds: Annotated[
        float | None,
        typer.Option(
            min=1,
            max=1800,
            help="Seconds of traffic; default: until Ctrl-C on a terminal, else 90.",
        ),
    ] = None,
    profile: Annotated[
        str, typer.Option(help="The traffic, as for `simulate`.", metavar="P[+P...]")
    ] = "A+G",
    workers: Annotated[int, typer.Option(min=1, max=8, help="Detect workers.")] = 2,
    events: Annotated[
        bool, typer.Option("--events", help="Show logins as they pass (accounts as pseudonyms).")
    ] = False,
    no_view: Annotated[
        bool, typer.Option("--no-view", help="Lines instead of the live screen.")
    ] = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="Go on with the data of the last demo.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="The summary as JSON, last line.")] = False,
) -> None:
    """Start everything here, attack it with simulated traffic, say what to look at.

    Real Kafka and Valkey and the whole pipeline, on this machine's loopback alone, with made-up
    customers and a made-up attack. Everything ends with the command; the data stays until the next
    demo. Exit code 0; 70 where something did not add up. Example:
    loginward demo --seconds 120 --profile B:0.2+G
    """
    from config.settings import load
    from loginward_cli.demo import course, summary
    from loginward_cli.demo.options import SECONDS, Options
    from loginward_cli.demo.show import can_draw
    from loginward_cli.embedded import told
    from loginward_cli.home import check_home

    if seconds is None and not sys.stdout.isatty():
        seconds = SECONDS
    options = Options(
        seconds=seconds,
        profile=profile,
        workers=workers,
        view=not no_view and can_draw(),
        events=events,
        keep=keep,
    )
    with told():
        found, commands = course.run(options, load(), check_home())
    if json:
        emit_json(asdict(found) | {"adds_up": found.adds_up, "try": commands})
    else:
        say(summary.text(found, commands))
    if not found.sound:
        error("something did not add up; that is a fault of loginward: please report it")
        raise typer.Exit(_FAULT)
