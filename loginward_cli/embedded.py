"""Where this installation's embedded stack stands, and how other commands find it."""

from __future__ import annotations

import os
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path

from config.settings import load
from deploy.embedded import StackError, running_endpoints

from .output import fail

_ADDRESSES = ("KAFKA_BOOTSTRAP", "REDIS_URL", "LOGINWARD_CONFIG")


def stack_dir(named: Path | None) -> Path:
    """The folder of the embedded servers: the one named, else `stack` in the data folder."""
    return named if named is not None else load().data_dir / "stack"


def use_running_stack(environ: MutableMapping[str, str] = os.environ) -> bool:
    """Point the settings at this installation's running stack; tell whether there is one.

    Nothing is changed where the environment already names a Kafka, a Redis or a settings file.
    """
    if any(environ.get(name) for name in _ADDRESSES):
        return False
    endpoints = running_endpoints(stack_dir(None))
    if endpoints is not None:
        environ.update(endpoints.environ())
    return endpoints is not None


@contextmanager
def told() -> Iterator[None]:
    """A failure of a server ends the command with its sentence and the end of its log."""
    try:
        yield
    except StackError as failure:
        fail(str(failure))
