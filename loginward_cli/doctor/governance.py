"""Whether the rule book in force is what was approved, and what somebody still owes."""

from __future__ import annotations

from collections.abc import Iterator

from config.errors import SettingsError
from config.governance.books import Governed, governed, sha256_of
from config.governance.owed import owed
from config.settings import Settings
from detectors.errors import LoginwardError

from .check import Check, Visit, finding, note, ok


def governance(visit: Visit) -> Iterator[Check]:
    """The ledger, approvals that are due, and a file of rules that nobody adopted."""
    try:
        known = governed(visit.settings)
    except SettingsError as failure:
        for problem in failure.problems:
            yield finding("rules", str(problem), "correct the file of the detections' limits")
        return
    wanted = owed(known, visit.now)
    for text in wanted.findings:
        yield finding("rules.owed", text, "`loginward rules history` says who decided it and why")
    for text in wanted.notes:
        yield note("rules.owed", text)
    if not wanted.findings:
        yield ok("rules", f"{len(known.book.entries)} detections, rule book {known.version}")
    yield from _adopted(visit.settings, known)


def _adopted(settings: Settings, known: Governed) -> Iterator[Check]:
    file = settings.files.rules
    if not known.spells:
        yield note(
            "rules.adopted",
            "no rule book was ever adopted: whoever may write its file changes what is judged; "
            "loginward rules adopt FILE --by NAME --reason TEXT",
        )
        return
    try:
        differs = file is not None and sha256_of(file) != known.spells[-1].rules
    except (LoginwardError, OSError) as failure:
        yield finding("rules.adopted", str(failure), "mend the file, or leave files.rules empty")
        return
    if differs:
        yield finding(
            "rules.adopted",
            f"{file}: is not the rule book in force ({known.spells[-1].change}); it judges nobody",
            f"loginward rules adopt {file} --by NAME --reason TEXT, or leave files.rules empty",
        )
