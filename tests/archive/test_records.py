"""Topics that are kept byte for byte come back byte for byte."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.errors import ArchiveError
from archive.layout import PartitionId
from archive.read import read_logins, read_records
from archive.records import Record

from .builders import ALERTS, PART, REJECTED, logins, record, seal, store

_bytes = st.none() | st.binary(max_size=40)


@settings(deadline=None, max_examples=60)
@given(
    part=st.sampled_from([ALERTS, REJECTED]),
    cells=st.lists(
        st.tuples(_bytes, _bytes, st.lists(st.tuples(st.text(max_size=5), _bytes), max_size=2)),
        min_size=1,
        max_size=6,
    ),
)
def test_records_come_back_equal(
    tmp_path_factory: pytest.TempPathFactory,
    part: PartitionId,
    cells: list[tuple[bytes | None, bytes | None, list[tuple[str, bytes | None]]]],
) -> None:
    """Key, value, headers and timestamp of any bytes survive, tombstones and empties included."""
    where = store(tmp_path_factory.mktemp("a"))
    records = [
        Record(offset=n, timestamp=n, key=key, value=value, headers=tuple(headers))
        for n, (key, value, headers) in enumerate(cells)
    ]
    seal(where, records, part)

    found = list(read_records(where.root, part.topic, where.keys))

    assert found == [(part, one) for one in records]


def test_rejected_bytes_are_encrypted(tmp_path: Path) -> None:
    """What could not be read may hold an account, so its bytes stand in no file."""
    where = store(tmp_path)
    seal(where, [record(n, b"account A123456789 in a broken line") for n in range(5)], REJECTED)

    for path in where.root.rglob("*"):
        assert not path.is_file() or b"A123456789" not in path.read_bytes()


def test_a_schema_of_a_later_release_is_named(tmp_path: Path) -> None:
    """Segments of another schema are not misread."""
    where = store(tmp_path)
    seal(where, logins(0, 3))
    (where.root / PART.topic).rename(where.root / "alerts")

    with pytest.raises(ArchiveError, match="has schema 'logins/1', not 'records/1'"):
        list(read_records(where.root, "alerts", where.keys))


def test_a_missing_key_file_is_named(tmp_path: Path) -> None:
    """Reading logins without a segment's key file says which one, not nonsense."""
    where = store(tmp_path)
    seal(where, logins(0, 3))
    (key,) = PART.folder(where.root).glob("*.key")
    key.unlink()

    with pytest.raises(ArchiveError, match=r"\.key: No such file"):
        list(read_logins(where.root, where.keys))
