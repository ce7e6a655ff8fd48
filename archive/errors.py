"""What can go wrong in the archive.

LoginwardError
├── ArchiveError      the archive cannot be read or written as asked: place, value, way out
├── Diverged          Kafka's log is not the one that was archived
└── Superseded        another archiver sealed this range first; take over its segments
"""

from __future__ import annotations

from detectors.errors import LoginwardError


class ArchiveError(LoginwardError):
    """The archive cannot be read or written as asked: place, value, way out."""


class Superseded(LoginwardError):
    """Another archiver sealed this first offset; what we held is in its segment or behind it."""


class Diverged(LoginwardError):
    """Kafka's log is not the one archived: its end was lost, or other records stand there."""
