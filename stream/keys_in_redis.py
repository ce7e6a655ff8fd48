"""Every key in Redis: one place that names them, so that one place tells what is kept.

The hash tag is the shard: all keys of one call lie in one slot of a cluster.

    i:{007}:<page>                      identities claimed in one page of append time -> who came
    first
    w:{007}:<system>:<kind>:<value>     log of a subject
    s:{007}:<slot>                      who logged in within ten minutes of event time
    e:{007}:<alert_id>                  size and severity of the last revision told
    u:{007}                             subjects that have grown since their last settlement
    o:{007}                             outbox: revisions on their way to `alerts`
    f:{000}                             event time up to which each partition is recorded
"""

from __future__ import annotations

import msgspec

from detectors.windows import Subject

FRONTIERS = "f:{000}"
"""Partition number -> milliseconds of event time."""


def identities(shard: int, page: int) -> str:
    """Who came first, of one page."""
    return f"i:{{{shard:03d}}}:{page}"


def log(shard: int, subject: Subject) -> str:
    """The log of a subject."""
    return f"w:{{{shard:03d}}}:{subject.system}:{subject.kind}:{subject.value}"


def successes(shard: int, slot: int) -> str:
    """Who succeeded in one slot, eight keyed bytes each."""
    return f"s:{{{shard:03d}}}:{slot}"


def episode(shard: int, alert_id: str) -> str:
    """What has been told of an alert."""
    return f"e:{{{shard:03d}}}:{alert_id}"


def unsettled(shard: int) -> str:
    """Flagged subjects that have grown, by event time."""
    return f"u:{{{shard:03d}}}"


def outbox(shard: int) -> str:
    """Revisions waiting for the relay."""
    return f"o:{{{shard:03d}}}"


def member(subject: Subject) -> bytes:
    """A subject as a member of a set."""
    return msgspec.json.encode(subject)


def subject(member_: bytes) -> Subject:
    """The subject of a member."""
    return msgspec.json.decode(member_, type=Subject)
