"""A ledger, the local providers, and a notifier of the test's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from loadtest.providers import FakeFcm, FakeSmtp, FakeTwilio
from notifier.ledger import Ledger

from .harness import NAMES, Harness, Providers, customer, environment


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """Give an empty ledger."""
    made = Ledger.open(tmp_path / "notifier" / "ledger.db")
    yield made
    made.close()


@pytest.fixture(scope="session")
def _providers() -> Iterator[Providers]:
    with FakeFcm() as fcm, FakeTwilio() as twilio, FakeSmtp() as smtp:
        yield Providers(fcm=fcm, twilio=twilio, smtp=smtp)


@pytest.fixture
def providers(_providers: Providers) -> Providers:
    """Give the three local servers, empty and in order."""
    _providers.reset()
    return _providers


@pytest.fixture
def notifier_with(tmp_path: Path, providers: Providers) -> Iterator[Callable[..., Harness]]:
    """Give a maker of notifiers with settings of the test's own; customers 0 to 9 are known."""
    made: list[Harness] = []

    def make(**settings: str) -> Harness:
        names = {f"LOGINWARD_NOTIFIER_{name.upper()}": value for name, value in settings.items()}
        one = Harness(tmp_path, environment(tmp_path, providers) | names)
        one.contacts.replace([customer(number) for number in range(10)], NAMES)
        made.append(one)
        return one

    yield make
    for one in made:
        one.close()


@pytest.fixture
def notifier(notifier_with: Callable[..., Harness]) -> Harness:
    """Give a notifier with the settings that come along."""
    return notifier_with()
