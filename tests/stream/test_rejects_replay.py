"""What today's code can decode is sent once; everything else is counted with its cause."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from detectors.errors import Rejected, RejectReason
from stream.kept_rejects import KeptReject, from_archive
from stream.rejects import rejected
from stream.rejects_replay import Replayed, Sent, replay
from tests.archive import builders as archived
from tests.stream.test_bad_input import login

NAMES = archived.PSEUDONYMS


def kept(
    value: bytes, offset: int = 0, reason: RejectReason = "wrong_type", **headers: str
) -> KeptReject:
    """A reject as an older detect wrote it."""
    made = rejected(
        value,
        Rejected(reason, "why"),
        target="logins.rejected",
        topic="logins",
        topic_id="T",
        partition=1,
        offset=offset,
    )
    told = {name: content.decode() for name, content in made.headers}
    return KeptReject(
        partition=0,
        offset=offset,
        timestamp_ms=0,
        key=made.key,
        value=made.value,
        headers=told | headers,
    )


def tried(folder: Path, *rejects: KeptReject, **more: Any) -> Replayed:
    """A dry run."""
    sent = Sent(folder / "replayed")
    return asyncio.run(replay(rejects, topic="logins", names=NAMES, sent=sent, sender=None, **more))


LINE = KeptReject(
    partition=0,
    offset=0,
    timestamp_ms=0,
    key=b"hash",
    value=login("a"),
    headers={"reason": "unparsable_line", "file": "auth.log", "line": "7"},
)


@pytest.mark.parametrize(
    ("reject", "fate"),
    [
        pytest.param(kept(login("a")), "sent", id="decodes today"),
        pytest.param(kept(b"{"), "still rejected", id="does not"),
        pytest.param(kept(b""), "still rejected", id="empty"),
        pytest.param(kept(login("a", user_agent="x" * 70_000)), "cut", id="only its beginning"),
        pytest.param(kept(login("a"), reason="id_conflict"), "conflict", id="would conflict again"),
        pytest.param(LINE, "line of a source", id="a line is no record"),
    ],
)
def test_each_reject_has_one_fate(tmp_path: Path, reject: KeptReject, fate: str) -> None:
    """Counted by its cause; a dry run remembers nothing."""
    found = tried(tmp_path, reject)

    assert dict(found.fates) == {fate: 1}
    assert not (tmp_path / "replayed").exists()
    assert found.reasons.total() == (fate == "still rejected")


def test_a_reject_that_stands_twice_is_sent_once(tmp_path: Path) -> None:
    """A redelivered batch writes its rejects again, under the same key."""
    found = tried(tmp_path, kept(login("a"), 1), kept(login("a"), 1), kept(login("b"), 2))

    assert dict(found.fates) == {"sent": 2}


def test_what_was_sent_before_is_not_sent_again_unless_asked(tmp_path: Path) -> None:
    """Also by another process, since it stands in a private file."""
    one = kept(login("a"), 1)
    Sent(tmp_path / "replayed").add([one.key])

    assert dict(tried(tmp_path, one).fates) == {"sent before": 1}
    assert dict(tried(tmp_path, one, again=True).fates) == {"sent": 1}
    assert (tmp_path / "replayed").stat().st_mode & 0o077 == 0


def test_a_line_cut_off_by_a_crash_forgets_that_one_alone(tmp_path: Path) -> None:
    """The next line would be joined to it: both are sent again at worst, and detect knows them."""
    path = tmp_path / "replayed"
    Sent(path).add([b"T:1:1", b"T:1:2"])
    path.write_bytes(path.read_bytes()[:-4])

    assert [key in Sent(path) for key in (b"T:1:1", b"T:1:2")] == [True, False]


def test_rejects_are_read_from_the_archive(tmp_path: Path) -> None:
    """Their bytes decrypted, with reason and place."""
    where = archived.store(tmp_path)
    made = kept(b"{broken", 7, "not_json")
    headers = [(name, value.encode()) for name, value in made.headers.items()]
    records = [archived.record(3, made.value, key=made.key, headers=headers)]
    archived.seal(where, records, archived.REJECTED)

    (found,) = from_archive(where.root, where.keys, lambda _: None)

    assert (found.value, found.reason, found.place) == (b"{broken", "not_json", "0:3")
    assert found.origin == "logins[1]@7"
