"""The webhook at a real server: signed, idempotent, never redirected, patient."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from deploy.embedded.ports import free_port
from notifier.signing import SIGNATURE, TIMESTAMP, genuine
from notifier.soc.output import Refused
from notifier.soc.webhook import Webhook
from notifier.soc.worker import Worker

from .made import MINUTE, SECOND, START, Clock, item, made_metrics, queue
from .receivers import Http, Request

SECRET = b"a-shared-secret"


def sent(http: Http, *numbers: int) -> list[Refused]:
    """Send so many alerts once; what was refused."""

    async def run() -> list[Refused]:
        hook = Webhook(
            url=f"{http.url}/alerts",
            secret=SECRET,
            client=httpx.AsyncClient(timeout=60, trust_env=False),
            now=lambda: START,
        )
        try:
            return list(await hook.send([item(number) for number in numbers]))
        finally:
            await hook.close()

    return asyncio.run(run())


def test_a_receiver_can_check_who_sent_it() -> None:
    """Signature over the bytes as they came; key and type where the document says."""
    with Http().running() as http:
        assert sent(http, 1) == []

    (request,) = http.requests
    assert request.path == "/alerts"
    assert request.headers["idempotency-key"] == item(1).key
    assert request.headers["content-type"] == "application/json"
    assert json.loads(request.body)["alert"]["alert_id"] == item(1).id
    assert genuine(
        SECRET,
        request.body,
        timestamp=request.headers[TIMESTAMP.lower()],
        signature=request.headers[SIGNATURE.lower()],
        now=START,
    )


@pytest.mark.parametrize("status", [301, 307, 401, 403, 404, 429, 500, 503])
def test_an_answer_about_us_holds_up_the_output(status: int) -> None:
    """Nothing but 2xx is a delivery, and where the place has moved nothing is sent after it."""
    with Http().running() as elsewhere, Http(lambda _: (status, b"")).running() as http:
        http.headers = {"Location": f"{elsewhere.url}/taken"}
        (refused,) = sent(http, 1)

    assert refused.whole
    assert f"HTTP {status}" in refused.reason
    assert elsewhere.requests == []


@pytest.mark.parametrize("status", [400, 413, 422])
def test_an_answer_about_the_content_holds_up_that_alert(status: int) -> None:
    """The others of the same batch are taken."""

    def answer(request: Request) -> tuple[int, bytes]:
        return (status if item(2).id.encode() in request.body else 202), b""

    with Http(answer).running() as http:
        (refused,) = sent(http, 1, 2, 3)

    assert refused.item is not None
    assert refused.item.key == item(2).key
    assert not refused.whole


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("7", 7.0), ("86400", 3600.0), ("-1", None), ("soon", None), ("9" * 40, None)],
)
def test_a_receiver_may_ask_for_patience(said: str, seconds: float | None) -> None:
    """Retry-After in seconds, an hour at the most; nonsense is no wish."""
    with Http(lambda _: (503, b"")).running() as http:
        http.headers = {"Retry-After": said}
        (refused,) = sent(http, 1)

    assert refused.after == seconds


def test_no_message_shows_the_url_or_its_answer() -> None:
    """Receivers put tokens into URLs; the log is read by many."""
    (refused,) = sent(Http(port=free_port()), 1)

    assert refused.reason == "ConnectError"
    assert refused.whole


def test_nothing_is_lost_by_an_outage_and_repeats_have_the_same_key(tmp_path: Path) -> None:
    """A receiver that takes and then answers 500 gets the same key and the same bytes again."""
    clock = Clock()
    waiting = queue(tmp_path, clock, "webhook")
    broken = {"yes"}
    http = Http(lambda _: (500 if broken else 200, b""))

    async def run() -> None:
        hook = Webhook(
            url=http.url,
            secret=SECRET,
            client=httpx.AsyncClient(timeout=60, trust_env=False),
            now=lambda: datetime.fromtimestamp(clock.now / 1000, tz=UTC),
        )
        worker = Worker(output=hook, queue=waiting, metrics=made_metrics(), now=clock)
        waiting.put([item(number) for number in range(20)])
        assert not await worker.turn()
        clock.pass_(SECOND // 4)
        assert not await worker.turn()  # still waiting: nothing was sent
        assert len(http.requests) == 8
        broken.clear()
        clock.pass_(MINUTE)
        while await worker.turn():
            pass
        await hook.close()

    with http.running():
        asyncio.run(run())

    keys = [request.headers["idempotency-key"] for request in http.requests[8:]]
    assert sorted(keys) == sorted(item(number).key for number in range(20))
    first = {request.headers["idempotency-key"]: request.body for request in http.requests[:8]}
    again = {request.headers["idempotency-key"]: request.body for request in http.requests[8:]}
    assert all(again[key] == body for key, body in first.items())
    assert waiting.backlog("webhook") == (0, None)
