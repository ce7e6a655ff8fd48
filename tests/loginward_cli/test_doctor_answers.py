"""The doctor says where a customer's "no" is not acted on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from config.settings import Settings, load
from loginward_cli.doctor.answers import answers
from loginward_cli.doctor.check import Check, Visit
from notifier.answers import CALL_BACK_TASK, RUNBOOK_TASK
from notifier.ledger import Ledger
from tests.notifier.made import NOON, notice


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """An installation of the test's own, with a webhook."""
    (tmp_path / "secret").write_text("s3cret\n")
    return load(
        environ={
            "LOGINWARD_HOME": str(tmp_path),
            "LOGINWARD_ANSWERS_WEBHOOK_URL": "https://orders.example/hold",
            "LOGINWARD_ANSWERS_WEBHOOK_SECRET_FILE": str(tmp_path / "secret"),
        }
    )


@pytest.fixture
def ledger(settings: Settings) -> Iterator[Ledger]:
    """Its ledger."""
    with closing(Ledger.open(settings.notifier.ledger)) as made:
        yield made


def told(settings: Settings, later: timedelta = timedelta(0)) -> dict[str, Check]:
    """What the doctor says, by code."""
    return {check.code: check for check in answers(Visit(settings=settings, now=NOON + later))}


def test_without_a_webhook_a_no_holds_nothing(tmp_path: Path) -> None:
    """That is worth knowing, and looking makes no ledger."""
    found = told(load(environ={"LOGINWARD_HOME": str(tmp_path)}))

    assert [(check.code, check.state) for check in found.values()] == [("answers.webhook", "note")]
    assert not list(tmp_path.iterdir())


def test_all_in_order(settings: Settings, ledger: Ledger) -> None:
    """With a webhook and no open order there is nothing to mend."""
    assert {check.state for check in told(settings).values()} == {"ok"}


def test_an_order_that_waits_is_to_be_mended(settings: Settings, ledger: Ledger) -> None:
    """A minute is patience enough; the finding names the number, the time and the reason."""
    made = notice(ledger)
    ledger.add_task(RUNBOOK_TASK, made.notice_id, b"{}", NOON, NOON)
    (task,) = ledger.claim_tasks(RUNBOOK_TASK, NOON, lease=timedelta(seconds=1))
    ledger.postpone_task(task.task_id, NOON, "HTTP 500")

    assert told(settings)["answers.orders"].state == "ok"
    late = told(settings, timedelta(minutes=5))["answers.orders"]
    assert late.state == "finding"
    assert "1 denied logins" in late.message
    assert "5 min, 1 calls: HTTP 500" in late.message


def test_customers_to_call_are_to_be_mended(settings: Settings, ledger: Ledger) -> None:
    """Whoever did not answer a high-risk notice has to be called."""
    ledger.add_task(CALL_BACK_TASK, notice(ledger).notice_id, b"{}", NOON, NOON)

    assert told(settings)["answers.call_backs"].state == "finding"


def test_a_secret_that_cannot_be_read_is_named(settings: Settings) -> None:
    """The path stands in the finding, the secret nowhere."""
    assert settings.answers.webhook_secret_file is not None
    settings.answers.webhook_secret_file.write_text("two\nlines\n")

    found = told(settings)["answers.webhook"]
    assert found.state == "finding"
    assert "is not one line" in found.message
    assert "two" not in found.message
