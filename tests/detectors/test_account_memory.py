"""What an account is used to is a set of facts: order, repetition and rewriting change nothing."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.account_memory import (
    COUNTRY,
    DEVICE,
    FACT_BYTES,
    KEPT_MS,
    MOST_VALUES,
    NETWORK,
    REWRITE_BYTES,
    REWRITE_FACTS,
    WARM_SUCCESSES,
    WEEK_MS,
    AccountMemory,
    key_of,
    rewritten,
)
from detectors.events import AS_OF_MS, DAY_MS

NOW = 1_800_000_000_000
Use = tuple[bytes, int, bytes]

KEYS = [key_of(kind, name) for kind in (DEVICE, COUNTRY, NETWORK) for name in ("a", "b", "c")]
TIMES = st.integers(NOW - 400 * DAY_MS, NOW) | st.integers(NOW - 2 * AS_OF_MS, NOW)
USES = st.tuples(
    st.sampled_from(KEYS),
    TIMES,
    st.binary(min_size=8, max_size=8),
)


def remembered(uses: Sequence[Use], cut: int = 1) -> AccountMemory:
    """A memory fed with these logins, read and written after each `cut` of them."""
    blob = b""
    for start in range(0, len(uses), cut):
        memory = AccountMemory(blob)
        for key, at, identity in uses[start : start + cut]:
            memory.add_success(at, identity)
            memory.add(at, identity, [key])
        blob += bytes(memory.fresh)
    return AccountMemory(blob)


def facts_of(blob: bytes) -> list[bytes]:
    """The facts of a memory as they stand."""
    return [blob[at : at + FACT_BYTES] for at in range(0, len(blob), FACT_BYTES)]


def view(memory: AccountMemory, now: int) -> list[object]:
    """Everything that can be asked of a memory about KEYS."""
    usages = [memory.usage(key) for key in KEYS]
    known = [memory.known_since(key, now) for key in KEYS]
    return [usages, known, memory.is_warm(now)]


@given(st.lists(USES, max_size=25), st.data())
def test_order_repetition_and_cut_change_nothing(uses: list[Use], data: st.DataObject) -> None:
    """The same logins in any order, some twice, in batches of any size: the same answers."""
    shuffled = data.draw(st.permutations(uses + uses[: len(uses) // 2]))
    cut = data.draw(st.integers(1, 30))

    assert view(remembered(shuffled, cut), NOW) == view(remembered(uses), NOW)


@given(st.lists(USES, max_size=25), st.data())
def test_the_bytes_are_a_set_too(uses: list[Use], data: st.DataObject) -> None:
    """A blob whose facts stand in another order, or twice, says the same."""
    blob = remembered(uses).blob
    facts = facts_of(blob)
    other = b"".join(data.draw(st.permutations(facts + facts[::2])))

    assert view(AccountMemory(other), NOW) == view(AccountMemory(blob), NOW)


@given(st.lists(USES, max_size=25))
def test_what_was_used_in_180_days_is_known_a_minute_later(uses: list[Use]) -> None:
    """Beside the logins: known within 180 days, unknown before 187; the first use is exact."""
    memory = remembered(uses)

    for key in {use[0] for use in uses}:
        times = [at for other, at, _ in uses if other == key]
        usage = memory.usage(key)
        assert usage is not None
        assert usage.first_ms == min(times)
        assert max(times) - WEEK_MS < usage.last_ms <= max(times)
        seen = [at for at in times if at <= NOW - AS_OF_MS]
        if any(at > NOW - KEPT_MS for at in seen):
            assert memory.known_since(key, NOW) == min(times)
        if all(at <= NOW - KEPT_MS - WEEK_MS for at in seen):
            assert memory.known_since(key, NOW) is None


@given(st.lists(USES, max_size=60), st.integers(0, 60))
def test_rewriting_forgets_nothing_that_counts(uses: list[Use], where: int) -> None:
    """A memory rewritten in the middle, and again at the end, answers like one never rewritten."""
    ordered = sorted(uses, key=lambda use: use[1])
    plain = remembered(ordered)
    early = AccountMemory(rewritten(remembered(ordered[:where]).blob))
    for key, at, identity in ordered[where:]:
        early.add_success(at, identity)
        early.add(at, identity, [key])
    late = AccountMemory(rewritten(early.blob + bytes(early.fresh)))

    assert view(late, NOW)[1:] == view(plain, NOW)[1:]
    assert rewritten(late.blob) == late.blob


@given(st.lists(USES, max_size=25), st.data())
def test_rewriting_is_the_same_for_any_order(uses: list[Use], data: st.DataObject) -> None:
    """Two workers that rewrite the same set write the same bytes."""
    facts = facts_of(remembered(uses).blob)
    other = data.draw(st.permutations(facts + facts[::3]))

    assert rewritten(b"".join(other)) == rewritten(b"".join(facts))


def test_a_memory_stays_small() -> None:
    """An account that logs in from ever new devices and places keeps the 64 latest of each kind."""
    uses = [
        (key_of(kind, n), NOW - DAY_MS * n // 20, n.to_bytes(8, "big"))
        for n in range(2000)
        for kind in (DEVICE, COUNTRY, NETWORK)
    ]
    blob = b"".join(key + at.to_bytes(6, "big") + identity for key, at, identity in uses)

    small = rewritten(blob)

    assert len(small) <= (3 * MOST_VALUES + WARM_SUCCESSES) * FACT_BYTES
    kept = AccountMemory(small)
    known = [kept.known_since(key_of(DEVICE, n), NOW + AS_OF_MS) for n in range(2000)]
    assert [since is not None for since in known] == [n < MOST_VALUES for n in range(2000)]


def test_the_largest_rewritten_memory_is_not_rewritten_at_once() -> None:
    """64 values of each kind, each used in many weeks, stay below the length that is rewritten."""
    uses = [
        (key_of(kind, n), NOW - WEEK_MS * week, bytes(8))
        for n in range(MOST_VALUES + 9)
        for kind in (DEVICE, COUNTRY, NETWORK)
        for week in range(20)
    ]
    blob = b"".join(chain.from_iterable((key, at.to_bytes(6, "big"), i) for key, at, i in uses))

    assert AccountMemory(blob).is_long
    assert len(rewritten(blob)) <= REWRITE_BYTES
    assert not AccountMemory(rewritten(blob)).is_long


def test_half_a_year_of_a_customer_is_not_read_with_every_login() -> None:
    """A memory in use every week is rewritten now and then, and stays a few facts a value."""
    keys = [key_of(DEVICE, "phone"), key_of(COUNTRY, "TW"), key_of(NETWORK, 3462)]
    blob, rewrites = b"", 0
    for week in range(26):
        memory = AccountMemory(blob)
        memory.add(NOW + week * WEEK_MS, bytes(8), keys)
        blob = memory.blob + bytes(memory.fresh)
        if memory.is_long:
            blob, rewrites = rewritten(blob), rewrites + 1
            assert not AccountMemory(blob).is_long
        assert len(blob) <= (REWRITE_FACTS + len(keys)) * FACT_BYTES

    assert 0 < rewrites < 5
    assert AccountMemory(blob).known_since(keys[0], NOW + 26 * WEEK_MS) == NOW


def test_one_wrong_clock_makes_nothing_forgotten() -> None:
    """A login dated a hundred years ahead does not age a year of devices."""
    uses = [(key_of(DEVICE, n), NOW - n * DAY_MS, bytes(8)) for n in range(30)]
    future = (key_of(DEVICE, 0), NOW + 36_500 * DAY_MS, bytes(8))

    kept = AccountMemory(rewritten(remembered([*uses, future]).blob))

    assert all(kept.known_since(key_of(DEVICE, n), NOW) for n in range(1, 30))


@pytest.mark.parametrize("shift", range(1, 9))
def test_bytes_that_stand_across_facts_are_no_fact(shift: int) -> None:
    """A search that hits the end of one fact and the start of the next finds nothing."""
    key = key_of(DEVICE, "phone")
    head, tail = key[:shift], key[shift:]
    first = COUNTRY + bytes(8) + bytes(6) + bytes(8 - shift) + head
    second = tail + bytes(FACT_BYTES - len(tail))
    blob = first + second

    assert key in blob
    assert AccountMemory(blob).usage(key) is None
    real = key + NOW.to_bytes(6, "big") + bytes(8)
    usage = AccountMemory(blob + real).usage(key)
    assert usage == (NOW, NOW)


@given(st.lists(st.tuples(TIMES, st.binary(min_size=8, max_size=8)), max_size=12), st.data())
@settings(max_examples=50)
def test_warm_from_the_third_success(
    successes: list[tuple[int, bytes]], data: st.DataObject
) -> None:
    """Warm a minute after the third earliest success, however the successes came."""
    memory = AccountMemory(b"")
    for at, identity in data.draw(st.permutations(successes + successes[::2])):
        memory.add_success(at, identity)
    third = sorted(set(successes))[WARM_SUCCESSES - 1 : WARM_SUCCESSES]

    for now in (NOW - DAY_MS, NOW, *(third[0][0] + AS_OF_MS - 1 + n for n in (0, 1) if third)):
        assert memory.is_warm(now) == bool(third and third[0][0] <= now - AS_OF_MS)


def test_a_value_in_use_costs_one_fact_a_week() -> None:
    """A login a day for a year writes 53 facts of a device, not 365."""
    uses = [(KEYS[0], NOW + n * DAY_MS, n.to_bytes(8, "big")) for n in range(365)]

    memory = remembered(uses)

    assert memory.blob.count(KEYS[0]) in {53, 54}
