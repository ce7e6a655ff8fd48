"""`loginward run`: one part of the pipeline in this process, or all of them as children."""

from __future__ import annotations

import os
from enum import StrEnum
from typing import Annotated

import typer

from loginward_cli.logs import set_up
from loginward_cli.output import fail


class Part(StrEnum):
    """What can be run."""

    DETECT = "detect"
    ARCHIVE = "archive"
    RELAY = "relay"
    OUTPUTS = "outputs"
    NOTIFY = "notify"
    ANSWERS = "answers"
    WATCH = "watch"
    INCIDENTS = "incidents"
    ALL = "all"


def command(
    part: Annotated[Part, typer.Argument(help="The part; `all` runs each as a child process.")],
    workers: Annotated[
        int,
        typer.Option(min=1, max=64, help="Detect workers, with `all`: at most a partition each."),
    ] = 1,
) -> None:
    """Run a part of the pipeline until it is stopped (Ctrl-C or SIGTERM).

    Exit code 0: stopped with all work done. 70: work was left undone, nothing of it is committed;
    start it again. Example: KAFKA_BOOTSTRAP=broker:9092 loginward run all --workers 2
    """
    from config.settings import load

    if workers > 1 and part is not Part.ALL:
        fail(f"--workers {workers}: goes with `run all`; else start `run detect` once a worker")
    settings = load()
    set_up(settings.logging.level, json=settings.logging.json)
    if part is Part.DETECT:
        from stream.worker import run_detect

        raise typer.Exit(run_detect(settings))
    if part is Part.RELAY:
        from stream.worker import run_relay

        raise typer.Exit(run_relay(settings))
    if part is Part.ARCHIVE:
        from archive.service import run_archive
        from stream.keys import load_pseudonyms

        raise typer.Exit(run_archive(settings, load_pseudonyms(settings)))
    if part is Part.OUTPUTS:
        from notifier.soc.service import run_outputs

        raise typer.Exit(run_outputs(settings))
    if part is Part.NOTIFY:
        from notifier.service import run_notify

        raise typer.Exit(run_notify(settings))
    if part is Part.ANSWERS:
        from console.answers.service import run_answers

        raise typer.Exit(run_answers(settings))
    if part is Part.WATCH:
        from stream.watch.service import run_watch

        raise typer.Exit(run_watch(settings))
    if part is Part.INCIDENTS:
        from stream.incidents.service import run_incidents

        raise typer.Exit(run_incidents(settings))
    from console.answers.service import wanted as answers_wanted
    from notifier.soc.service import wanted
    from stream.supervise import run_all

    also = ["incidents"]
    also += ["outputs"] if wanted(settings) else []
    # Without a channel there is nobody whom the notifier could tell anything.
    also += ["notify"] if settings.notifier.channels else []
    also += ["answers"] if answers_wanted(settings) else []
    also += ["watch"]
    raise typer.Exit(run_all(workers, dict(os.environ), also))
