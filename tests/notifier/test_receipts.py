"""The APP's word that a push was shown: signed, bound to its notice, never an answer."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import httpx
import msgspec
import pytest
from starlette.applications import Starlette

from notifier import signing
from notifier.receipts import AppReceipts

from .harness import Harness, Providers

SECRET = b"shared-with-the-app"


def post(
    notifier: Harness,
    body: bytes,
    secret: bytes = SECRET,
    age: timedelta = timedelta(0),
    signed: bytes | None = None,
) -> int:
    """What the endpoint says to a receipt."""
    routes = AppReceipts(
        notifier.ledger, secret=SECRET, now=notifier.clock, metrics=notifier.metrics
    ).routes()
    headers = signing.headers(secret, signed or body, notifier.clock.at - age)

    async def call() -> int:
        transport = httpx.ASGITransport(app=Starlette(routes=routes))
        async with httpx.AsyncClient(transport=transport) as client:
            answer = await client.post(
                "http://127.0.0.1/app/displayed", content=body, headers=headers
            )
            return answer.status_code

    return asyncio.run(call())


def receipt(notice_id: str) -> bytes:
    """A receipt's body."""
    return msgspec.json.encode({"notice_id": notice_id})


def test_what_was_shown_goes_to_no_other_channel(notifier: Harness, providers: Providers) -> None:
    """Once displayed, twice said: one step, no SMS, no answer."""
    notifier.take(notifier.verdict())
    notifier.work()
    notice_id = providers.fcm.sent[0].data["notice_id"]

    assert post(notifier, receipt(notice_id)) == 204
    assert post(notifier, receipt(notice_id)) == 204
    notifier.work(timedelta(minutes=30), step=timedelta(minutes=5))

    assert providers.sent() == {"app": 1, "sms": 0, "email": 0}
    states = [step.state for step in notifier.steps()]
    assert states == ["planned", "queued", "accepted", "displayed"]
    found = notifier.ledger.find(notice_id)
    assert found is not None
    assert found.answer is None


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        pytest.param({"secret": b"guess"}, 403, id="another secret"),
        pytest.param({"age": timedelta(minutes=6)}, 403, id="an old copy"),
        pytest.param({"age": timedelta(minutes=-6)}, 403, id="from the future"),
        pytest.param({"signed": b"{}"}, 403, id="another body"),
        pytest.param({"body": b"{}"}, 400, id="no notice"),
        pytest.param({"body": b"\xff"}, 400, id="no JSON"),
        pytest.param({"body": receipt("0" * 32)}, 404, id="an unknown notice"),
        pytest.param({"body": b" " * 5000}, 413, id="too long"),
    ],
)
def test_what_is_forged_old_or_wrong_changes_nothing(
    notifier: Harness, providers: Providers, changed: dict[str, bytes], status: int
) -> None:
    """Each is refused in its way, and the notice stands where it stood."""
    notifier.take(notifier.verdict())
    notifier.work()
    before = notifier.steps()
    arguments = {"body": receipt(before[0].notice_id)} | changed

    assert post(notifier, **arguments) == status  # type: ignore[arg-type]  # a table of arguments
    assert notifier.steps() == before


def test_the_spoken_number_is_no_id_here(notifier: Harness, providers: Providers) -> None:
    """Eight digits can be guessed; a receipt names the notice by its random id."""
    notifier.take(notifier.verdict())
    notifier.work()
    number = providers.fcm.sent[0].data["number"]

    assert post(notifier, receipt(number)) == 404
