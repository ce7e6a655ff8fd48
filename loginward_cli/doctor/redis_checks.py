"""Whether Redis answers, keeps what it acknowledged, never evicts, and tells our time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import redis

from config.redis_options import redis_client, shown_address
from detectors.errors import LoginwardError, escaped

from .check import Check, Visit, finding, note, ok, skipped

_OLDEST = (7, 2)
"""The pipeline keeps to the commands of 7.2, which Redis and Valkey share (RELIABILITY.md 2.5)."""
_FULL = 0.7
"""Of maxmemory: with noeviction a full server refuses writes, so the alarm comes before."""
_CLOCK_TOLERANCE = timedelta(seconds=2)
_WANTED = {
    "appendonly": ("yes", "what is acknowledged must survive a crash"),
    "appendfsync": ("always", "with everysec a crash loses up to a second of counts"),
    "maxmemory-policy": ("noeviction", "eviction silently deletes evidence"),
}


def redis_server(visit: Visit) -> Iterator[Check]:
    """Every server of the state, one after another."""
    settings = visit.settings.redis
    try:
        client = redis_client(settings)
        try:
            nodes = _nodes(client, shown_address(settings))
            for name, node in nodes:
                yield from _server(name, node, visit.now)
        finally:
            client.close()
    except (redis.RedisError, LoginwardError) as failure:
        yield finding(
            "redis",
            f"{shown_address(settings)}: {escaped(str(failure), 300)}",
            "start Redis or Valkey, or set REDIS_URL; the section [redis] holds the rest",
        )
        yield skipped("redis.durability", "Redis does not answer")


def _nodes(client: redis.Redis | redis.RedisCluster, address: str) -> list[tuple[str, redis.Redis]]:
    if isinstance(client, redis.RedisCluster):
        primaries = client.get_primaries()  # type: ignore[no-untyped-call]  # redis-py's own gap
        return [(node.name, client.get_redis_connection(node)) for node in primaries]
    return [(address, client)]


def _server(name: str, node: redis.Redis, now: datetime) -> Iterator[Check]:
    info: dict[str, Any] = node.info()
    yield _version(name, info)
    for setting, (wanted, why) in _WANTED.items():
        yield _setting(name, node, setting, wanted, why)
    yield _memory(name, info)
    yield _clock(name, node, now)


def _version(name: str, info: dict[str, Any]) -> Check:
    kind = "Valkey" if "valkey_version" in info else "Redis"
    version = str(info.get("valkey_version", info["redis_version"]))
    parts = tuple(int(part) for part in version.split(".")[:2])
    if parts < _OLDEST:
        return finding("redis", f"{name}: {kind} {version}", "take Redis 7.2, Valkey, or newer")
    return ok("redis", f"{name}: {kind} {version}")


def _setting(name: str, node: redis.Redis, setting: str, wanted: str, why: str) -> Check:
    code = f"redis.{setting}"
    try:
        found: dict[str, str] = node.config_get(setting)  # type: ignore[assignment]  # sync client
    except redis.ResponseError:
        return note(code, f"{name}: may not be asked here; make sure that it is {wanted}: {why}")
    texts = {_text(key): _text(value) for key, value in found.items()}
    if texts.get(setting) == wanted:
        return ok(code, f"{name}: {wanted}")
    return finding(
        code,
        f"{name}: {texts.get(setting)}, wanted {wanted}: {why}",
        f"CONFIG SET {setting} {wanted}, and the same in its configuration file",
    )


def _text(value: str | bytes) -> str:
    return escaped(value.decode(errors="replace") if isinstance(value, bytes) else value)


def _memory(name: str, info: dict[str, Any]) -> Check:
    used, most = int(info["used_memory"]), int(info.get("maxmemory", 0))
    megabytes = used / 1_000_000
    if most == 0:
        return note("redis.memory", f"{name}: {megabytes:.0f} MB used, no maxmemory set")
    if used > _FULL * most:
        return finding(
            "redis.memory",
            f"{name}: {used / most:.0%} of maxmemory used; when it is full detection stops",
            "raise maxmemory, or add servers and set redis.mode",
        )
    return ok("redis.memory", f"{name}: {megabytes:.0f} MB used, {used / most:.0%} of maxmemory")


def _clock(name: str, node: redis.Redis, now: datetime) -> Check:
    seconds, micros = node.time()
    apart = abs(seconds + micros / 1_000_000 - now.timestamp())
    if apart > _CLOCK_TOLERANCE.total_seconds():
        return finding(
            "clock",
            f"this machine and {name} are {apart:.0f} s apart",
            "run an NTP client on both: times of arrival and tokens of customers stand on them",
        )
    return ok("clock", f"this machine and {name} agree on the time")
