"""What stands on `notices`: one notice a login, and one content a step of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from detectors.notices import decode_step


class Book:
    """The records of `notices`, in any order; a record that comes again is the same record."""

    def __init__(self) -> None:
        self._of: dict[str, set[str]] = defaultdict(set)
        self._said: dict[tuple[str, int], bytes] = {}
        self._contradictions = 0

    def add(self, record: bytes) -> None:
        """One record. Raises msgspec.DecodeError where it is no step."""
        step = decode_step(record)
        self._of[step.verdict_id].add(step.notice_id)
        if self._said.setdefault((step.notice_id, step.seq), record) != record:
            self._contradictions += 1

    def missing(self, verdict_ids: Iterable[str]) -> int:
        """How many of these verdicts have no notice."""
        return sum(one not in self._of for one in verdict_ids)

    @property
    def doubled(self) -> int:
        """Notices beside the first of a verdict, and steps with two contents."""
        return sum(len(ids) - 1 for ids in self._of.values()) + self._contradictions
