"""Every key in Redis: one place that names them, so that one place tells what is kept.

The hash tag is the shard: all keys of one call lie in one slot of a cluster.

    i:{007}:<page>                      identities claimed in one page of append time -> who came
    first
    w:{007}:<system>:<kind>:<value>     log of a subject
    m:{007}:<owner>                     memory of an account: devices, countries, networks; among
    them a slot of names that are no customer's, and a day of the register of accounts at risk
    k:{007}:<system>                    the earliest successes of a system
    e:{007}:<alert_id>                  size and severity of the last revision told
    u:{007}                             subjects that have grown since their last settlement
    o:{007}                             outbox: revisions on their way to `alerts`
    c:{007}:<system>:<day>              successes of a system by country and network, and by hour
    n:{007}:<system>:<hour>             its successes and failures by minute
    g:{007}:<system>:<hour>             those of slots of networks and programs, by five minutes
    s:{007}:<system>:<hour>             which accounts and addresses failed, a sketch by minute
    a:{007}:<system>:<day>              which accounts failed, a sketch by hour
    d:{007}:<system>                    up to which offset of each partition they are counted
    p:{000}                             offset up to which the effects of each partition are in
    f:{000}                             event time up to which each partition is recorded; `born`
"""

from __future__ import annotations

from functools import lru_cache

import msgspec

from detectors.windows import Subject

FRONTIERS = "f:{000}"
"""Partition number -> milliseconds of event time; BORN beside them."""

FENCES = "p:{000}"
"""Partition number -> offset; `<number>:until`: where a partition that is read again had come;
`rebuilding:<name>`: a loss since which not all that was held back has been judged.
"""

BORN = b"born"
"""Since when state is whole: 0 from the first event on, else the event time until which memory is
cold after a loss. Without it there is no state, or it was lost.
"""


def identities(shard: int, page: int) -> str:
    """Who came first, of one page."""
    return f"i:{{{shard:03d}}}:{page}"


@lru_cache(maxsize=65_536)
def log(shard: int, subject: Subject) -> str:
    """The log of a subject."""
    return f"w:{{{shard:03d}}}:{subject.system}:{subject.kind}:{subject.value}"


def memory(shard: int, owner: bytes) -> bytes:
    """The memory of an account or customer, whose pseudonym stands in it as bytes: there are as
    many as customers.
    """
    return _memories(shard) + owner


@lru_cache
def _memories(shard: int) -> bytes:
    return b"m:{%03d}:" % shard


def earliest(shard: int, system: str) -> str:
    """The earliest successes of a system, by event time."""
    return f"k:{{{shard:03d}}}:{system}"


def census(shard: int, system: str, day: int) -> str:
    """The successes of one day."""
    return f"c:{{{shard:03d}}}:{system}:{day}"


def minutes(shard: int, system: str, hour: int) -> str:
    """Successes and failures of one hour, by minute."""
    return f"n:{{{shard:03d}}}:{system}:{hour}"


def crowds(shard: int, system: str, hour: int) -> str:
    """Successes and failures of one hour, by slot of networks and programs and by five minutes."""
    return f"g:{{{shard:03d}}}:{system}:{hour}"


def sketch(shard: int, system: str, hour: int) -> str:
    """Bits of the accounts and addresses that failed in one hour, by minute."""
    return f"s:{{{shard:03d}}}:{system}:{hour}"


def day_sketch(shard: int, system: str, day: int) -> str:
    """Bits of the accounts that failed in one day, by hour."""
    return f"a:{{{shard:03d}}}:{system}:{day}"


def fences(shard: int, system: str) -> str:
    """Partition -> offset up to which its logins are counted."""
    return f"d:{{{shard:03d}}}:{system}"


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
