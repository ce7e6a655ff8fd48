"""`loginward run answers` as a process: it starts, says what is wrong, survives, and ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from config.settings import load
from console.answers.service import listen, wanted
from deploy.embedded.ports import free_port
from detectors.errors import LoginwardError
from notifier.answers import RUNBOOK_TASK
from notifier.hook import IDEMPOTENCY_KEY
from tests.checkout import ROOT
from tests.console.answers.site import filled
from tests.notifier.answering import DIGITS, PHONE, Asked
from tests.notifier.firm import Firm

PATIENCE_S = 120.0
"""How long a process may take for anything: a bound, never a measure."""


@pytest.fixture
def firm() -> Iterator[Firm]:
    """Give the firm's endpoint."""
    made = Firm()
    yield made
    made.close()


def _environ(home: Path, firm: Firm, port: int, **more: str) -> dict[str, str]:
    secret = home / "webhook.secret"
    secret.write_text("s3cret\n")
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "LOGINWARD_HOME": str(home),
        "LOGINWARD_ANSWERS_PORT": str(port),
        "LOGINWARD_ANSWERS_WEBHOOK_URL": firm.url,
        "LOGINWARD_ANSWERS_WEBHOOK_SECRET_FILE": str(secret),
        **more,
    }


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def _start(environ: dict[str, str]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "loginward_cli", "run", "answers"]
    return subprocess.Popen(command, env=environ, stderr=subprocess.PIPE)


def _page(url: str) -> str:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            return httpx.get(url, trust_env=False).text
        except httpx.TransportError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def test_a_kill_after_the_call_repeats_it_under_the_same_key(
    asked: Asked, tmp_path: Path, firm: Firm
) -> None:
    """Killed between the firm's answer and our note of it, the next start calls once more, with the
    key by which the firm knows that it is done; nothing answered is lost.
    """
    asked.clock.at = _now()
    token, port = asked.link(), free_port()
    url = f"http://127.0.0.1:{port}/zh/{token}"
    environ = _environ(tmp_path, firm, port)
    first = _start(environ | {"LOGINWARD_FAILPOINTS": "runbook.called=kill"})
    page = _page(url)
    # The kill may cut the answer to the customer off: it is kept before it is answered.
    with suppress(httpx.RemoteProtocolError, httpx.ReadError):
        sent = httpx.post(
            url, data=filled(page, digits=DIGITS), trust_env=False, timeout=PATIENCE_S
        )
        assert sent.status_code == 303
    assert first.wait(PATIENCE_S) == -signal.SIGKILL
    first.communicate()
    (order,) = asked.ledger.open_tasks(RUNBOOK_TASK)
    # Its lease is a minute of the wall's clock; here nobody waits for it.
    asked.ledger.postpone_task(order.task_id, _now(), "killed")

    second = _start(environ)
    try:
        deadline = time.monotonic() + PATIENCE_S
        while asked.ledger.open_tasks(RUNBOOK_TASK) and time.monotonic() < deadline:
            time.sleep(0.05)
    finally:
        second.send_signal(signal.SIGTERM)
        _, log = second.communicate(timeout=PATIENCE_S)

    assert second.returncode == 0
    assert asked.ledger.open_tasks(RUNBOOK_TASK) == []
    assert len(firm.calls) == 2
    assert len({headers[IDEMPOTENCY_KEY.lower()] for headers, _ in firm.calls}) == 1
    assert token.encode() not in log
    assert PHONE.encode() not in log


def test_a_port_that_is_taken_is_a_sentence(tmp_path: Path, firm: Firm) -> None:
    """Exit 2 with the address and the way out, no traceback."""
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        started = _start(_environ(tmp_path, firm, port))
        _, said = started.communicate(timeout=PATIENCE_S)

    assert started.returncode == 2
    assert f"answers.port: 127.0.0.1:{port}" in said.decode()
    assert b"Traceback" not in said


def test_a_secret_that_is_missing_is_a_sentence(tmp_path: Path, firm: Firm) -> None:
    """Without its secret the webhook would be unsigned, so nothing starts."""
    environ = _environ(tmp_path, firm, 0)
    (tmp_path / "webhook.secret").unlink()
    started = _start(environ)
    _, said = started.communicate(timeout=PATIENCE_S)

    assert started.returncode == 2
    assert b"answers.webhook_secret_file" in said


def test_an_address_that_is_not_ours_is_a_sentence() -> None:
    """The setting stands in the message."""
    with pytest.raises(LoginwardError, match=r"answers\.port: 192\.0\.2\.1:0"):
        listen("192.0.2.1", 0)


def test_run_all_serves_where_somebody_can_come(tmp_path: Path, firm: Firm) -> None:
    """With a public address or a webhook `run all` has this part; with neither it has not."""
    home = {"LOGINWARD_HOME": str(tmp_path)}

    assert not wanted(load(environ=home))
    assert wanted(load(environ=home | {"LOGINWARD_NOTIFIER_ANSWER_URL": "https://a.example"}))
    assert wanted(load(environ=_environ(tmp_path, firm, 0)))
