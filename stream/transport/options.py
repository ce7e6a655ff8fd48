"""What can be set on the transport, what it tells, and whom it calls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from detectors.errors import LoginwardError

from .marks import Partition

PartitionsCallback = Callable[[frozenset[Partition]], None]
JumpCallback = Callable[[Partition, int, int], None]


def _ignore(_: frozenset[Partition]) -> None:
    """Nobody asked to be told."""


def _ignore_jump(_partition: Partition, _expected: int, _found: int) -> None:
    """Nobody asked to be told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportHooks:
    """Called on the agent's event loop, in this order around a rebalance; they must be quick."""

    on_revoked: PartitionsCallback = _ignore
    """After the last commit of these partitions: what is still open of them will mark nothing."""
    on_assigned: PartitionsCallback = _ignore
    """Before the first batch of these partitions is handed over."""
    on_jump: JumpCallback = _ignore_jump
    """(partition, expected, found): reading went on elsewhere than it had stopped. Forward, the
    broker deleted records before they were read; back, its log was cut or the topic made anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportOptions:
    """Limits of the transport, each with the reason for its default."""

    batch_records: int = 5000
    """Records a batch at most. Above this a batch costs latency and gains no speed (measured:
    200,000/s at 2,000, the same at 5,000); an idle topic gives smaller ones without waiting."""
    buffered_batches: int = 4
    """Batches handed over and not done, all partitions together: one in work, the rest ready."""
    at_once: int = 1
    """Batches in work together, each of another partition: while one waits for a server, another
    is decoded. Two keep a core busy; more only wait for it."""
    fetch_bytes: int = 2 * 1024 * 1024
    """Bytes a partition and fetch: about 5,000 records of 250-400 bytes."""
    fetch_wait: timedelta = timedelta(milliseconds=250)
    """Longest the broker holds an empty fetch. aiokafka has one fetch a broker in flight, so this
    is also how long a partition can wait that became free while the fetch was out."""
    commit_interval: timedelta = timedelta(seconds=1)
    commit_timeout: timedelta = timedelta(seconds=5)
    """A commit that takes longer is given up and made again with newer marks."""
    session_timeout: timedelta = timedelta(seconds=10)
    """How long a dead worker's partitions wait for a new one."""
    heartbeat_interval: timedelta = timedelta(seconds=3)
    rebalance_timeout: timedelta = timedelta(seconds=30)
    """How long the broker waits for a member to rejoin before it goes on without it."""
    revoke_grace: timedelta = timedelta(seconds=10)
    """How long a rebalance waits for the batch in work; must stay under `rebalance_timeout`. While
    Redis is away every worker waits so long, after `stop_grace` or `session_timeout` of the one
    that goes: together they stay under 30 seconds."""
    stop_grace: timedelta = timedelta(seconds=15)
    """How long SIGTERM waits for the batch in work; then exit 70 without committing it."""
    exit_grace: timedelta = timedelta(seconds=15)
    """How long everything else may take to stop after that; then exit 70 as well."""
    request_timeout: timedelta = timedelta(seconds=40)
    """Longest wait for an answer; above `rebalance_timeout`, for joining may take that long."""
    group_instance_id: str | None = None
    """Static membership: a restart within `session_timeout` moves no partition. One id a worker:
    two with the same id throw each other out in turns (seen as ever more rebalances)."""
    stall_after: timedelta = timedelta(seconds=30)
    """Without an answer to a fetch for so long a partition is reported; longer than a restart of a
    broker takes."""
    inflated_bytes: int = 64 * 1024 * 1024
    """Bytes a record batch may inflate to: of 1 MiB, the topic's limit, 64 times as much."""
    damage_retries: int = 3
    """Fetches of a frame with a wrong checksum before it counts as damaged: on the wire it may be
    an accident, on the disk it stays."""

    def __post_init__(self) -> None:
        for smaller, larger in (
            ("revoke_grace", "rebalance_timeout"),
            ("rebalance_timeout", "request_timeout"),
            ("heartbeat_interval", "session_timeout"),
        ):
            if getattr(self, smaller) >= getattr(self, larger):
                raise LoginwardError(
                    f"transport.{smaller}: {getattr(self, smaller)} is not shorter than "
                    f"transport.{larger}, {getattr(self, larger)}; lower the one or raise the other"
                )


@dataclass(slots=True, kw_only=True)
class TransportState:
    """Counters a worker's metrics read; all monotonic but the times."""

    batches: int = 0
    records: int = 0
    damaged_frames: int = 0
    lost_offsets: int = 0
    """Offsets that the broker deleted before they were read."""
    rebalances: int = 0
    commits: int = 0
    failed_commits: int = 0
    last_commit_monotonic: float | None = None
    highwaters: dict[Partition, int] = field(default_factory=dict)
    stalled: dict[Partition, float] = field(default_factory=dict)
    """Partitions whose fetches get no answer, and for how many seconds; empty when all is well."""
