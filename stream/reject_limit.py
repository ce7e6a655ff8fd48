"""A bad deploy stops instead of draining the topic: the share of records that may be rejected.

After arroyo's DlqLimit, which "exists to prevent 100% of messages from going into the DLQ". What a
stopped worker has not judged stays in Kafka, uncommitted, for the next one.
"""

from __future__ import annotations

from collections import deque

from detectors.errors import LoginwardError


class TooManyRejectedError(LoginwardError):
    """More of the last records cannot be read than any source would ever send."""


class RejectLimit:
    """At most `percent` of the last `over` records or so (whole batches) may be rejected.

    100 percent is no limit. Nothing is judged by fewer than `over` records: a source that has just
    begun with a few bad ones stops nobody.
    """

    def __init__(self, percent: int, over: int) -> None:
        self._percent = percent
        self._over = over
        self._batches: deque[tuple[int, int]] = deque()
        self._read = self._rejected = 0

    def take(self, read: int, rejected: int) -> None:
        """Count a batch before anything of it is sent. Raises TooManyRejectedError."""
        self._batches.append((read, rejected))
        self._read += read
        self._rejected += rejected
        while self._read - self._batches[0][0] >= self._over:
            gone = self._batches.popleft()
            self._read -= gone[0]
            self._rejected -= gone[1]
        if self._read >= self._over and 100 * self._rejected > self._percent * self._read:
            raise TooManyRejectedError(
                f"{self._rejected} of the last {self._read} records cannot be read, more than "
                f"detect.rejects_percent = {self._percent}: the worker stops and leaves the rest "
                "in Kafka. See `loginward rejects list`; mend what was deployed, or raise the limit"
            )
