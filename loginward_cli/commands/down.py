"""`loginward down`: stop the embedded servers; their data stays."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deploy.embedded import Stack
from loginward_cli.embedded import stack_dir, told
from loginward_cli.output import say


def command(
    data: Annotated[
        Path | None, typer.Option(help="Folder of the servers.", metavar="FOLDER")
    ] = None,
) -> None:
    """Stop the embedded servers; their data stays.

    Example: loginward down
    """
    stack = Stack(stack_dir(data))
    running = [server.name for server in stack.status() if server.pid]
    with told():
        stack.down()
    say(f"Stopped: {', '.join(running)}." if running else "Nothing was running.")
