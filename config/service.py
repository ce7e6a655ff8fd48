"""A process of ours from start to end: its pages, its beats, and a clean end when it is told to."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable
from typing import TypeVar

from prometheus_client import CollectorRegistry

from .health import Vitals, serve
from .sections import MetricsSettings

Result = TypeVar("Result")
Work = Callable[[asyncio.Event], Awaitable[Result]]


def run_service(
    part: str, pages: MetricsSettings, registry: CollectorRegistry, work: Work[Result]
) -> Result:
    """Run `work`, whose event SIGTERM and SIGINT set, and return what it returns.

    `/healthz`, `/readyz` and the metrics of `registry` are answered meanwhile. Raises
    LoginwardError where their port cannot be had, and whatever `work` raises.
    """
    vitals = Vitals(part)
    serve(pages, vitals, registry)
    return asyncio.run(_until_signalled(vitals, work))


async def _until_signalled(vitals: Vitals, work: Work[Result]) -> Result:
    beating = asyncio.create_task(vitals.pulse())
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        return await work(stop)
    finally:
        beating.cancel()
