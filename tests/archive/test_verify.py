"""`archive verify` names what was altered, dropped, reordered or truncated, and where."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from archive import chain
from archive.findings import Report
from archive.keys import ArchiveKeys, ensure_keys, load_public, public_file
from archive.layout import HEADS, seal_name
from archive.partition import Store
from archive.seal import Seal, encode, sign
from archive.verify import Verifier
from tests.effort import times

from .builders import ALERTS, PART, REJECTED, logins, record, seal, store

FIRSTS = (0, 100, 140)
"""First offsets of the three segments of PART."""


def build(folder: Path) -> Store:
    """An archive of three partitions; PART has rejects and a gap."""
    where = store(folder)
    seal(where, logins(0, 100))
    seal(where, [*logins(100, 20), record(120, b"not json"), *logins(130, 10)])
    seal(where, logins(140, 30))
    seal(where, [record(n, b'{"alert_id":"a"}', key=b"a") for n in range(8)], ALERTS)
    seal(where, [record(n, b"\xff" * n) for n in range(8)], REJECTED)
    return where


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of a clean archive with its keys; copy it, do not touch it."""
    folder = tmp_path_factory.mktemp("built")
    build(folder)
    return folder


@pytest.fixture
def home(built: Path, tmp_path: Path) -> Path:
    """Give a copy of the clean archive to break."""
    return Path(shutil.copytree(built, tmp_path / "home"))


def verify(home: Path, heads: Path | None = None, *, with_key: bool = True) -> Report:
    """Verify the archive in `home` with the keys beside it."""
    key_file = home / "keys" / "archive.pem"
    keys = ensure_keys(key_file, home / "archive") if with_key else None
    return Verifier(home / "archive", load_public(public_file(key_file)), keys=keys).run(heads)


def found(report: Report) -> list[tuple[str, str]]:
    """What was found, and in which file."""
    return [(one.what, Path(one.path).name) for one in report.findings]


def part(home: Path) -> Path:
    """The folder of PART."""
    return PART.folder(home / "archive")


def data(home: Path, first: int, suffix: str) -> Path:
    """A data file of PART by its first offset."""
    (path,) = part(home).glob(f"{first:020d}-*{suffix}")
    return path


def test_a_clean_archive_has_no_findings(home: Path) -> None:
    """Nothing is said where nothing is wrong, with the private key or without."""
    report = verify(home)

    assert report.findings == []
    assert verify(home, with_key=False).findings == []
    assert (report.partitions, report.segments, report.records) == (3, 5, 176)
    assert (report.rejected, report.absent, report.expired, report.heads) == (1, 9, 0, 5)


_files = st.integers(0, 10_000)


@settings(deadline=None, max_examples=times(100, 1000))
@given(which=_files, where=st.integers(0, 10**9), flip=st.integers(1, 255))
def test_any_altered_byte_is_named(built: Path, which: int, where: int, flip: int) -> None:
    """Whatever byte of whatever file changes, verify names that file or its segment."""
    files = sorted(path for path in (built / "archive").rglob("*") if path.is_file())
    path = files[which % len(files)]
    whole = path.read_bytes()
    at = where % len(whole)
    path.write_bytes(whole[:at] + bytes([whole[at] ^ flip]) + whole[at + 1 :])
    try:
        report = verify(built)
    finally:
        path.write_bytes(whole)

    assert report.findings
    same_segment = path.name[:20]
    in_place = str(path.relative_to(built / "archive").parent)
    assert (
        any(
            one.path.startswith(in_place) and Path(one.path).name.startswith(same_segment)
            for one in report.findings
        )
        or path.name == HEADS
    )


def test_a_dropped_segment_is_named_by_its_offsets(home: Path) -> None:
    """A segment removed from the middle, files and seal, leaves its offsets unaccounted for."""
    for path in part(home).glob(f"{100:020d}*"):
        path.unlink()

    report = verify(home)

    missing = report.findings[0]
    assert missing.what == "missing_segment"
    assert missing.path.endswith(seal_name(100))
    assert missing.expected == "offsets 100 to 139"


@pytest.mark.parametrize(("suffix", "what"), [(".parquet", "missing_file"), (".key", "key_file")])
def test_a_dropped_file_is_named(home: Path, suffix: str, what: str) -> None:
    """A Parquet or key file that is gone is named, also without the private key."""
    path = data(home, 100, suffix)
    path.unlink()

    report = verify(home, with_key=False)

    assert found(report) == [(what, parquet_of(path))]


def parquet_of(path: Path) -> str:
    """The name findings on a segment's files go by."""
    return f"{path.stem}.parquet"


def test_a_dropped_seal_is_named(home: Path) -> None:
    """Without its seal a segment does not count, and its offsets are missed."""
    (part(home) / seal_name(100)).unlink()

    report = verify(home)

    assert ("missing_segment", seal_name(100)) in found(report)
    assert report.leftovers == 2


def test_segments_in_another_order_are_named(home: Path) -> None:
    """Two seals that changed places are named, each by what its name says and what it holds."""
    one, two = part(home) / seal_name(0), part(home) / seal_name(100)
    swapped = one.read_bytes()
    one.write_bytes(two.read_bytes())
    two.write_bytes(swapped)

    report = verify(home)

    assert {("misplaced", seal_name(0)), ("misplaced", seal_name(100))} <= set(found(report))


def test_data_in_another_order_is_named(home: Path) -> None:
    """Two Parquet files that changed places are not what their seals say."""
    one, two = data(home, 0, ".parquet"), data(home, 100, ".parquet")
    swapped = one.read_bytes()
    one.write_bytes(two.read_bytes())
    two.write_bytes(swapped)

    assert found(verify(home)) == [("altered_file", one.name), ("altered_file", two.name)]


def test_a_key_file_of_another_segment_is_named(home: Path) -> None:
    """A data key wrapped for another place does not pass."""
    one, two = data(home, 0, ".key"), data(home, 100, ".key")
    one.write_bytes(two.read_bytes())

    assert found(verify(home)) == [("key_file", parquet_of(one))]


def cut_tail(home: Path) -> None:
    """Remove the last segment of PART, as if it had never been."""
    for path in part(home).glob(f"{140:020d}*"):
        path.unlink()


def test_a_truncated_tail_is_named_by_the_heads(home: Path) -> None:
    """What the chain itself cannot show, the list of heads does: the last seal is gone."""
    cut_tail(home)

    assert found(verify(home)) == [("truncated", seal_name(140))]


def test_a_truncated_tail_with_its_heads_is_named_by_a_kept_copy(
    home: Path, tmp_path: Path
) -> None:
    """Who cuts the local list too is shown by the copy that left the machine."""
    kept = tmp_path / "kept.jsonl"
    shutil.copy(home / "archive" / HEADS, kept)
    cut_tail(home)
    ours = home / "archive" / HEADS
    lines = kept.read_bytes().splitlines(keepends=True)
    ours.write_bytes(b"".join(line for line in lines if b'"first":140' not in line))

    assert verify(home).findings == []
    assert found(verify(home, kept)) == [("truncated", seal_name(140))]


def test_a_dropped_partition_is_named_by_the_heads(home: Path) -> None:
    """A partition's whole folder cannot vanish unseen."""
    shutil.rmtree(ALERTS.folder(home / "archive"))

    assert found(verify(home)) == [("truncated", seal_name(0))]


def test_a_copy_of_heads_that_is_none_is_named(home: Path, tmp_path: Path) -> None:
    """A kept copy that was damaged does not pass as one that agrees."""
    kept = tmp_path / "kept.jsonl"
    kept.write_text("{}\n")

    assert found(verify(home, kept)) == [("bad_head", "kept.jsonl")]


def test_a_line_of_heads_cut_by_a_full_disk_is_no_finding(home: Path) -> None:
    """Our own list may hold a line cut short; the chain has the rest."""
    ours = home / "archive" / HEADS
    whole = ours.read_bytes()
    ours.write_bytes(whole[:40] + b"\n" + whole + whole[:60])

    assert verify(home).findings == []


def resealed(home: Path, change: Callable[[Seal], Seal], keys: ArchiveKeys) -> None:
    """Replace the last seal of PART by a changed one, signed."""
    path = part(home) / seal_name(140)
    path.write_bytes(encode(sign(change(chain.read_seal(path).seal), keys)))


def test_a_seal_of_a_stranger_is_named(home: Path) -> None:
    """A valid signature of a key we were not given is no signature."""
    stranger = ArchiveKeys(Ed25519PrivateKey.generate())

    resealed(home, lambda s: msgspec.structs.replace(s, key_id=stranger.key_id), stranger)

    assert ("signature", seal_name(140)) in found(verify(home))


def test_a_seal_of_a_stranger_under_our_name_is_named(home: Path) -> None:
    """Claiming our key does not help a stranger."""
    stranger = ArchiveKeys(Ed25519PrivateKey.generate())

    resealed(home, lambda s: s, stranger)

    assert ("signature", seal_name(140)) in found(verify(home))


@pytest.mark.parametrize(
    ("change", "what"),
    [
        pytest.param({"rows": 29}, "accounting", id="fewer rows"),
        pytest.param({"rows": 29, "rejected": ((150, 150),)}, "wrong_rows", id="a row disowned"),
        pytest.param({"rejected": ((150, 150),)}, "accounting", id="a row that is also a reject"),
        pytest.param({"rows": 29, "absent": ((200, 200),)}, "accounting", id="outside its range"),
        pytest.param(
            {"rows": 28, "absent": ((150, 150),), "rejected": ((150, 150),)},
            "accounting",
            id="an offset named twice",
        ),
        pytest.param({"from_ms": 0}, "wrong_rows", id="other times"),
        pytest.param({"sequence": 3}, "order", id="other sequence"),
        pytest.param({"previous": "0" * 64}, "order", id="other chain"),
        pytest.param({"last": 168}, "accounting", id="shorter range"),
        pytest.param({"topic": "alerts"}, "misplaced", id="other topic"),
        pytest.param({"data_key_sha256": "0" * 64}, "key_file", id="other data key"),
    ],
)
def test_a_seal_that_lies_is_named_though_signed(
    home: Path, change: dict[str, object], what: str
) -> None:
    """A seal by the right key that does not fit its file or its place is named for that."""
    keys = ensure_keys(home / "keys" / "archive.pem", home / "archive")

    resealed(home, lambda s: msgspec.structs.replace(s, **change), keys)

    assert (home / "archive" / HEADS).exists()
    assert what in {one.what for one in verify(home).findings if "heads" not in one.expected}


def test_a_file_name_that_leaves_the_folder_is_not_followed(home: Path) -> None:
    """A seal cannot make verify read elsewhere."""
    keys = ensure_keys(home / "keys" / "archive.pem", home / "archive")

    def elsewhere(old: Seal) -> Seal:
        assert old.file is not None
        file = msgspec.structs.replace(old.file, name="../../../../keys/x.parquet")
        return msgspec.structs.replace(old, file=file)

    resealed(home, elsewhere, keys)

    assert "bad_seal" in {one.what for one in verify(home).findings}


def test_modes_that_let_others_in_are_named(home: Path) -> None:
    """A file or folder others can read or write is named with its mode."""
    path = data(home, 0, ".parquet")
    path.chmod(0o640)
    part(home).chmod(0o711)

    report = verify(home)

    assert found(report) == [("permissions", "0"), ("permissions", path.name)]
    assert [(one.expected, one.found) for one in report.findings] == [
        ("0700", "0711"),
        ("0600", "0640"),
    ]


def test_a_strange_file_is_named_and_a_leftover_counted(home: Path) -> None:
    """What no archiver writes is a finding; what a killed one leaves is not."""
    handle = os.open(part(home) / "notes.txt", os.O_CREAT | os.O_WRONLY, 0o600)
    os.close(handle)
    handle = os.open(part(home) / ".tmp-0123", os.O_CREAT | os.O_WRONLY, 0o600)
    os.close(handle)

    report = verify(home)

    assert found(report) == [("unknown_file", "notes.txt")]
    assert report.leftovers == 1
