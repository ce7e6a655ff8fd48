"""How the state's server is reached, and which of its errors pass by themselves."""

from __future__ import annotations

from redis import exceptions
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from config.redis_options import redis_options
from config.settings import RedisSettings
from detectors.errors import LoginwardError

from .redis_packing import pack_in_c

_TRANSIENT = (
    exceptions.ConnectionError,
    exceptions.TimeoutError,
    exceptions.BusyLoadingError,
    exceptions.ReadOnlyError,
    exceptions.OutOfMemoryError,
    exceptions.ClusterDownError,
    exceptions.TryAgainError,
    exceptions.MasterDownError,
    OSError,
)
_TRANSIENT_WORDS = ("MISCONF", "OOM", "NOREPLICAS", "UNKILLABLE", "BUSY", "LOADING", "READONLY")


def connect(settings: RedisSettings) -> Redis:
    """A client of the single server of `settings`; nothing is sent yet.

    redis-py repeats a call up to ten times by itself, also after a lost reply; our own calls may be
    repeated, but only where we know of it, so its retries are off.
    """
    if settings.mode != "single":
        raise LoginwardError(
            f'redis.mode: {settings.mode!r} comes with a later version; use "single"'
        )
    once = Retry(NoBackoff(), 0)
    return pack_in_c(Redis.from_url(settings.url, retry=once, **redis_options(settings)))


def transient(failure: BaseException) -> bool:
    """Whether the server, the network or its disk will come back; a wrong password may be mended
    too.
    """
    if isinstance(failure, _TRANSIENT):
        return True
    return isinstance(failure, exceptions.ResponseError) and str(failure).startswith(
        _TRANSIENT_WORDS
    )
