"""The firm's webhook: signed, repeated until it says done, and never done twice by our fault."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from notifier import signing
from notifier.answers import CALL_BACK_TASK, RUNBOOK_TASK
from notifier.denial import Order
from notifier.hook import IDEMPOTENCY_KEY, Hook
from notifier.ledger import Ledger
from notifier.runbook import LONGEST_PAUSE, Runbook, pause
from notifier.runbook_metrics import build
from tests.notifier.answering import Asked
from tests.notifier.firm import Firm
from tests.notifier.made import NOON

SECRET = b"a secret of the test"


@pytest.fixture
def firm() -> Iterator[Firm]:
    """Give the firm's endpoint."""
    made = Firm()
    yield made
    made.close()


@pytest.fixture
def asked(ledger: Ledger) -> Asked:
    """Give an empty ledger with a clock."""
    return Asked(ledger)


def _turns(asked: Asked, url: str | None, turns: int = 1, every: float = 0) -> CollectorRegistry:
    """Let a runbook look `turns` times, `every` seconds of its clock apart."""
    registry = CollectorRegistry()

    async def go() -> None:
        async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
            hook = url and Hook(url=url, secret=SECRET, client=client, now=asked.clock)
            runbook = Runbook(
                ledger=asked.ledger,
                hook=hook or None,
                now=asked.clock,
                metrics=build(registry),
                jitter=lambda: 0.0,
            )
            for _ in range(turns):
                await runbook.turn()
                asked.clock.advance(seconds=every)

    asyncio.run(go())
    return registry


def _deny(asked: Asked, **changed: Any) -> str:
    told = asked.notice(**changed)
    asked.answers.by_desk(told, "no", by="amy", identified=False)
    return told.notice_id


def test_the_firm_gets_a_signed_order_once(asked: Asked, firm: Firm) -> None:
    """One call with a signature that the firm can check, an idempotency key and no person."""
    notice_id = _deny(asked)

    _turns(asked, firm.url, turns=3, every=60)

    ((headers, body),) = firm.calls
    assert headers[IDEMPOTENCY_KEY.lower()] == f"customer_denied:{notice_id}"
    assert signing.genuine(
        SECRET,
        body,
        timestamp=headers[signing.TIMESTAMP.lower()],
        signature=headers[signing.SIGNATURE.lower()],
        now=asked.clock(),
    )
    order = msgspec.json.decode(body, type=Order)
    assert order.notice_id == notice_id
    assert asked.ledger.open_tasks(RUNBOOK_TASK) == []


def test_it_is_called_until_it_says_done(asked: Asked, firm: Firm) -> None:
    """Errors, refusals and redirects are tried again with the same key, however many there are."""
    _deny(asked)
    firm.answers = [500, 503, 404, 302, 429, 500]

    _turns(asked, firm.url, turns=7, every=61)

    assert len(firm.calls) == 7
    assert len({headers[IDEMPOTENCY_KEY.lower()] for headers, _ in firm.calls}) == 1
    assert len({body for _, body in firm.calls}) == 1
    assert asked.ledger.open_tasks(RUNBOOK_TASK) == []


def test_a_failing_webhook_is_shown(asked: Asked, firm: Firm) -> None:
    """Ledger row and metrics say how many orders wait, since when, how often and why."""
    _deny(asked)
    firm.answers = [500] * 9

    registry = _turns(asked, firm.url, turns=3, every=10)

    (task,) = asked.ledger.open_tasks(RUNBOOK_TASK)
    assert (task.attempts, task.error) == (3, "HTTP 500")
    assert registry.get_sample_value("loginward_runbook_open_orders") == 1
    assert registry.get_sample_value("loginward_runbook_oldest_seconds") == 20
    failed = {"outcome": "failed"}
    assert registry.get_sample_value("loginward_runbook_calls_total", failed) == 3


def test_nobody_listening_is_a_reason_to_come_back(asked: Asked) -> None:
    """A refused connection is no fault of ours, and the order waits."""
    firm = Firm()
    firm.close()
    _deny(asked)

    _turns(asked, firm.url)

    (task,) = asked.ledger.open_tasks(RUNBOOK_TASK)
    assert task.error.startswith("ConnectError")


def test_one_dead_order_holds_no_other_up(asked: Asked, firm: Firm) -> None:
    """While one order is refused the others are done."""
    for _ in range(5):
        _deny(asked)
    firm.answers = [500]

    _turns(asked, firm.url)

    assert len(firm.calls) == 5
    assert len(asked.ledger.open_tasks(RUNBOOK_TASK)) == 1


def test_two_processes_do_not_call_at_once(asked: Asked, firm: Firm) -> None:
    """An order that one process is calling for is not another's; a killed one gives it back."""
    _deny(asked)
    taken = asked.ledger.claim_tasks(RUNBOOK_TASK, asked.clock(), lease=timedelta(seconds=60))

    _turns(asked, firm.url)
    assert (len(taken), len(firm.calls)) == (1, 0)
    asked.clock.advance(seconds=61)
    _turns(asked, firm.url)

    assert len(firm.calls) == 1


def test_without_a_webhook_orders_wait_and_are_counted(asked: Asked) -> None:
    """Where none is set nothing is lost: whoever sets one later gets every order."""
    _deny(asked)

    registry = _turns(asked, None)

    assert registry.get_sample_value("loginward_runbook_open_orders") == 1


@pytest.mark.parametrize(
    ("risk", "answer", "identified", "called"),
    [
        pytest.param("high", None, False, 1, id="high and silent"),
        pytest.param("ask", None, False, 0, id="not high"),
        pytest.param("high", "no", False, 0, id="a no"),
        pytest.param("high", "yes", True, 0, id="a strong yes"),
        pytest.param("high", "yes", False, 1, id="a weak yes may be the thief's"),
    ],
)
def test_who_is_silent_for_a_day_is_called(
    asked: Asked, risk: str, answer: Any, identified: bool, called: int
) -> None:
    """A day after a high-risk notice without an answer that counts a person has to call, once."""
    told = asked.notice(notice_risk=risk)
    if answer:
        asked.answers.by_desk(told, answer, by="amy", identified=identified)

    asked.clock.advance(hours=24)
    _turns(asked, None)
    assert asked.ledger.open_tasks(CALL_BACK_TASK) == []
    asked.clock.advance(seconds=1)
    _turns(asked, None, turns=3, every=3600)

    assert len(asked.ledger.open_tasks(CALL_BACK_TASK)) == called


@given(attempts=st.integers(1, 10_000), jitter=st.floats(0, 1))
def test_pauses_grow_to_a_minute_and_no_further(attempts: int, jitter: float) -> None:
    """From half a second to a minute, whatever the number of tries."""
    assert timedelta(seconds=0.5) <= pause(attempts, jitter) <= LONGEST_PAUSE
    assert pause(attempts, 0.0) <= pause(attempts + 1, 0.0)


@pytest.mark.parametrize(
    ("changed", "late"),
    [
        pytest.param({"body": b"{}x"}, 0, id="another body"),
        pytest.param({"secret": b"another"}, 0, id="another secret"),
        pytest.param({"timestamp": "1795320001"}, 0, id="another time"),
        pytest.param({"timestamp": "²"}, 0, id="no time"),
        pytest.param({"signature": "v1="}, 0, id="no signature"),
        pytest.param({"signature": "é"}, 0, id="not ascii"),
        pytest.param({}, 301, id="sent again later"),
    ],
)
def test_what_was_not_signed_by_us_just_now_is_refused(changed: dict[str, Any], late: int) -> None:
    """What a receiver is told to check fails for each thing that is altered."""
    sent = signing.headers(SECRET, b"{}", NOON)
    said: dict[str, Any] = {
        "secret": SECRET,
        "body": b"{}",
        "timestamp": sent[signing.TIMESTAMP],
        "signature": sent[signing.SIGNATURE],
        "now": NOON,
    }

    assert signing.genuine(said.pop("secret"), said.pop("body"), **said)
    altered = (
        said | {"secret": SECRET, "body": b"{}", "now": NOON + timedelta(seconds=late)} | changed
    )
    assert not signing.genuine(altered.pop("secret"), altered.pop("body"), **altered)
