"""What only a server can do to the store: expire keys, forget scripts, die between calls."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest
import redis

from deploy.embedded import ValkeyServer
from detectors.attempts import NEW_DEVICE, flags_of, split
from detectors.engine import Engine
from detectors.events import LoginEvent, milliseconds
from detectors.memory import MemoryStore
from detectors.windows import (
    RETENTION_MS,
    Observed,
    Subject,
    WindowStore,
    compacted,
)
from stream import keys_in_redis
from stream.redis_store import RedisStore
from tests.builders import HOUR, NAMES, arrivals, engine, finish, found, login, series
from tests.contracts.keepers import IDENTITY_TTL, InRedis
from tests.contracts.parts import (
    FIRST_LOOK,
    NOW_MS,
    WEB,
    adding,
    claim,
    draft,
    run,
    settling,
    waiting,
)
from tests.detectors.warm import warm
from tests.interleaving import around

OWNER = bytes(12)

DAY_MS = 86_400_000


@pytest.fixture
def keeper(fresh_redis: redis.Redis, fresh_redis_url: str) -> InRedis:
    """Give a keeper with all keys in one shard, on an empty database."""
    return InRedis(fresh_redis_url, shards=1)


def _expiry(client: redis.Redis, key: str | bytes) -> int:
    """When a key goes, in ms of the server's clock since 1970."""
    return int(cast("Any", client).pexpiretime(key))  # typed for text alone


def _now(client: redis.Redis) -> int:
    seconds, micro = client.time()
    return seconds * 1000 + micro // 1000


def test_nothing_expires_before_retention_has_passed(
    keeper: InRedis, fresh_redis: redis.Redis
) -> None:
    """After every write a log, a memory and an alert live at least as long as they may count."""
    keys = (
        keys_in_redis.log(0, WEB),
        keys_in_redis.memory(0, OWNER),
        keys_in_redis.episode(0, "alert"),
    )
    log, slot, episode = keys
    clock = [1_000_000.0]

    async def scenario(store: RedisStore) -> None:
        before = _now(fresh_redis)
        batch = replace(adding(series(4, every=1)), remembered={OWNER: b"f" * 23})
        due = await store.record(batch, FIRST_LOOK)
        await store.settle(settling(due[WEB], draft(4), room=1))
        assert all(_expiry(fresh_redis, key) >= before + RETENTION_MS for key in keys)

        for key in keys:
            fresh_redis.pexpire(key, 1000)  # as if nearly all of the time had passed
        clock[0] += RETENTION_MS / 1000
        before = _now(fresh_redis)
        due = await store.record(batch, FIRST_LOOK)
        assert _expiry(fresh_redis, log) >= before + RETENTION_MS
        assert _expiry(fresh_redis, slot) >= before + 2 * RETENTION_MS
        await store.settle(settling(due[WEB], draft(8), compacted=compacted(due[WEB].blob)))
        assert _expiry(fresh_redis, log) >= before + RETENTION_MS
        assert _expiry(fresh_redis, episode) >= before + RETENTION_MS

    asyncio.run(_at(keeper, clock, scenario))


def test_a_busy_log_has_its_expiry_renewed_once_an_hour(
    keeper: InRedis, fresh_redis: redis.Redis
) -> None:
    """Between two renewals a log lives long enough as it is; after lost state, or a clock that was
    set back, it is renewed at once.
    """
    log = keys_in_redis.log(0, WEB)
    clock = [1_000_000.0]

    async def scenario(store: RedisStore) -> None:
        async def expiry_after(seconds: float) -> int:
            clock[0] += seconds
            fresh_redis.pexpire(log, soon)
            await store.record(adding(series(1, every=1)), FIRST_LOOK)
            return fresh_redis.pttl(log)

        await store.record(adding(series(4, every=1)), FIRST_LOOK)
        assert fresh_redis.pttl(log) > RETENTION_MS + 3_500_000
        soon = 600_000
        assert await expiry_after(3_599) <= soon
        assert await expiry_after(1) > RETENTION_MS + 3_500_000
        assert await expiry_after(-1) > RETENTION_MS + 3_500_000
        assert await expiry_after(1) <= soon
        store.forget()
        assert await expiry_after(1) > RETENTION_MS + 3_500_000

    asyncio.run(_at(keeper, clock, scenario))


async def _at(
    keeper: InRedis, clock: list[float], scenario: Callable[[RedisStore], Awaitable[None]]
) -> None:
    async with keeper.open(now=lambda: clock[0]) as (store,):
        await scenario(store)


def test_every_key_that_can_be_many_expires(keeper: InRedis, fresh_redis: redis.Redis) -> None:
    """What an attacker can make many of goes by itself, and every key lies in its shard."""
    asyncio.run(_judge(keeper, series(30, every=1, accounts=30)))

    keys = cast("list[bytes]", fresh_redis.keys("*"))
    lasting = [key for key in keys if fresh_redis.pttl(key) < 0]
    assert {key[:1] for key in keys} >= {b"i", b"w", b"e", b"o"}
    assert {key[:2] for key in lasting} <= {b"o:", b"u:", b"f:", b"d:"}  # one a shard or system
    assert all(b"{000}" in key for key in keys if not key.startswith(b"f"))


def test_no_account_stands_in_redis(keeper: InRedis, fresh_redis: redis.Redis) -> None:
    """Neither a key nor a value holds an account as typed (promise 5)."""
    events = series(30, every=1, accounts=1)
    secret = b"A123456789"
    told = [login(n, f"s{n}", account=secret.decode(), device_id="d") for n in range(len(events))]

    asyncio.run(_judge(keeper, told))

    everything = b"".join(
        cast("bytes", fresh_redis.dump(key)) + key
        for key in cast("list[bytes]", fresh_redis.keys("*"))
    )
    assert b"s1" in everything
    assert secret not in everything


def test_identities_are_forgotten_after_two_pages(keeper: InRedis) -> None:
    """The registry is bounded: two pages of append time, an hour each."""
    hour = 3_600_000

    async def scenario(store: RedisStore) -> list[Any]:
        await store.claim([claim(1)])
        return await store.claim([claim(2, at=NOW_MS + 2 * hour)])

    assert run(keeper, scenario) == ["first"]


def test_an_expired_log_is_swept_once(keeper: InRedis, fresh_redis: redis.Redis) -> None:
    """A subject whose log has gone does not stand in the way of others for ever."""

    async def scenario(store: RedisStore) -> None:
        await _hand_over(engine(), store, series(12, every=1))
        await store.record(adding(series(1, every=1, name="more")), FIRST_LOOK)
        assert await waiting(store, keeper) == [WEB]
        fresh_redis.delete(keys_in_redis.log(0, WEB))
        await finish(engine(), store, NOW_MS)
        assert await waiting(store, keeper) == []

    run(keeper, scenario)


def test_an_alert_that_the_server_has_lost_is_told_again(
    keeper: InRedis, fresh_redis: redis.Redis
) -> None:
    """What a worker remembers telling is a hint: a server that knows less gets it whole."""

    async def scenario(store: RedisStore) -> list[list[str]]:
        due = await store.record(adding(series(4, every=1)), FIRST_LOOK)
        told = [await store.settle(settling(due[WEB], draft(10), draft(7, name="other")))]
        fresh_redis.delete(keys_in_redis.episode(0, "alert"))
        told.append(await store.settle(settling(due[WEB], draft(11), draft(7, name="other"))))
        assert await waiting(store, keeper) == []
        return told

    assert run(keeper, scenario) == [["alert", "other"], ["alert"]]


def test_one_call_takes_thousands_of_subjects(keeper: InRedis) -> None:
    """A batch may name more logs and memories than Lua passes arguments."""
    crowd = [Subject("web", "ip", f"10.0.{n >> 8}.{n & 255}") for n in range(20_000)]
    owners = [n.to_bytes(12, "big") for n in range(20_000)]
    batch = Observed({}, frozenset(crowd), remembered=dict.fromkeys(owners, b"f" * 23))

    async def scenario(store: RedisStore) -> tuple[int, int]:
        return len(await store.record(batch, FIRST_LOOK)), len(await store.recall(owners))

    assert run(keeper, scenario) == (20_000, 20_000)


async def _hand_over(judge: Engine, store: WindowStore, events: Sequence[LoginEvent]) -> None:
    """All events in batches of seven."""
    arriving = arrivals(events)
    for start in range(0, len(arriving), 7):
        await judge.handle(arriving[start : start + 7], store)


async def _judge(
    keeper: InRedis, events: Sequence[LoginEvent], disturb: Callable[[], object] = lambda: None
) -> None:
    async with keeper.open() as stores:
        store = around(stores[0], lambda: asyncio.to_thread(disturb))
        await _hand_over(engine(), store, events)
        await finish(engine(), store, milliseconds(events[-1].judged_at))


def test_forgotten_scripts_are_loaded_again(keeper: InRedis, fresh_redis: redis.Redis) -> None:
    """SCRIPT FLUSH before every call changes nothing but the time it takes."""
    events = [*series(22, every=5), *series(12, every=1, start=HOUR, accounts=12, ip="192.0.2.9")]

    asyncio.run(_judge(keeper, events, lambda: fresh_redis.script_flush("SYNC")))

    assert asyncio.run(keeper.told()) == found(events)


def test_a_server_that_dies_before_every_call_loses_nothing(
    valkey_factory: Callable[..., ValkeyServer],
) -> None:
    """A kill -9 and a restart between any two calls: what was answered is on disk."""
    server = valkey_factory()
    keeper = InRedis(server.url, shards=2)
    events = series(12, every=5, accounts=11)

    def crash() -> None:
        server.kill()
        server.start(same_ports=True)

    asyncio.run(_judge(keeper, events, crash))

    assert asyncio.run(keeper.told()) == found(events)


def test_an_outage_is_waited_for_and_told(valkey_factory: Callable[..., ValkeyServer]) -> None:
    """While the server is down nothing fails and nothing is lost; each failed try is counted."""
    server = valkey_factory()
    keeper = InRedis(server.url, shards=1)
    events = series(10, every=5)

    async def scenario() -> None:
        failed = asyncio.Event()
        async with keeper.open(on_failure=failed.set) as stores:
            server.kill()
            judging = asyncio.create_task(engine().handle(arrivals(events), stores[0]))
            await failed.wait()
            assert not judging.done()
            await asyncio.to_thread(server.start, same_ports=True)
            await judging

    asyncio.run(scenario())
    assert [alert.event_ids for alert in asyncio.run(keeper.told())] == [
        [event.event_id for event in events]
    ]


def test_a_wrong_kind_of_key_is_a_fault_of_ours(keeper: InRedis, fresh_redis: redis.Redis) -> None:
    """An error that no waiting mends is raised at once, not repeated for ever."""
    fresh_redis.rpush(keys_in_redis.log(0, WEB), b"not a log")

    with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
        run(keeper, lambda store: store.record(adding(series(1, every=1)), FIRST_LOOK))


async def _lose(
    keeper: InRedis, client: redis.Redis, *, flush: bool, before: bool = False
) -> tuple[int, int, list[int]]:
    """Two batches of one worker, with the server's state lost between them: how often it was told,
    until when memory is cold after it, and the marks NEW_* that the second batch left.
    """
    told: list[None] = []
    memories = await asyncio.to_thread(warm)
    async with keeper.client() as connection:
        store = RedisStore(
            connection,
            NAMES,
            shards=1,
            identity_ttl=IDENTITY_TTL,
            on_loss=lambda: told.append(None),
            cold_after_loss=timedelta(days=30),
            now=lambda: NOW_MS / 1000,
        )
        await store.announce([0], lost=before)
        judge = engine()
        strange = [
            login(at, f"e{at}", outcome="success", device_id=f"d{at}", account="alice")
            for at in (0, 600)
        ]
        await warm_up(store, memories)
        await judge.handle(arrivals(strange[:1]), store)
        if flush:
            client.flushall()
            await store.settled()
            await warm_up(store, memories)
        await judge.handle(arrivals(strange[1:], offset=1), store)
        alice = Subject("web", "account", NAMES.account("alice"))
        found = (await store.read([alice])).get(alice)
        marks = (
            [] if found is None else [flags_of(entry) & NEW_DEVICE for entry in split(found.blob)]
        )
        return len(told), await store.cold_until(), marks


async def warm_up(store: RedisStore, memories: MemoryStore) -> None:
    """Memory as a rewind might leave it: the system is warm, and alice with one old device."""
    owner = NAMES.account_bytes("alice")
    remembered = await memories.recall([owner])
    await store.record(Observed({}, remembered=remembered), FIRST_LOOK)
    await store.warm({"web": [(NOW_MS - DAY_MS + n, n.to_bytes(8, "big")) for n in range(1000)]})


def test_a_loss_of_state_is_noticed_and_makes_nothing_new(
    keeper: InRedis, fresh_redis: redis.Redis
) -> None:
    """FLUSHALL between two batches: told once, cold for thirty days, no device is called new."""
    told, cold, marks = asyncio.run(_lose(keeper, fresh_redis, flush=True))

    assert (told, cold) == (1, NOW_MS + 30 * DAY_MS)
    assert not any(marks)


def test_a_fresh_start_is_no_loss(keeper: InRedis, fresh_redis: redis.Redis) -> None:
    """An empty server at the first start is as it should be; both logins are on a new device."""
    told, cold, marks = asyncio.run(_lose(keeper, fresh_redis, flush=False))

    assert (told, cold) == (0, 0)
    assert marks == [NEW_DEVICE, NEW_DEVICE]


def test_an_empty_server_after_earlier_batches_is_a_loss(
    keeper: InRedis, fresh_redis: redis.Redis
) -> None:
    """A worker that starts where others have judged before finds nothing: cold from the start."""
    _, cold, marks = asyncio.run(_lose(keeper, fresh_redis, flush=False, before=True))

    assert cold == NOW_MS + 30 * DAY_MS
    assert not any(marks)
