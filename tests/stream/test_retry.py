"""A broken world is waited for in place: the same call, with capped back-off, until it succeeds."""

from __future__ import annotations

import asyncio
import threading

import pytest
from redis import exceptions
from structlog.testing import capture_logs

from stream.redis_client import transient
from stream.retry import FIRST_WAIT_S, LONGEST_WAIT_S, until_done


class Flaky:
    """A call that fails some times before it answers."""

    def __init__(self, failures: int, error: BaseException | None = None) -> None:
        self.left = failures
        self.error = error or ConnectionError("down")

    async def __call__(self) -> str:
        """Fail as often as said, then answer."""
        if self.left:
            self.left -= 1
            raise self.error
        return "answer"


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits asked for (seconds), none of which is waited."""
    asked: list[float] = []
    pause = asyncio.sleep

    here = threading.get_ident()

    async def note(seconds: float) -> None:
        if threading.get_ident() != here:  # a server that another test left in its thread
            await pause(seconds)
            return
        asked.append(seconds)
        await pause(0)

    monkeypatch.setattr(asyncio, "sleep", note)
    return asked


def _connection(failure: BaseException) -> bool:
    return isinstance(failure, ConnectionError)


def test_a_call_that_answers_is_made_once(waits: list[float]) -> None:
    """Nothing is waited for and nothing logged where nothing fails."""
    with capture_logs() as logs:
        answer = asyncio.run(until_done("call", Flaky(0), _connection))

    assert (answer, waits, logs) == ("answer", [], [])


def test_it_is_repeated_until_it_answers(waits: list[float]) -> None:
    """Each failure is counted and each is followed by a wait, up to the longest and no further."""
    counted: list[None] = []

    answer = asyncio.run(until_done("call", Flaky(25), _connection, lambda: counted.append(None)))

    assert answer == "answer"
    assert len(counted) == len(waits) == 25
    ceilings = [min(LONGEST_WAIT_S, FIRST_WAIT_S * 2**n) for n in range(1, 26)]
    assert all(top / 2 <= wait <= top for wait, top in zip(waits, ceilings, strict=True))


def test_a_fault_of_ours_is_raised_at_once(waits: list[float]) -> None:
    """What no waiting mends is not repeated, and not counted as an outage."""
    counted: list[None] = []

    with pytest.raises(ValueError, match="ours"):
        asyncio.run(
            until_done(
                "call", Flaky(1, ValueError("ours")), _connection, lambda: counted.append(None)
            )
        )

    assert (waits, counted) == ([], [])


def test_an_outage_is_logged_at_its_start_now_and_then_and_at_its_end(waits: list[float]) -> None:
    """An outage of an hour does not fill the disk with one sentence."""
    with capture_logs() as logs:
        asyncio.run(until_done("redis claim", Flaky(25), _connection))

    assert [(entry["event"], entry["failures"]) for entry in logs] == [
        ("retrying", 1),
        ("retrying", 11),
        ("retrying", 21),
        ("recovered", 25),
    ]
    assert {entry["what"] for entry in logs} == {"redis claim"}


def test_a_long_error_is_cut(waits: list[float]) -> None:
    """What a server answers is bounded before it is logged."""
    with capture_logs() as logs:
        asyncio.run(until_done("call", Flaky(1, ConnectionError("x" * 100_000)), _connection))

    assert len(logs[0]["error"]) <= 300


def test_cancelling_ends_the_waiting() -> None:
    """A worker that is told to stop does not go on waiting for a server that is gone."""

    async def scenario() -> None:
        failed = asyncio.Event()
        waiting = asyncio.create_task(until_done("call", Flaky(1 << 30), _connection, failed.set))
        await failed.wait()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("failure", "passes"),
    [
        pytest.param(exceptions.ConnectionError("refused"), True, id="connection"),
        pytest.param(exceptions.TimeoutError("late"), True, id="timeout"),
        pytest.param(exceptions.BusyLoadingError("loading"), True, id="loading"),
        pytest.param(exceptions.AuthenticationError("wrong"), True, id="password"),
        pytest.param(exceptions.OutOfMemoryError("full"), True, id="memory"),
        pytest.param(exceptions.ResponseError("MISCONF errors writing"), True, id="disk"),
        pytest.param(exceptions.ResponseError("NOREPLICAS not enough"), True, id="replicas"),
        pytest.param(OSError("no route"), True, id="network"),
        pytest.param(exceptions.ResponseError("WRONGTYPE Operation"), False, id="wrong type"),
        pytest.param(exceptions.ResponseError("ERR unknown command"), False, id="command"),
        pytest.param(exceptions.NoScriptError("NOSCRIPT"), False, id="script"),
        pytest.param(ValueError("ours"), False, id="ours"),
    ],
)
def test_what_passes_by_itself(failure: Exception, passes: bool) -> None:
    """Server, network and disk come back; a wrong call does not become right."""
    assert transient(failure) is passes
