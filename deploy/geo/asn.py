"""Ranges of AS numbers as CSV into an MMDB file of MaxMind's ASN type."""

import csv
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time
from io import TextIOWrapper
from pathlib import Path
from typing import IO, Any

from mmdb_writer import MMDBWriter
from netaddr import AddrFormatError, IPRange, IPSet

from .errors import GeoError

KIND = "GeoLite2-ASN"
"""The type by which every reader of the field knows the two fields of its records."""
_STEP = 10_000


class _Dated(MMDBWriter):
    """A file that tells the age of its data, and is the same bytes wherever it is made."""

    def __init__(self, made: date) -> None:
        super().__init__(ip_version=6, ipv4_compatible=True, database_type=KIND, int_type="u32")
        self._epoch = int(datetime.combine(made, time(), tzinfo=UTC).timestamp())

    def _build_meta(self) -> dict[str, Any]:
        return {**super()._build_meta(), "build_epoch": self._epoch}


def write_asn(
    sources: Iterable[tuple[str, IO[bytes]]],
    target: Path,
    made: date,
    came: Callable[[int], None],
) -> int:
    """Write `target`; give how many ranges it holds.

    Measured with 515,000 ranges: 35 s of CPU and 620 MB, for a file of 11 MB.

    Args:
        sources: name and content of each CSV: first address, last address, AS number, its owner.
        target: the file to be made.
        made: the day of the data.
        came: told how many bytes of the CSVs are done, about.

    Raises:
        GeoError: a line is not such a range.
    """
    writer = _Dated(made)
    ranges = 0
    for name, content in sources:
        done = 0
        with TextIOWrapper(content, encoding="utf-8", newline="") as text:
            for number, row in enumerate(csv.reader(text), start=1):
                try:
                    _insert(writer, row)
                except (ValueError, AddrFormatError) as error:
                    raise GeoError(f"{name}:{number}: is no range of addresses: {error}") from error
                ranges += 1
                done += sum(map(len, row)) + len(row)
                if number % _STEP == 0:
                    came(done)
                    done = 0
        came(done)
    writer.to_db_file(str(target))
    return ranges


def _insert(writer: MMDBWriter, row: list[str]) -> None:
    first, last, asn, owner = row
    writer.insert_network(
        IPSet(IPRange(first, last).cidrs()),
        {"autonomous_system_number": int(asn), "autonomous_system_organization": owner},
    )
