"""Serves the status callbacks inside the notifier, on a port for the reverse proxy alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import nullcontext
from datetime import datetime
from typing import Any

import uvicorn

from config.notifier_section import NotifierSettings
from config.secret_files import read_password
from detectors.errors import LoginwardError

from .callbacks import StatusCallbacks
from .contacts import ContactBook
from .ledger import Ledger
from .metrics import NotifierMetrics


async def serve_callbacks(
    notifier: NotifierSettings,
    ledger: Ledger,
    contacts: ContactBook,
    now: Callable[[], datetime],
    metrics: NotifierMetrics,
    stop: asyncio.Event,
) -> None:
    """Serve the status callbacks, where a port and a URL are set."""
    file, account, url = (
        notifier.twilio_token_file,
        notifier.twilio_account_sid,
        notifier.twilio_callback_url,
    )
    if not notifier.callbacks_port or file is None or account is None or url is None:
        return
    endpoint = StatusCallbacks(
        ledger,
        contacts,
        url=url,
        account=account,
        token=read_password("notifier.twilio_token_file", file),
        now=now,
        metrics=metrics,
    )
    server = _Server(
        uvicorn.Config(
            endpoint.application(),
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


class _Server(uvicorn.Server):
    """uvicorn without its own signal handlers: the service has its own."""

    def install_signal_handlers(self) -> None:
        """Leave signals to the service."""

    def capture_signals(self) -> Any:
        """Leave signals to the service."""
        return nullcontext()
