"""Slots of event time with a success, as bits of a day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from .keys_in_redis import DAY_SLOTS


def by_day(slots: Iterable[int]) -> list[tuple[int, str]]:
    """Slots since 1970 as (day, bit numbers of that day)."""
    days: dict[int, list[str]] = defaultdict(list)
    for slot in sorted(slots):
        day, bit = divmod(slot, DAY_SLOTS)
        days[day].append(str(bit))
    return [(day, " ".join(bits)) for day, bits in days.items()]


def slots_of(day: int, bits: bytes) -> set[int]:
    """The slots since 1970 whose bits are set; Redis counts bits from the left."""
    return {
        day * DAY_SLOTS + 8 * index + bit
        for index, byte in enumerate(bits)
        if byte
        for bit in range(8)
        if byte & (0x80 >> bit)
    }
