"""`loginward run answers`: the page behind uvicorn, and the firm's runbook beside it."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime

import httpx
import structlog
import uvicorn
from prometheus_client import CollectorRegistry

from config.secret_files import read_password
from config.service import run_service
from config.settings import AnswersSettings, Settings
from detectors.errors import LoginwardError
from notifier import runbook_metrics
from notifier.answers import Answers
from notifier.hook import Hook
from notifier.ledger import Ledger
from notifier.runbook import Runbook

from .app import AnswerPage, build
from .guard import MOST_HEADER_BYTES, Guard
from .limits import FailureLimit
from .pages import Firm, Pages
from .seals import load_seals

_log = structlog.get_logger(__name__)

_AT_ONCE = 200
"""Connections; a page takes some 5 ms, and a proxy in front queues the rest."""
_IDLE_S = 15
_GRACE_S = 5


def run_answers(settings: Settings) -> int:
    """Serve the page and call the firm until SIGTERM or SIGINT; then 0.

    Raises LoginwardError for a ledger, key, secret or port that cannot be used.
    """
    registry = CollectorRegistry()
    metrics = runbook_metrics.build(registry)
    run_service(
        "answers", settings.metrics, registry, lambda stop: run(settings, stop, metrics=metrics)
    )
    return 0


async def run(
    settings: Settings, stop: asyncio.Event, *, metrics: runbook_metrics.RunbookMetrics
) -> None:
    """The page (unless its port is 0) and the runbook, until `stop` is set."""
    answers = settings.answers
    # All that can be wrong with settings is found here: inside the group it would be no sentence.
    secret = secret_of(answers)
    with closing(Ledger.open(settings.notifier.ledger)) as ledger, ExitStack() as held:
        work = [run_runbook(answers, secret, ledger, stop, metrics=metrics)]
        if answers.port:
            page = make_page(settings, ledger)
            listening = held.enter_context(listen(answers.host, answers.port))
            work.append(_serve(answers, page, listening, stop))
        async with asyncio.TaskGroup() as group:
            for one in work:
                group.create_task(one)


def secret_of(answers: AnswersSettings) -> bytes | None:
    """What signs calls of the webhook; None where none is set. Raises LoginwardError."""
    if answers.webhook_secret_file is None:
        return None
    return read_password("answers.webhook_secret_file", answers.webhook_secret_file).encode()


async def run_runbook(
    answers: AnswersSettings,
    secret: bytes | None,
    ledger: Ledger,
    stop: asyncio.Event,
    *,
    metrics: runbook_metrics.RunbookMetrics,
) -> None:
    """Call the firm's webhook until `stop` is set. Without one, orders wait and doctor says so."""
    if answers.webhook_url is None or secret is None:
        _log.warning("answers.webhook_url is empty: a no is recorded and alerted, not acted on")
    async with httpx.AsyncClient(timeout=answers.webhook_timeout.total_seconds()) as client:
        hook = None
        if answers.webhook_url is not None and secret is not None:
            hook = Hook(url=answers.webhook_url, secret=secret, client=client, now=_now)
        runbook = Runbook(
            ledger=ledger,
            hook=hook,
            now=_now,
            metrics=metrics,
            silence=answers.call_back_after,
        )
        await runbook.run(stop)


def make_page(settings: Settings, ledger: Ledger) -> Guard:
    """The ASGI app of this installation. Raises LoginwardError for a key that cannot be used."""
    answers = settings.answers
    firm = Firm(
        zh=settings.notifier.firm_zh,
        en=settings.notifier.firm_en,
        phone=answers.service_phone or "",
        acts=answers.webhook_url is not None,
    )
    page = AnswerPage(
        answers=Answers(ledger=ledger, now=_now),
        pages=Pages(firm),
        seals=load_seals(answers.key_file),
        limit=FailureLimit(a_minute=answers.failures_per_minute, elapsed=time.monotonic),
        now=_now,
        proxies=frozenset(part.strip() for part in (answers.proxies or "").split(",") if part),
    )
    return build(page)


class QuietServer(uvicorn.Server):
    """Leaves the signals to us: uvicorn would raise them again when it has stopped."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take none."""
        yield


async def _serve(
    answers: AnswersSettings, app: Guard, listening: socket.socket, stop: asyncio.Event
) -> None:
    server = QuietServer(server_config(app, answers.host, answers.port))
    _log.info("answer page listens", host=answers.host, port=answers.port)
    # The socket is ours: for a port that is taken uvicorn would call sys.exit.
    serving = asyncio.create_task(server.serve([listening]))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    stopping.cancel()
    await serving


def wanted(settings: Settings) -> bool:
    """Whether `run all` runs this: where customers can reach the page, or a webhook is set."""
    return settings.notifier.answer_url is not None or settings.answers.webhook_url is not None


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises LoginwardError where the address is taken or not ours."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # TCP by name: of any other socket asyncio leaves Nagle's delay on, 40 ms a page.
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
        made.listen(_AT_ONCE)
    except OSError as failure:
        made.close()
        raise LoginwardError(
            f"answers.port: {host}:{port}: {failure.strerror}; choose another port or stop what "
            "listens there"
        ) from None
    return made


def server_config(app: Guard, host: str, port: int) -> uvicorn.Config:
    """How uvicorn serves the page: bounded, silent about itself, no log line with a token in it."""
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=_AT_ONCE,
        timeout_keep_alive=_IDLE_S,
        timeout_graceful_shutdown=_GRACE_S,
        h11_max_incomplete_event_size=MOST_HEADER_BYTES,
    )


def _now() -> datetime:
    return datetime.now(UTC)
