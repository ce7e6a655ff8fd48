"""What an output is, and how it says that it could not take something."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from .item import Item

FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 60.0
"""An output that is back gets its queue at most a minute later; one that starts is not hammered."""


class Refused(Exception):
    """An output did not take something: `reason` is escaped and bounded.

    `item`: which; None, where it is raised, for all. `whole`: the output is down or refuses
    everything, so all else waits too; False where others may pass. `after`: seconds it asked us to
    wait, or None.
    """

    def __init__(
        self,
        reason: str,
        *,
        item: Item | None = None,
        whole: bool = True,
        after: float | None = None,
    ) -> None:
        self.reason = reason
        self.item = item
        self.whole = whole
        self.after = after
        super().__init__(reason)


class Output(Protocol):
    """One system of the SOC. Everything it says it took, it took; the rest is sent again."""

    @property
    def name(self) -> str:
        """From a closed set: webhook, syslog, topic."""
        ...

    @property
    def at_once(self) -> int:
        """How many items one `send` takes at the most."""
        ...

    async def send(self, items: Sequence[Item]) -> Sequence[Refused]:
        """Return when all are taken, but for those that are named. Raises Refused for all."""
        ...

    def doubtful(self) -> Sequence[Item]:
        """What was taken by a connection that broke soon after, and so may not have arrived."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


def pause(tries: int, jitter: Callable[[], float] = random.random) -> float:
    """Seconds before the next try: 1, 2, 4 ... 60, of which the upper half is drawn by lot, so
    that many senders do not come back at the same instant.
    """
    whole = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(tries, 16))
    return whole * (0.5 + jitter() / 2)
