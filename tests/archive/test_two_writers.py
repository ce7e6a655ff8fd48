"""Two archivers on one partition at once: each record once, whoever stalls at whatever step."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive import durable, segment
from archive.errors import Superseded
from archive.keys import load_public, public_file
from archive.partition import PartitionArchive, Store
from archive.read import read_logins
from archive.records import Record
from archive.verify import Verifier

from .builders import AT, logins, open_part, store
from .kill_many import STEPS

LOG = logins(0, 60)


def read(shelf: PartitionArchive, count: int, log: list[Record] = LOG) -> None:
    """Give a writer its next `count` records."""
    at = shelf.start
    shelf.add([one for one in log if one.offset >= at][:count], 0.0)


def assert_each_once(folder: Path, where: Store, log: list[Record] = LOG) -> None:
    """The archive holds exactly the log, once, and verifies."""
    rest = open_part(where)
    read(rest, len(log), log)
    if rest.pending.records:
        rest.seal(AT)
    assert [one.offset for one in read_logins(where.root, where.keys)] == [r.offset for r in log]
    public = load_public(public_file(folder / "keys" / "archive.pem"))
    assert Verifier(where.root, public, keys=where.keys).run().findings == []


@pytest.mark.parametrize("heir_reads", [0, 5, 20, 40])
@pytest.mark.parametrize("step", STEPS)
def test_a_writer_that_stalls_at_any_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, heir_reads: int
) -> None:
    """While one stands still in a segment, another takes over (0: seals nothing); both go on."""
    where = store(tmp_path)
    zombie = open_part(where)
    read(zombie, 20)
    stalled: list[str] = []

    def hit(name: str) -> None:
        if name == step and not stalled:
            stalled.append(name)
            heir = open_part(where)
            if heir_reads:
                read(heir, heir_reads)
                heir.seal(AT)

    patch_hits(monkeypatch, hit)
    with suppress(Superseded):
        zombie.seal(AT)
    monkeypatch.undo()

    assert stalled == [step]
    assert_each_once(tmp_path, where)
    assert Verifier(where.root, {}).run().leftovers == 0


def patch_hits(monkeypatch: pytest.MonkeyPatch, hit: Callable[[str], None]) -> None:
    """Have `hit` called at every step of writing."""
    monkeypatch.setattr(durable, "hit", hit)
    monkeypatch.setattr(segment, "hit", hit)


@settings(deadline=None, max_examples=40)
@given(
    acts=st.lists(
        st.tuples(st.integers(0, 2), st.sampled_from(["open", "read", "seal"]), st.integers(1, 9)),
        max_size=30,
    ),
    gaps=st.sets(st.integers(0, 59), max_size=20),
)
def test_any_interleaving(
    tmp_path_factory: pytest.TempPathFactory, acts: list[tuple[int, str, int]], gaps: set[int]
) -> None:
    """Three writers that open, read and seal in any order keep each record once, gaps or not."""
    folder = tmp_path_factory.mktemp("a")
    where = store(folder)
    log = [one for one in LOG if one.offset not in gaps]
    shelves: dict[int, PartitionArchive] = {}
    for who, act, count in acts:
        if act == "open" or who not in shelves:
            shelves[who] = open_part(where)
        elif act == "read":
            read(shelves[who], count, log)
        elif shelves[who].pending.records:
            try:
                shelves[who].seal(AT)
            except Superseded:
                del shelves[who]

    assert_each_once(folder, where, log)
