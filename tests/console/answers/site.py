"""The answer page on a real server of this machine, over a ledger of the test's own."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html.parser import HTMLParser

import httpx

from console.answers.app import AnswerPage, build
from console.answers.limits import FailureLimit
from console.answers.pages import Firm, Pages
from console.answers.seals import Seals
from console.answers.service import QuietServer, listen, server_config
from tests.notifier.answering import DIGITS, Asked

FIRM = Firm(zh="範例證券", en="Demo Securities", phone="+886-900-000-165")
PLENTY = 1_000_000
"""Failures a minute, where a test is not about them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A running page: where it is, what it signs with, and the ledger behind it."""

    url: str
    asked: Asked
    seals: Seals

    def client(self) -> httpx.Client:
        """Give a client that follows nothing by itself."""
        return httpx.Client(base_url=self.url, timeout=30, trust_env=False)


@contextmanager
def serving(
    asked: Asked, *, failures: int = PLENTY, proxies: frozenset[str] = frozenset()
) -> Iterator[Site]:
    """Serve until the block ends."""
    seals = Seals(b"k" * 32)
    page = AnswerPage(
        answers=asked.answers,
        pages=Pages(FIRM),
        seals=seals,
        limit=FailureLimit(a_minute=failures, elapsed=lambda: asked.clock().timestamp()),
        now=asked.clock,
        proxies=proxies,
    )
    with listen("127.0.0.1", 0) as listening:
        host, port = listening.getsockname()
        server = QuietServer(server_config(build(page), host, port))
        thread = threading.Thread(target=lambda: asyncio.run(server.serve([listening])))
        thread.start()
        try:
            yield Site(url=f"http://{host}:{port}", asked=asked, seals=seals)
        finally:
            server.should_exit = True
            thread.join()


def form_of(page: str) -> dict[str, str]:
    """Give the fields that an untouched form of a page would send."""
    found = _Fields()
    found.feed(page)
    return found.fields


def filled(page: str, answer: str = "no", digits: str = DIGITS) -> dict[str, str]:
    """Give the fields as a person fills them in."""
    return form_of(page) | {"answer": answer, "digits": digits}


def links_of(page: str) -> list[str]:
    """Give every address that a page names."""
    return re.findall(r'(?:href|src|action)="([^"]*)"', page)


class _Fields(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take inputs as a browser would send them."""
        held = dict(attrs)
        if tag != "input" or not held.get("name"):
            return
        if held.get("type") in {"radio", "checkbox"} and "checked" not in held:
            return
        self.fields[held["name"] or ""] = held.get("value") or ""
