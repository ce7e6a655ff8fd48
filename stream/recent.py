"""What a process told last, bounded by number."""

from __future__ import annotations


class Recent:
    """The last revisions this process told, bounded: a hint that saves making bodies, no state."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._told: dict[str, tuple[int, int]] = {}

    def get(self, alert_id: str) -> tuple[int, int]:
        """Size and rank last told of an alert; (0, -1) where none is remembered."""
        return self._told.get(alert_id, (0, -1))

    def put(self, alert_id: str, told: tuple[int, int]) -> None:
        """Remember what was told, in place of the oldest where there are too many."""
        self._told.pop(alert_id, None)
        self._told[alert_id] = told
        if len(self._told) > self._most:
            del self._told[next(iter(self._told))]
