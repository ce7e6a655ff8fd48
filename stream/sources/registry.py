"""Every source by its name: a new one is one file and one line here."""

from __future__ import annotations

from . import jsonl, openssh
from .base import SourceKind

SOURCES: dict[str, SourceKind] = {
    "jsonl": SourceKind(
        make=jsonl.make,
        reads="JSON Lines: events of the wire, or ts, user, ip, outcome, reason",
    ),
    "openssh": SourceKind(
        make=openssh.make,
        reads="sshd and its PAM modules: syslog (RFC 3164, RFC 5424, ISO) or journalctl -o json",
    ),
}
