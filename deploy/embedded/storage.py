"""Kafka's data folder: formatted once, by Kafka's own tool, whole or not at all."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from .errors import StackError

# One cluster id for all embedded stacks: it only keeps foreign folders apart.
CLUSTER_ID = "bG9naW53YXJkZW1iZWRkZQ"
_FORMAT_S = 120
_META = "meta.properties"


def is_formatted(data: Path) -> bool:
    """Tell whether the folder can be started from.

    Raises:
        StackError: it holds topics but not Kafka's own description: something else touched it.
    """
    if (data / _META).exists():
        return True
    topics = [path.name for path in data.glob("*-*") if path.name != "__cluster_metadata-0"]
    if topics:
        raise StackError(
            f"{data}: holds {len(topics)} partitions but no {_META}: put that file back, or "
            "remove the folder to start empty"
        )
    return False


def format_storage(java: Sequence[str], properties: Path, data: Path, *options: str) -> None:
    """Format the folder. It gets its name last, so that an interrupted format is done again.

    Args:
        java: the command up to the main class.
        properties: server.properties of the node, naming `data`.
        data: the folder to make.
        options: further options of `kafka-storage format`.

    Raises:
        StackError: Kafka's tool refused, with what it said.
    """
    unfinished = data.with_name(f"{data.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    shutil.rmtree(data, ignore_errors=True)  # at most what a crash left: see is_formatted
    scratch = properties.with_name("format.properties")
    text = properties.read_text(encoding="utf-8")
    scratch.write_text(text + f"log.dirs={unfinished}\n", encoding="utf-8")  # the last one counts
    argv = [
        *java,
        "kafka.tools.StorageTool",
        "format",
        *("--cluster-id", CLUSTER_ID, "--config", str(scratch)),
        *options,
    ]
    done = subprocess.run(
        argv, capture_output=True, text=True, check=False, timeout=_FORMAT_S, errors="replace"
    )
    scratch.unlink()
    if done.returncode or not is_formatted(unfinished):
        said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        raise StackError(f"kafka: {data} cannot be formatted:\n" + "\n".join(said[-8:]))
    unfinished.replace(data)
