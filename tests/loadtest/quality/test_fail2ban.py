"""Our fail2ban bans on the fifth failure in ten minutes, as its manual says."""

from __future__ import annotations

import pytest

from loadtest.quality.fail2ban import Fail2ban


def _fed(*attempts: tuple[int, bool]) -> list[int]:
    """Seconds of the bans that attempts (second, failed) of one address lead to."""
    peer = Fail2ban()
    return [
        alert.at_ms // 1000
        for second, failed in attempts
        for alert in peer.feed(second * 1000, "192.0.2.1", "a", failed=failed)
    ]


@pytest.mark.parametrize(
    ("attempts", "bans"),
    [
        pytest.param([(n, True) for n in range(4)], [], id="four are borne"),
        pytest.param([(n, True) for n in range(5)], [4], id="the fifth bans"),
        pytest.param([(n * 150, True) for n in range(5)], [600], id="within ten minutes"),
        pytest.param([(n * 151, True) for n in range(50)], [], id="not within ten minutes"),
        pytest.param([(n, n % 2 == 0) for n in range(9)], [8], id="a success forgives nothing"),
        pytest.param([(n, True) for n in range(604)], [4], id="the banned cannot knock"),
        pytest.param([(n, True) for n in range(609)], [4, 608], id="after its end they can"),
    ],
)
def test_five_in_ten_minutes(attempts: list[tuple[int, bool]], bans: list[int]) -> None:
    """With maxretry 5, findtime 10 minutes, bantime 10 minutes."""
    assert _fed(*attempts) == bans


def test_addresses_are_counted_each_for_itself() -> None:
    """Five addresses with one failure each are nobody's five."""
    peer = Fail2ban()

    found = [peer.feed(n, f"192.0.2.{n}", "a", failed=True) for n in range(5)]

    assert found == [[]] * 5


def test_addresses_long_gone_take_no_memory() -> None:
    """A botnet whose addresses come once leaves nothing behind."""
    peer = Fail2ban()
    for n in range(100_000):
        peer.feed(n * 1000, f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}", "a", failed=True)

    assert len(peer._failures) < 60_000
