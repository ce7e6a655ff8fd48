"""`loginward status`: what of the embedded stack runs, and where it listens."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deploy.embedded import Stack
from loginward_cli.embedded import stack_dir
from loginward_cli.output import columns, done, emit_json, note


def command(
    data: Annotated[
        Path | None, typer.Option(help="Folder of the servers.", metavar="FOLDER")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="As JSON, last line.")] = False,
) -> None:
    """Say what of the embedded stack runs, and where it listens; exit 1 unless all of it is up.

    Example: loginward status --json
    """
    servers = Stack(stack_dir(data)).status()
    if json:
        emit_json({"servers": servers})
    else:
        rows = [(s.name, s.state, s.address, str(s.pid or ""), s.directory) for s in servers]
        columns(rows, header=("SERVER", "STATE", "ADDRESS", "PID", "FOLDER"))
        for server in servers:
            if server.log:
                note(f"{server.name}: {server.state}\n{server.log}")
    done(findings=any(server.state != "up" for server in servers))
