"""Kill a writer with SIGKILL at every step of its writing, again and again, and verify each time.

Run as a process of its own (`python -m tests.archive.kill_many FOLDER KILLS`): it forks a child
for every kill, which a test's process with its threads should not. Prints what it did as JSON.
"""

from __future__ import annotations

import os
import random
import signal
import sys
from collections import Counter
from pathlib import Path

import msgspec

from archive import chain
from archive.keys import load_public, public_file
from archive.partition import PartitionArchive, Store
from archive.read import read_logins
from archive.verify import Verifier
from config import failpoints
from detectors import wire

from .builders import AT, PART, login, open_part, record, store

STEPS = (
    *(
        f"archive.{kind}_{step}"
        for kind in ("parquet", "key", "seal")
        for step in ("opened", "half", "written", "synced", "linked")
    ),
    "archive.data_synced",
    "archive.seal_durable",
    "archive.head_written",
)
KILLS_AN_ARCHIVE = 10
BAD_EVERY = 7
"""Every so many records one does not decode."""


def value_at(offset: int) -> bytes:
    """The ledger: what Kafka holds at `offset`."""
    return b"not json" if offset % BAD_EVERY == 0 else login(offset)


def seal_some(shelf: PartitionArchive, count: int) -> None:
    """Seal the next `count` records of the ledger."""
    offsets = range(shelf.start, shelf.pending.expected + count)
    shelf.add([record(at, value_at(at)) for at in offsets], 0.0)
    shelf.seal(AT)


def killed_child(where: Store, step: str, nth: int, count: int) -> bool:
    """Fork a writer that is killed at the `nth` pass of `step`; whether it was."""
    child = os.fork()
    if child == 0:
        failpoints.arm(f"{step}=kill@{nth}")
        for _ in range(nth + 1):
            seal_some(open_part(where), count)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def findings(folder: Path, where: Store) -> list[str]:
    """What verify says now."""
    public = load_public(public_file(folder / "keys" / "archive.pem"))
    return [str(one) for one in Verifier(where.root, public, keys=where.keys).run().findings]


def doubled_or_lost(where: Store) -> list[int]:
    """Offsets that are not in the archive exactly once with the ledger's content."""
    found = [(one.offset, one.event) for one in read_logins(where.root, where.keys)]
    end = chain.end(PART.folder(where.root)).next_offset
    wanted = [(at, wire.decode(value_at(at))) for at in range(end) if at % BAD_EVERY]
    return [] if found == wanted else sorted({at for at, _ in found} ^ {at for at, _ in wanted})


def main(folder: Path, kills: int) -> dict[str, object]:
    """Kill `kills` times over several archives; how often at which step, and what was wrong."""
    chance = random.Random(20261122)
    at_step: Counter[str] = Counter()
    wrong: list[str] = []
    for number in range(kills):
        here = folder / str(number // KILLS_AN_ARCHIVE)
        here.mkdir(exist_ok=True)
        where = store(here)
        step = STEPS[number % len(STEPS)]
        if killed_child(where, step, chance.randint(1, 2), chance.randint(1, 12)):
            at_step[step] += 1
        wrong += [f"{step}: {one}" for one in findings(here, where)]
        if number % KILLS_AN_ARCHIVE == KILLS_AN_ARCHIVE - 1:
            seal_some(open_part(where), 1)
            open_part(where)
            wrong += [f"{step}: offset {at}" for at in doubled_or_lost(where)]
            wrong += [f"{step}: {one}" for one in findings(here, where)]
            files = len(list(PART.folder(where.root).iterdir()))
            segments = sum(1 for _ in chain.sealed(PART.folder(where.root)))
            with_rows = sum(s.seal.file is not None for s in chain.sealed(PART.folder(where.root)))
            if files != segments + 2 * with_rows:
                wrong.append(f"{step}: {files} files for {segments} segments")
    return {"killed": dict(at_step), "wrong": wrong}


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(main(Path(sys.argv[1]), int(sys.argv[2]))) + b"\n")
