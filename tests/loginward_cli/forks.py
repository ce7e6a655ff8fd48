"""Forks a command line for every line it reads: a process each, without the 0.2 s of importing.

Run as `python -m tests.loginward_cli.forks DESCRIPTOR`, a socket of lines: a job as JSON in, the
exit code out. It ends with the socket. It is itself without threads, so a fork of it is whole.
"""

from __future__ import annotations

import gc
import os
import socket
import sys
import threading
import time
from importlib import import_module

import msgspec

from loginward_cli.__main__ import main
from loginward_cli.table import module_of, present

PRELOADED = ("asyncio", "config.rules", "config.settings", "config.systems", "detectors.engine")


class Job(msgspec.Struct, frozen=True):
    """One command line: its arguments, folder, whole environment and output files."""

    args: list[str]
    cwd: str
    environ: dict[str, str]
    stdout: str
    stderr: str


def serve(channel: socket.socket) -> None:
    """Run jobs until the other end closes. In each child it ends by the command's SystemExit."""
    for name in (*PRELOADED, *map(module_of, present())):
        import_module(name)
    assert threading.active_count() == 1
    gc.freeze()
    with channel, channel.makefile("rb") as lines:
        for line in lines:
            pid = os.fork()
            if not pid:
                _become(msgspec.json.decode(line, type=Job))
            _, status = os.waitpid(pid, 0)
            channel.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))


def _become(job: Job) -> None:
    """Be what `python -m loginward_cli ARGS` would be, and end as it."""
    for descriptor, path in ((1, job.stdout), (2, job.stderr)):
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(file, descriptor)
        os.close(file)
    os.chdir(job.cwd)
    os.environ.clear()
    os.environ.update(job.environ)
    time.tzset()
    sys.argv = ["loginward", *job.args]
    main(job.args)
    sys.exit(0)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
