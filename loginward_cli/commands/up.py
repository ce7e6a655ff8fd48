"""`loginward up`: start the embedded Kafka and Valkey; they stay until `down`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deploy.embedded import Console, Stack
from loginward_cli.embedded import stack_dir, told
from loginward_cli.output import emit_json, say


def command(
    data: Annotated[
        Path | None, typer.Option(help="Folder of the servers.", metavar="FOLDER")
    ] = None,
    secure: Annotated[
        bool, typer.Option("--secure", help="Kafka with TLS and a password from now on.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Addresses as JSON, last line.")] = False,
) -> None:
    """Start the embedded Kafka and Valkey (for trying out, never for production).

    They stay until `loginward down`. Other commands find them by the lines this prints. Example:
    eval "$(loginward up | grep export)" && loginward run all
    """
    stack = Stack(stack_dir(data), listeners="SASL_SSL" if secure else None, progress=Console())
    with told():
        endpoints = stack.up()
    addresses = endpoints.environ()
    if json:
        emit_json(addresses)
        return
    say("Kafka and Valkey are up, on this machine's loopback alone. For other programs:")
    for name, value in addresses.items():
        say(f"  export {name}={value}")
    say(f"Data: {stack.data_dir}. Stop: loginward down")
