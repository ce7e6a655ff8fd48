"""Whether a customer's "no" is acted on: webhook, orders that wait, customers to be called."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta

from config.secret_files import read_password
from config.settings import AnswersSettings
from detectors.errors import LoginwardError
from notifier.answers import CALL_BACK_TASK, RUNBOOK_TASK
from notifier.ledger import Ledger, Task

from .check import Check, Visit, finding, note, ok

_PATIENCE = timedelta(minutes=1)
"""An order is taken within seconds; one that waits longer is an account that is not held."""


def answers(visit: Visit) -> Iterator[Check]:
    """The firm's webhook and the ledger's open tasks, without making a ledger."""
    settings = visit.settings
    if settings.answers.webhook_url is None:
        yield note(
            "answers.webhook",
            'a customer\'s "no" is alerted and holds nothing; set answers.webhook_url '
            "(docs/answers.md)",
        )
    else:
        yield _secret(settings.answers)
    if not settings.notifier.ledger.is_file():
        return
    try:
        with closing(Ledger.open(settings.notifier.ledger)) as ledger:
            orders, calls = ledger.open_tasks(RUNBOOK_TASK), ledger.open_tasks(CALL_BACK_TASK)
    except LoginwardError as failure:
        yield finding("answers.ledger", str(failure), "mend what it says; nobody can answer")
        return
    yield _orders(visit, orders)
    if calls:
        yield finding(
            "answers.call_backs",
            f"{len(calls):,} customers did not answer a high-risk notice",
            "call them; `loginward answer --open` lists them, `loginward answer` takes the answer",
        )


def _secret(answers: AnswersSettings) -> Check:
    path = answers.webhook_secret_file
    try:
        if path is not None:
            read_password("answers.webhook_secret_file", path)
    except LoginwardError as failure:
        return finding("answers.webhook", str(failure), "`run answers` does not start without it")
    return ok("answers.webhook", f"{answers.webhook_url} is called after a no")


def _orders(visit: Visit, orders: list[Task]) -> Check:
    if not orders:
        return ok("answers.orders", "every denied login was acted on")
    oldest = min(orders, key=lambda task: task.created_at)
    waited = visit.now - oldest.created_at
    told = (
        f"{len(orders):,} denied logins are not acted on, the oldest for "
        f"{waited.total_seconds() / 60:,.0f} min, {oldest.attempts:,} calls: "
        f"{oldest.error or 'none was made yet'}"
    )
    if waited < _PATIENCE:
        return ok("answers.orders", told)
    return finding(
        "answers.orders",
        told,
        "hold the accounts by hand (`loginward answer --open`), then mend the webhook; is "
        "`run answers` running?",
    )
