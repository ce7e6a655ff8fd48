"""How every folder reaches Redis or Valkey: options for the client, password out of a file."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import redis
from redis.sentinel import Sentinel

from detectors.errors import LoginwardError

from .secret_files import read_password
from .sections import RedisSettings

_SENTINEL_PORT = 26_379


def redis_options(settings: RedisSettings) -> dict[str, Any]:
    """What `Redis.from_url(settings.url, **...)` needs beside the URL, async clients included.

    Raises LoginwardError where the password file cannot be used.
    """
    seconds = settings.timeout / timedelta(seconds=1)
    options: dict[str, Any] = {"socket_timeout": seconds, "socket_connect_timeout": seconds}
    if settings.password_file is not None:
        options["password"] = read_password("redis.password_file", settings.password_file)
    if settings.ssl_cafile is not None:
        options["ssl_ca_certs"] = str(settings.ssl_cafile)
    return options


def redis_client(settings: RedisSettings) -> redis.Redis | redis.RedisCluster:
    """A blocking client for tools and checks (the pipeline has its own); nothing is sent yet.

    In cluster mode the nodes are asked at once, so this may raise redis.RedisError.
    """
    options = redis_options(settings)
    if settings.mode == "cluster":
        return redis.RedisCluster.from_url(settings.url, **options)
    if settings.mode == "sentinel":
        return _through_sentinel(settings, options)
    client: redis.Redis = redis.Redis.from_url(settings.url, **options)
    return client


def _through_sentinel(settings: RedisSettings, options: dict[str, Any]) -> redis.Redis:
    parts = urlsplit(settings.url)
    if parts.hostname is None or settings.sentinel_service is None:
        raise LoginwardError("redis.url: names no sentinel; write redis://sentinel-host:26379")
    at = (parts.hostname, parts.port or _SENTINEL_PORT)
    sentinel = Sentinel([at], **options)  # type: ignore[no-untyped-call]  # redis-py's own gap
    master: redis.Redis = sentinel.master_for(settings.sentinel_service)  # type: ignore[no-untyped-call]
    return master


def shown_address(settings: RedisSettings) -> str:
    """The URL's host and port for a message: never its user or password."""
    parts = urlsplit(settings.url)
    return parts.path if parts.scheme == "unix" else f"{parts.hostname}:{parts.port or 6379}"
