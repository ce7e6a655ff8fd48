"""What Faust carries a batch in, and how it betrays an agent that left one undone."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from faust.types import TP
from faust.types.tuples import ConsumerMessage

from .batch import Batch


class BatchMessage(ConsumerMessage):
    """Faust's envelope of a batch; it watches Faust's ack, the trace of an agent that moved on."""

    __slots__ = ("_acked", "_on_moved_on")

    def __init__(
        self, batch: Batch, generation_id: int, *, on_moved_on: Callable[[Batch], None]
    ) -> None:
        self._acked = False
        self._on_moved_on = on_moved_on
        super().__init__(
            topic=batch.topic,
            partition=batch.partition,
            offset=batch.covers[0],
            timestamp=batch.timestamps_ms[0] / 1000 if batch.timestamps_ms else 0.0,
            timestamp_type=0,
            headers=None,
            key=None,
            value=cast("bytes", batch),
            checksum=None,
            serialized_key_size=0,
            serialized_value_size=0,
            tp=TP(batch.topic, batch.partition),
            generation_id=generation_id,
        )

    @property
    def acked(self) -> bool:
        """Set by Faust when the agent asks for the next message, failed or was cancelled."""
        return self._acked

    @acked.setter
    def acked(self, acked: bool) -> None:
        self._acked = acked
        if acked:
            self._on_moved_on(cast("Batch", self.value))
