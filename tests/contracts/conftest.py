"""The keepers of windows, each on state that no other test has."""

from __future__ import annotations

from typing import cast

import pytest
import redis

from .keepers import InMemory, InRedis, Keeper


@pytest.fixture(params=["memory", "redis"])
def keeper(request: pytest.FixtureRequest) -> Keeper:
    """Give an empty keeper of each kind; the server starts when the first test needs it."""
    return in_redis(request) if request.param == "redis" else InMemory()


def in_redis(request: pytest.FixtureRequest) -> InRedis:
    """An empty database of the session's server."""
    client = cast("redis.Redis", request.getfixturevalue("fresh_redis"))
    assert client.dbsize() == 0
    return InRedis(cast("str", request.getfixturevalue("fresh_redis_url")))
