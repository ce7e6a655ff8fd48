"""Loopback ports that a server can keep, also over a kill and a restart."""

import random
import socket
from collections.abc import Collection
from pathlib import Path

from .errors import StackError

LOOPBACK = "127.0.0.1"
_LOWEST = 12_000
_EPHEMERAL_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_ATTEMPTS = 500


def is_free(port: int) -> bool:
    """Tell whether a server could bind the loopback port now."""
    with socket.socket() as probe:
        # As the servers do: a connection in TIME_WAIT does not hold the port, a listener does.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def free_port(taken: Collection[int] = ()) -> int:
    """Choose a free loopback port below the range the kernel uses for outgoing connections.

    A port from inside that range could be given to any client while the server is down, even
    to the very client that is trying to reach it: on loopback TCP then connects to itself.

    Raises:
        StackError: no free port was found.
    """
    highest = _first_ephemeral() - 1
    for _ in range(_ATTEMPTS):
        port = random.randint(_LOWEST, highest)  # noqa: S311 - spreads parallel runs, no secret
        if port not in taken and is_free(port):
            return port
    raise StackError(
        f"{LOOPBACK}: no free port between {_LOWEST} and {highest} in {_ATTEMPTS} tries: "
        "stop what listens there"
    )


def _first_ephemeral() -> int:
    try:
        first = int(_EPHEMERAL_RANGE.read_text(encoding="ascii").split()[0])
    except (OSError, ValueError, IndexError):
        return 32_768  # Linux's default
    return first if first > _LOWEST + _ATTEMPTS else 32_768
