"""Starts one server in a session of its own and, with an owner, ends it when the owner ends.

Run as a script, with the standard library alone: `leash.py OWNER REPORT_FD COMMAND...`. It writes
the server's process id to REPORT_FD. OWNER 0 means nobody: the server outlives its starter.
"""

import ctypes
import os
import select
import signal
import subprocess
import sys

_PR_SET_PDEATHSIG = 1
_GRACE_S = 5.0  # a clean stop of Kafka takes 0.3 s; longer means it hangs


def main(argv: list[str]) -> int:
    """Start the command and stay while both owner and server live; give the server's exit code."""
    owner, report, command = int(argv[0]), int(argv[1]), argv[2:]
    # A pid may be reused, a descriptor for it not; and as long as the owner is our parent, the
    # descriptor is the owner's. A pipe would be kept open by any fork of the owner.
    watched = os.pidfd_open(owner) if owner else None
    if owner and os.getppid() != owner:
        return 1
    server = subprocess.Popen(
        command,
        start_new_session=True,
        preexec_fn=_die_with_leash if owner else None,  # noqa: PLW1509 - one thread here
    )
    os.write(report, b"%d\n" % server.pid)
    os.close(report)
    if watched is None:
        server.returncode = 0  # not ours any more: init reaps it
        return 0
    _wait_for_either(watched, os.pidfd_open(server.pid))
    return _end(server)


def _die_with_leash() -> None:
    """Have the kernel kill the server should even this process be killed."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _wait_for_either(*descriptors: int) -> None:
    poll = select.poll()
    for descriptor in descriptors:
        poll.register(descriptor, select.POLLIN)
    poll.poll()


def _end(server: subprocess.Popen[bytes]) -> int:
    if server.poll() is None:
        server.terminate()
    try:
        return server.wait(_GRACE_S)
    except subprocess.TimeoutExpired:
        server.kill()
        return server.wait()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the owner, who stops us in order
    sys.exit(main(sys.argv[1:]))
