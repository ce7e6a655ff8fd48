"""Kafka to the agent in batches, with acks of our own: nothing is committed before it was done."""

from .app import make_app, run_worker
from .batch import Batch, DamagedFrame
from .driver import BatchConsumer, register
from .exits import EXIT_UNFINISHED
from .loop import run_batches
from .marks import Claim, OffsetMarks, Partition, PartitionProgress
from .options import TransportHooks, TransportOptions, TransportState

__all__ = [
    "EXIT_UNFINISHED",
    "Batch",
    "BatchConsumer",
    "Claim",
    "DamagedFrame",
    "OffsetMarks",
    "Partition",
    "PartitionProgress",
    "TransportHooks",
    "TransportOptions",
    "TransportState",
    "make_app",
    "register",
    "run_batches",
    "run_worker",
]
