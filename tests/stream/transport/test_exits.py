"""What may be said of an exception when the process leaves, and which limits contradict."""

from __future__ import annotations

from datetime import timedelta

import pytest
from aiokafka.errors import KafkaConnectionError
from redis.exceptions import ConnectionError as RedisConnectionError

from config.settings import load
from detectors.errors import LoginwardError, Rejected
from stream.transport import TransportOptions
from stream.transport.exits import describe


def caught(exc: BaseException) -> BaseException:
    """The same exception with a traceback."""
    try:
        raise exc
    except BaseException as raised:  # noqa: BLE001 - any kind is wanted
        return raised


@pytest.mark.parametrize(
    "exc",
    [
        ConnectionRefusedError("no server at 127.0.0.1:6379"),
        KafkaConnectionError("no server at 127.0.0.1:6379"),
        RedisConnectionError("no server at 127.0.0.1:6379"),
        LoginwardError("no server at 127.0.0.1:6379"),
    ],
)
def test_trouble_with_a_server_is_told_in_its_own_words(exc: Exception) -> None:
    """Where the text names an address and no person it belongs in the log."""
    assert "no server at 127.0.0.1:6379" in describe(caught(exc))
    assert "transport/test_exits.py" in describe(caught(exc))


@pytest.mark.parametrize(
    "exc",
    [
        KeyError("A123456789"),
        ValueError("bad account A123456789"),
        UnicodeDecodeError("utf-8", b"A123456789", 0, 1, "bad"),
        Rejected("bad_value", "account: 'A123456789'"),
    ],
)
def test_what_may_quote_a_customer_is_left_out(exc: Exception) -> None:
    """Type and place are enough where the text could hold an account."""
    assert "A123456789" not in describe(caught(exc))
    assert type(exc).__name__ in describe(caught(exc))


def test_a_text_cannot_forge_a_log_line() -> None:
    """Line ends and escapes of a server's message are escaped, and it is cut."""
    told = describe(caught(OSError("one\nCRITICAL two\x1b[31m" + "x" * 1000)))

    assert "\n" not in told
    assert "\x1b" not in told
    assert len(told) < 600


def test_partitions_change_hands_within_30_seconds_while_redis_is_away() -> None:
    """Whoever goes is waited for, then those who stay for a batch that cannot finish."""
    options, session = TransportOptions(), load(environ={}).kafka.session_timeout

    longest = max(options.stop_grace, session, options.session_timeout) + options.revoke_grace
    assert longest < timedelta(seconds=30)


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"revoke_grace": timedelta(seconds=30)}, "transport.revoke_grace: 0:00:30"),
        ({"rebalance_timeout": timedelta(minutes=1)}, "transport.request_timeout, 0:00:40"),
        ({"session_timeout": timedelta(seconds=3)}, "transport.heartbeat_interval: 0:00:03"),
    ],
)
def test_limits_that_contradict_each_other_are_refused(
    limits: dict[str, timedelta], words: str
) -> None:
    """The message names both, with their values, and the way out."""
    with pytest.raises(LoginwardError, match=words):
        TransportOptions(**limits)  # type: ignore[arg-type]  # spans all of them
