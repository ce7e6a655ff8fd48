"""Serves callbacks and receipts inside the notifier, on a port for the reverse proxy alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import nullcontext
from datetime import datetime
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route

from config.notifier_section import NotifierSettings
from config.secret_files import read_password
from detectors.errors import LoginwardError

from .callbacks import StatusCallbacks
from .contacts import ContactBook
from .ledger import Ledger
from .metrics import NotifierMetrics
from .receipts import AppReceipts


async def serve_callbacks(
    notifier: NotifierSettings,
    ledger: Ledger,
    contacts: ContactBook,
    now: Callable[[], datetime],
    metrics: NotifierMetrics,
    stop: asyncio.Event,
) -> None:
    """Serve what is set up of them, where a port is set."""
    routes = _routes(notifier, ledger, contacts, now, metrics)
    if not notifier.callbacks_port or not routes:
        return
    server = _Server(
        uvicorn.Config(
            Starlette(routes=routes),
            host=notifier.callbacks_host,
            port=notifier.callbacks_port,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=5,
            limit_concurrency=100,
        )
    )
    serving = asyncio.create_task(server.serve())
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    try:
        await serving
    except SystemExit:
        raise LoginwardError(
            f"notifier.callbacks_port: {notifier.callbacks_host}:{notifier.callbacks_port} cannot "
            "be listened on; choose a free port"
        ) from None
    stopping.cancel()


def _routes(
    notifier: NotifierSettings,
    ledger: Ledger,
    contacts: ContactBook,
    now: Callable[[], datetime],
    metrics: NotifierMetrics,
) -> list[Route]:
    """What is set up of Twilio's reports and the APP's receipts."""
    routes: list[Route] = []
    file, account, url = (
        notifier.twilio_token_file,
        notifier.twilio_account_sid,
        notifier.twilio_callback_url,
    )
    if file is not None and account is not None and url is not None:
        token = read_password("notifier.twilio_token_file", file)
        routes += StatusCallbacks(
            ledger, contacts, url=url, account=account, token=token, now=now, metrics=metrics
        ).routes()
    secret = notifier.app_receipts_secret_file
    if secret is not None:
        shared = read_password("notifier.app_receipts_secret_file", secret).encode()
        routes += AppReceipts(ledger, secret=shared, now=now, metrics=metrics).routes()
    return routes


class _Server(uvicorn.Server):
    """uvicorn without its own signal handlers: the service has its own."""

    def install_signal_handlers(self) -> None:
        """Leave signals to the service."""

    def capture_signals(self) -> Any:
        """Leave signals to the service."""
        return nullcontext()
