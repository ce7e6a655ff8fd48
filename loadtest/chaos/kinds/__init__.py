"""The catalogue of faults: one file a family, one table of them all."""

from __future__ import annotations

from detectors.errors import LoginwardError, escaped

from . import clock, disk, kill, loss, network, notify, poison, rebalance, steps, zombie
from .base import Fault, Kind

__all__ = ["KINDS", "QUICK", "Fault", "Kind", "chosen"]

KINDS: dict[str, Kind] = {
    kind.name: kind
    for family in (kill, zombie, network, rebalance, disk, loss, steps, poison, clock, notify)
    for kind in family.KINDS
}
"""Name -> kind, in the order in which they are listed."""

QUICK = (
    "kill_detect",
    "kill_valkey",
    "kill_kafka",
    "kill_relay",
    "kill_archive",
    "cut_valkey",
    "disk_full_archive",
    "truncated_aof",
    "step_store_after_record",
    "step_detect_before_done",
    "poison",
    "bombs",
    "kill_notify",
    "provider_lost",
)
"""What `--quick` does, once each."""


def chosen(names: str) -> tuple[Kind, ...]:
    """The kinds of a list with commas. Raises LoginwardError where one is none."""
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    unknown = [name for name in wanted if name not in KINDS]
    if unknown or not wanted:
        told = escaped(unknown[0]) if unknown else ""
        raise LoginwardError(
            f"--faults: '{told}': no such fault; `loginward chaos --list` names them all"
        )
    return tuple(KINDS[name] for name in dict.fromkeys(wanted))
