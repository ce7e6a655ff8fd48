"""Rejects judged after all: what today's code can decode goes to `logins`, once."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Literal

from detectors.errors import Rejected
from detectors.pseudonyms import Pseudonyms
from detectors.wire import decode

from .kept_rejects import KeptReject
from .sending import Outgoing, Sender

REPLAYED_FROM = "replayed_from"
"""Header of a replayed record of `logins`: topic id, partition and offset where it first stood."""

BATCH = 500

Fate = Literal["sent", "still rejected", "cut", "conflict", "line of a source", "sent before"]
"""`cut`: only its beginning was kept. `conflict`: its identity is another event's, today as then.
`line of a source`: `ingest` reads its file again. `sent before`: by an earlier replay."""


@dataclass(slots=True)
class Replayed:
    """What became of the rejects, and why those are still none that could be decoded."""

    fates: Counter[Fate] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)


class Sent:
    """The rejects that earlier replays have sent, by key, in a file that is appended to."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._keys: set[bytes] = set()
        if path.exists():
            self._keys = set(path.read_bytes().split(b"\n")) - {b""}

    def __contains__(self, key: bytes) -> bool:
        return key.hex().encode() in self._keys

    def add(self, keys: Iterable[bytes]) -> None:
        """Remember these; on the disk when this returns."""
        lines = [key.hex().encode() for key in keys]
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "ab") as file:
            file.write(b"".join(line + b"\n" for line in lines))
            file.flush()
            os.fsync(file.fileno())
        self._keys.update(lines)


async def replay(
    rejects: Iterable[KeptReject],
    *,
    topic: str,
    names: Pseudonyms,
    sent: Sent,
    sender: Sender | None,
    again: bool = False,
    advance: Callable[[int], None] = lambda _: None,
) -> Replayed:
    """Send what decodes today to `topic` (`logins`); without a `sender` only count it.

    A reject is sent once, however often it stands in the topic (it may, after a redelivery) and
    however often this is called, unless `again`. It is remembered after its delivery: a kill in
    between sends it twice, and detect tells the second as a duplicate.
    """
    found = Replayed()
    seen: set[bytes] = set()
    waiting = iter(rejects)
    while batch := list(islice(waiting, BATCH)):
        chosen = list(_chosen(batch, seen, sent, found, topic=topic, names=names, again=again))
        if sender is not None and chosen:
            await sender.deliver([outgoing for _, outgoing in chosen])
            sent.add(key for key, _ in chosen)
        advance(len(batch))
    return found


def _chosen(
    batch: Iterable[KeptReject],
    seen: set[bytes],
    sent: Sent,
    found: Replayed,
    *,
    topic: str,
    names: Pseudonyms,
    again: bool,
) -> Iterator[tuple[bytes, Outgoing]]:
    for reject in batch:
        if reject.key in seen:
            continue
        seen.add(reject.key)
        if not again and reject.key in sent:
            found.fates["sent before"] += 1
            continue
        fate, outgoing = _fate(reject, topic, names, found)
        found.fates[fate] += 1
        if outgoing is not None:
            yield reject.key, outgoing


def _fate(
    reject: KeptReject, topic: str, names: Pseudonyms, found: Replayed
) -> tuple[Fate, Outgoing | None]:
    if "offset" not in reject.headers:
        return "line of a source", None
    if reject.cut:
        return "cut", None
    if reject.reason == "id_conflict":
        return "conflict", None
    try:
        event = decode(reject.value)
    except Rejected as why:
        found.reasons[why.reason] += 1
        return "still rejected", None
    key = event.emitter if event.account is None else names.account(event.account)
    headers = [(REPLAYED_FROM, reject.key)]
    return "sent", Outgoing(topic, key.encode(), reject.value, headers)
