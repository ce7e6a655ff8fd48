"""Records that cannot be judged, kept in `logins.rejected` as they came, with reason and place."""

from __future__ import annotations

from detectors.errors import Rejected
from detectors.wire import bounded

from .sending import Outgoing


def rejected(
    raw: bytes | None,
    why: Rejected,
    *,
    target: str,
    topic: str,
    topic_id: str,
    partition: int,
    offset: int,
) -> Outgoing:
    """The record for `target` (`logins.rejected`).

    Key and identity are `topic_id:partition:offset` of the record in `logins`, so that a
    redelivered
    one is told from a new one. The value is the original bytes (a longer record's first 64 KiB,
    with
    its SHA-256 and length in headers; secret-shaped fields reduced to their length).
    """
    kept, more = bounded(raw or b"")
    told = {
        "reason": why.reason,
        "detail": why.detail,
        "topic": topic,
        "topic_id": topic_id,
        "partition": str(partition),
        "offset": str(offset),
        **more,
    }
    headers = [(name, value.encode("utf-8", "replace")) for name, value in told.items()]
    return Outgoing(target, f"{topic_id}:{partition}:{offset}".encode(), kept, headers)
