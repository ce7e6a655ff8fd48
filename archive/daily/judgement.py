"""What an author must have said before a day can be signed."""

from __future__ import annotations

from collections.abc import Mapping

from archive.errors import ArchiveError

from .record import DayRecord
from .signatures import Role


def judged(record: DayRecord, role: Role, notes: Mapping[str, str]) -> dict[str, str]:
    """`notes` where they suffice: by deviation (D1, ...), "" for the day as a whole.

    An author says something of every deviation, or one word of all, and of a day that does not add
    up. A reviewer may. Raises ArchiveError with what is lacking.
    """
    known = [one.id for one in record.deviations]
    strange = [name for name in notes if name and name not in known]
    if strange:
        there = f"there are {', '.join(known)}" if known else "there is none"
        raise ArchiveError(f"--note {strange[0]}: no such deviation on {record.date}; {there}")
    if role == "author" and "" not in notes:
        silent = [name for name in known if name not in notes]
        if silent:
            raise ArchiveError(
                f"--note: {', '.join(silent)} not judged; write --note '{silent[0]}=...' for each, "
                "or one --note for all"
            )
        complete = record.completeness
        if not (complete.adds_up and complete.whole_day):
            raise ArchiveError(
                f"--note: the record of {record.date} does not add up or is preliminary; produce "
                "it again, or say in a --note why it stands as it is"
            )
    return dict(notes)
