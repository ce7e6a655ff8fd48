"""Profile H against the numbers it names."""

from __future__ import annotations

from collections import Counter, defaultdict

import pytest

from loadtest.rendering import OPTIONAL

from .conftest import MONDAY_MS, Made, Make

_DAY = 86_400_000


@pytest.fixture(scope="module")
def attack() -> Made:
    """The whole campaign of nine days at a half."""
    return Make()("H", scale=0.5, fields=OPTIONAL, customers=100_000)


def test_a_list_with_a_fifth_of_good_pairs(attack: Made) -> None:
    """20,000 pairs at the scale, on the ninth day, 133 an address, each name once."""
    tries = [line for line in attack.ledger if line.kind in {"stuffing", "takeover"}]
    taken = sum(line.kind == "takeover" for line in tries)

    assert len(tries) == pytest.approx(10_000, rel=0.03)
    assert taken / len(tries) == pytest.approx(0.20, abs=0.02)
    assert min(line.at_ms for line in tries) >= MONDAY_MS + 8 * _DAY
    assert len(tries) / len({line.ip for line in tries}) == pytest.approx(133, rel=0.1)
    assert len({line.account for line in tries}) == len(tries)


def test_own_logins_come_before_and_between(attack: Made) -> None:
    """Own accounts log in daily for eight days, then from every address between the tries."""
    own = [line for line in attack.ledger if line.kind == "own_login"]
    tried = [line for line in attack.ledger if line.kind == "stuffing"]
    before = [line for line in own if line.at_ms < MONDAY_MS + 8 * _DAY]
    days = Counter((line.at_ms - MONDAY_MS) // _DAY for line in before)

    assert len({line.account for line in own}) == 25
    assert {line.outcome for line in own} == {"success"}
    assert len(days) == 8
    assert len(before) == pytest.approx(8 * 25, rel=0.3)
    assert len(own) - len(before) == pytest.approx(5_000, rel=0.05)
    assert {line.ip for line in tried} <= {line.ip for line in own}


def test_an_own_account_has_one_device_and_is_a_customers(attack: Made) -> None:
    """Its device is known by the day of the attack; no pair on the list is an own account."""
    devices: dict[str | None, set[bytes]] = defaultdict(set)
    for raw, line in zip(attack.lines, attack.ledger, strict=True):
        if line.kind == "own_login":
            devices[line.account].add(raw.split(b'"device_id":"')[1].split(b'"')[0])
            assert b'"account_class":"customer"' in raw

    assert {len(known) for known in devices.values()} == {1}
    assert not set(devices) & {x.account for x in attack.ledger if x.kind == "takeover"}
