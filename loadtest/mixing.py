"""Numbers that look random and are a pure function of their parts: no memory, any order."""

from __future__ import annotations

_MASK = (1 << 64) - 1


def mixed(*parts: int) -> int:
    """64 well spread bits of integers (SplitMix64, Steele et al. 2014, one round a part)."""
    state = 0
    for part in parts:
        state = (state ^ part) + 0x9E3779B97F4A7C15 & _MASK
        state = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 & _MASK
        state = (state ^ state >> 27) * 0x94D049BB133111EB & _MASK
        state ^= state >> 31
    return state


def scattered(number: int, bits: int, salt: int = 0) -> int:
    """A bijection of 0 .. 2^bits - 1: neighbours land far apart, and no two land together."""
    return number * 0x9E3779B1 + salt & (1 << bits) - 1
