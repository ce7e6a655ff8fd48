"""Where the things of a demo are, and what to try with them: only commands that are there."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Sequence
from pathlib import Path

from console.live_lines import ID_SHOWN, incident_line
from detectors.incidents import Incident
from loginward_cli.table import present

from .children import Child
from .folder import DemoFolder
from .telling import Told


def places(
    folder: DemoFolder,
    kafka: str,
    redis: str,
    children: list[Child],
    told: Told,
    incidents: Sequence[Incident] = (),
) -> list[tuple[str, str]]:
    """Labels and places, the most wanted first."""
    asked = f"{told.push} push, {told.sms} SMS, {told.email} e-mail"
    metrics = " ".join(f"{child.name}=http://127.0.0.1:{child.port}/metrics" for child in children)
    attack = [("attack", incident_line(incidents[0]))] if incidents else []
    return [
        *attack,
        ("told", asked if told.link is None else f"{asked}   answer one: {told.link}"),
        ("data", f"{short(folder.root)}   logs {short(folder.logs)}/"),
        ("Kafka", f"{kafka}   Valkey {redis}"),
        ("metrics", metrics),
    ]


def commands(
    folder: DemoFolder,
    home: Path,
    caught: Collection[str],
    children: Sequence[Child] = (),
    incidents: Sequence[Incident] = (),
) -> list[str]:
    """Commands to be typed in another window, or (without `children`) after the demo.

    `caught` are addresses with an alert.
    """
    program = "./loginward" if Path.cwd() == home and (home / "loginward").exists() else "loginward"
    demo = f"{program} --config {shlex.quote(short(folder.config))}"
    query = f"{demo} archive query"
    if caught:
        # The shortest: the line must fit into 80 columns.
        query += f" --ip {min(caught, key=lambda address: (len(address), address))}"
    wanted = [
        ("archive", query),
        ("archive", f"{demo} archive verify"),
    ]
    if incidents and children:
        # It reads the topic, so it works while the demo's Kafka runs.
        wanted.insert(
            0, ("incidents", f"{demo} incidents show {incidents[0].incident_id[:ID_SHOWN]}")
        )
    if children:
        wanted.append(("doctor", f"{demo} doctor"))
        wanted.append(("demo", f"kill -9 {children[0].pid}   # {children[0].name}: see it return"))
    else:
        events = shlex.quote(short(folder.events))
        wanted.append(("replay", f"{program} replay {events} --alerts alerts.jsonl"))
    known = present()
    return [command for name, command in wanted if name in known]


def short(path: Path) -> str:
    """The path as it is typed from here, where that is shorter."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
