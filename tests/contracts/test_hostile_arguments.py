"""What goes to the server's scripts is of anybody's choosing: it is kept, never understood."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detectors.windows import Claim, Observed, Standing, Subject
from tests.builders import series
from tests.detectors.logs import entry

from .conftest import in_redis
from .keepers import InMemory, InRedis, Keeper
from .parts import FIRST_LOOK, NOW_MS

HOSTILE = ("-1", "+inf", "nan", "1e400", "*1\r\n$4\r\nPING\r\n", "{000}", "\0", "a}b{c", "KEYS[1]")
TEXT = st.sampled_from(HOSTILE) | st.text(min_size=1, max_size=20)
SUBJECTS = st.lists(
    st.builds(Subject, TEXT, st.just("ip"), st.sampled_from(["192.0.2.7", "2001:db8::1"]))
    | st.builds(Subject, TEXT, st.just("account"), TEXT),
    max_size=6,
    unique=True,
)
NUMBERS = st.sampled_from([0, 1, 2**31 - 1, 2**31, 2**32 - 1])
CLAIMS = st.lists(
    st.builds(
        Claim,
        st.sampled_from([b"\0" * 8, b"\xff" * 8, b"-1\r\n+inf"]),
        NUMBERS,
        st.sampled_from([0, 1023]),
        st.sampled_from([0, 1, 2**31, 2**40]),
        st.just(NOW_MS),
    ),
    max_size=12,
    unique_by=lambda one: (one.partition, one.offset),
)
ENTRIES = [entry(event) for event in series(6, every=1)]


@pytest.fixture
def redis_keeper(request: pytest.FixtureRequest) -> InRedis:
    """Give an empty database; examples share it, each under names of its own."""
    return in_redis(request)


async def standings(keeper: Keeper, claims: list[Claim]) -> list[Standing]:
    """What becomes of claims, one call each."""
    async with keeper.open() as (store,):
        return [one for claim in claims for one in await store.claim([claim])]


async def kept(keeper: Keeper, subjects: Iterable[Subject]) -> dict[Subject, bytes]:
    """What is read back of subjects that have gained some entries."""
    async with keeper.open() as (store,):
        added = Observed(dict.fromkeys(subjects, ENTRIES), urgent=frozenset(subjects))
        found = await store.record(added, FIRST_LOOK)
        return {subject: reading.blob for subject, reading in found.items()}


async def emptied(keeper: InRedis) -> None:
    """Begin anew."""
    async with keeper.client() as client:
        await client.flushdb()


FAST = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@FAST
@given(claims=CLAIMS)
def test_claims_of_any_numbers_and_bytes_stand_as_in_memory(
    redis_keeper: InRedis, claims: list[Claim]
) -> None:
    """No number overflows and no identity is taken for something else."""
    asyncio.run(emptied(redis_keeper))

    found = asyncio.run(standings(redis_keeper, claims))

    assert found == asyncio.run(standings(InMemory(), claims))


@FAST
@given(subjects=SUBJECTS)
def test_subjects_of_any_name_are_kept_apart(
    redis_keeper: InRedis, subjects: list[Subject]
) -> None:
    """What looks like a command, a number or a hash tag is a name like any other."""
    asyncio.run(emptied(redis_keeper))

    found = asyncio.run(kept(redis_keeper, subjects))

    assert found == asyncio.run(kept(InMemory(), subjects))
    assert all(blob == b"".join(ENTRIES) for blob in found.values())
    assert set(found) == set(subjects)
