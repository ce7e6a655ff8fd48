"""A ledger, the page on a real server, and a real browser where the machine has one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from deploy.chromium import find
from notifier.ledger import Ledger
from tests.console.answers.site import Site, serving
from tests.notifier.answering import Asked


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[Asked]:
    """Give an empty ledger with a clock."""
    ledger = Ledger.open(tmp_path / "notifier" / "ledger.db")
    yield Asked(ledger)
    ledger.close()


@pytest.fixture
def site(asked: Asked) -> Iterator[Site]:
    """Give the page, served."""
    with serving(asked) as made:
        yield made


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Give Debian's Chromium. Where there is none the test is skipped; in CI it fails.

    Of a module, no longer: while it is open, its event loop keeps asyncio.run from this thread.
    """
    found = find()
    if found is None:
        told = "no chromium on PATH: apt-get install chromium (./loginward test does it as root)"
        if os.environ.get("CI"):
            pytest.fail(told)
        pytest.skip(told)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found,
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
            ],
        )
        yield browser
        browser.close()
