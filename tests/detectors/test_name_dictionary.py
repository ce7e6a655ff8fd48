"""What is kept of names is the same whatever the order, and bounded."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.events import DAY_MS
from detectors.name_dictionary import (
    FACT_BYTES,
    LISTED_MS,
    LONGEST,
    SHORTENED,
    Slot,
    firsts,
    place_of,
    rewritten,
    source_of,
)

NOW = 20_000 * DAY_MS
NAME = b"name one"
SOURCES = [source_of(f"192.0.2.{n}") for n in range(6)]

tries = st.lists(
    st.tuples(st.integers(0, 9 * 24), st.sampled_from(SOURCES)).map(
        lambda one: (NOW - LISTED_MS + one[0] * 3_600_000, one[1])
    ),
    max_size=30,
)


def slot_of(*made: tuple[int, bytes], name: bytes = NAME) -> Slot:
    """A slot in which a name was tried so."""
    slot = Slot(b"")
    for at, source in made:
        slot.add(name, at, source)
    return slot


@given(made=tries, cut=st.integers(0, 30), seed=st.integers(0, 1 << 32))
@settings(max_examples=200)
def test_two_halves_say_what_the_whole_says(
    made: list[tuple[int, bytes]], cut: int, seed: int
) -> None:
    """Whoever read what before, in any order and doubled: a name is listed at the same instants."""
    whole = slot_of(*sorted(made))
    shuffled = made * 2
    Random(seed).shuffle(shuffled)
    halves = Slot(bytes(slot_of(*shuffled[:cut]).fresh) + bytes(slot_of(*shuffled[cut:]).fresh))

    for now in range(NOW - LISTED_MS, NOW + 3 * DAY_MS, 5 * 3_600_000):
        seen = {s for at, s in made if now - LISTED_MS < at <= now - 60_000}
        assert halves.lists(NAME, now) == whole.lists(NAME, now)
        assert len(seen) >= 3 or not whole.lists(NAME, now)


@given(made=tries, day=st.integers(0, 8))
@settings(max_examples=100)
def test_a_day_keeps_three_addresses(made: list[tuple[int, bytes]], day: int) -> None:
    """Of each its earliest try, and of the others nothing."""
    slot = slot_of(*sorted(made))
    first = NOW - LISTED_MS + day * DAY_MS
    of_day = [(at, source) for at, source in sorted(made) if first <= at < first + DAY_MS]
    wanted = dict.fromkeys(source for _, source in of_day)

    kept = [fact[8:] for fact in _facts(slot) if first <= int.from_bytes(fact[8:14], "big")]
    kept = [one for one in firsts(kept) if int.from_bytes(one[:6], "big") < first + DAY_MS]

    assert [one[6:] for one in kept] == [*wanted][:3]


def test_a_flood_of_names_pushes_out_no_name_of_several_addresses() -> None:
    """A slot stays short; what is forgotten was tried from one address, the longest ago first."""
    blob = bytes(slot_of(*((NOW - DAY_MS, source) for source in SOURCES[:3])).fresh)
    for number in range(300):
        blob += bytes(slot_of((NOW + number, SOURCES[0]), name=b"%08d" % number).fresh)

    kept = rewritten(blob)

    assert Slot(blob).is_long
    assert len(kept) == SHORTENED * FACT_BYTES < LONGEST * FACT_BYTES
    assert Slot(kept).lists(NAME, NOW)
    assert b"00000299" in kept
    assert b"00000200" not in kept


def test_a_rewritten_slot_forgets_only_what_can_list_nothing() -> None:
    """What is older than a week and a day goes, what repeats goes, and nothing else."""
    old, fresh = NOW - LISTED_MS - DAY_MS - 1, NOW - LISTED_MS
    one = bytes(slot_of((old, SOURCES[0]), (fresh, SOURCES[1])).fresh)
    now = b"".join(bytes(slot_of((NOW, SOURCES[2]), name=b"%08d" % n).fresh) for n in range(8))

    kept = rewritten(one * 2 + now)

    assert len(kept) == 9 * FACT_BYTES
    assert kept.count(NAME) == 1


def test_addresses_count_as_rules_count_them() -> None:
    """All addresses of one /64 are one source, and one mapped into IPv6 is never seen here."""
    assert source_of("2001:db8::1") == source_of("2001:db8::ffff:2")
    assert source_of("2001:db8::1") != source_of("2001:db8:0:1::1")
    assert source_of("192.0.2.1") != source_of("192.0.2.2")
    assert len({len(source) for source in (*SOURCES, source_of("2001:db8::1"))}) == 1


def test_a_name_has_a_place_of_its_own_in_each_system() -> None:
    """Two systems' names are two; the owner is as long as no account's."""
    one, other = place_of("web", b"a" * 12), place_of("app", b"a" * 12)

    assert one.name != other.name
    assert {len(place.slot) for place in (one, other)} == {7}


def _facts(slot: Slot) -> list[bytes]:
    return [bytes(slot.fresh[n : n + FACT_BYTES]) for n in range(0, len(slot.fresh), FACT_BYTES)]
