"""What happens when aiokafka says that partitions come or go."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from faust.transport.drivers import aiokafka as stock

from .exits import leave


class RebalanceListener(stock.ConsumerRebalanceListener):
    """Faust's listener; aiokafka only logs what it raises, and then nothing can be relied on.

    A worker that is stopping takes no part any more: Faust's queues, through which these calls go,
    are closing, and would be waited for until the session ends. Its last commit is made by
    `wait_empty`, and whatever is below a mark is safe to commit also after a rebalance.
    """

    async def on_partitions_revoked(self, revoked: Iterable[Any]) -> None:
        """Call when partitions are being revoked."""
        if self._thread.app.should_stop:
            return
        try:
            await super().on_partitions_revoked(revoked)
        except Exception as exc:  # noqa: BLE001 - see the class
            leave("could not give partitions back", exc)

    async def on_partitions_assigned(self, assigned: Iterable[Any]) -> None:
        """Call when partitions are being assigned."""
        if self._thread.app.should_stop:
            return
        try:
            await super().on_partitions_assigned(assigned)
        except Exception as exc:  # noqa: BLE001 - see the class
            leave("could not take partitions over", exc)
