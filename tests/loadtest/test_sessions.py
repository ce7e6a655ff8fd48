"""What is done in sessions, by customers and by thieves."""

from __future__ import annotations

from collections import Counter, defaultdict

import pytest

from detectors import wire
from detectors.events import LoginEvent
from loadtest.rendering import OPTIONAL
from loadtest.sessions import RATES

from .conftest import Made, Make

_DAY = 86_400_000


@pytest.fixture(scope="module")
def day() -> Made:
    """A day of an attack with many takeovers beside customers."""
    return Make()("B:0.18+G", scale=0.3, duration_ms=_DAY, fields=OPTIONAL)


def _sessions(made: Made) -> dict[str | None, list[tuple[LoginEvent, str]]]:
    found: dict[str | None, list[tuple[LoginEvent, str]]] = defaultdict(list)
    for raw, line in zip(made.lines, made.ledger, strict=True):
        event = wire.decode(raw)
        if event.session_id is not None:
            found[event.session_id].append((event, line.label))
    return found


def test_a_deed_belongs_to_the_session_of_a_login(day: Made) -> None:
    """Account, device, address and program are the login's, which comes first and got in."""
    deeds = 0
    for events in _sessions(day).values():
        (login, label), *rest = events
        assert login.action == "login"
        assert not rest or login.outcome == "success"
        for deed, of in rest:
            deeds += 1
            assert deed.action != "login"
            assert of == label
            assert deed.outcome == "success"
            assert (deed.account, deed.ip, deed.device_id, deed.user_agent) == (
                *(login.account, login.ip, login.device_id, login.user_agent),
            )
            assert (deed.instrument is None) == (deed.market is None) == (deed.action != "order")
    assert deeds > 1_000


def test_customers_order_at_the_rate_named_and_rarely_do_else(day: Made) -> None:
    """0.3 orders and 0.017 other deeds for each good login."""
    kinds = Counter(line.kind for line in day.ledger if line.label == "benign")

    assert kinds["order"] / kinds["login"] == pytest.approx(0.30, rel=0.1)
    rare = sum(kinds[name] for name, _ in RATES.rare)
    assert rare / kinds["login"] == pytest.approx(0.0165, rel=0.3)


def test_thieves_do_what_customers_do(day: Made) -> None:
    """Every word that thieves use is one of customers, too."""
    thieves = {line.kind for line in day.ledger if line.kind.startswith("thief_")}
    customers = {line.kind for line in day.ledger if line.label == "benign"}

    assert thieves
    assert {kind.removeprefix("thief_") for kind in thieves} <= customers


def test_logins_are_the_same_without_deeds(make: Make) -> None:
    """A system that cannot tell what is done sees the same logins, at the same times."""
    plain = make("A+G", scale=0.01, duration_ms=_DAY // 4, customers=5_000)
    whole = make("A+G", scale=0.01, duration_ms=_DAY // 4, customers=5_000, fields=OPTIONAL)

    told = [(x.at_ms, x.account, x.ip) for x in plain.ledger]
    deeds = {"order", *(name for name, _ in RATES.rare)}
    assert told == [
        (x.at_ms, x.account, x.ip)
        for x in whole.ledger
        if x.kind.removeprefix("thief_") not in deeds
    ]
