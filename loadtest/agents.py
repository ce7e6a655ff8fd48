"""Browsers and apps; customers and attackers draw from the same list."""

from __future__ import annotations

from typing import Literal, NamedTuple


class Agent(NamedTuple):
    """One client program: its user agent, the channel it comes by, its share among customers."""

    user_agent: str
    channel: Literal["web", "app"]
    share: float


# Shares are assumptions (an app-heavy broker); what matters is that no agent is the attacker's own.
AGENTS = (
    Agent("LoginwardTrade/5.2 (iPhone; iOS 26.1)", "app", 0.30),
    Agent("LoginwardTrade/5.2 (Android 16)", "app", 0.28),
    Agent("LoginwardTrade/5.1 (Android 15)", "app", 0.08),
    Agent(
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/142.0.0.0 Safari/537.36",
        "web",
        0.16,
    ),
    Agent(
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0",
        "web",
        0.07,
    ),
    Agent(
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
        "Version/26.1 Safari/605.1.15",
        "web",
        0.06,
    ),
    Agent(
        "Mozilla/5.0 (iPhone; CPU iPhone OS 14_4_2 like Mac OS X) AppleWebKit/605.1.15 "
        "(KHTML, like Gecko) Mobile/15E148",
        "web",
        0.02,
    ),
    Agent(
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0",
        "web",
        0.02,
    ),
    Agent(
        "Mozilla/5.0 (Windows NT 6.1; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/109.0.0.0 Safari/537.36 Edg/109.0.1518.140",
        "web",
        0.01,
    ),
)

OLD_IPHONE = 6
"""Position of the one user agent of the cashback case (datadome.co, 2.2 M attempts in 15 h)."""

OLD_EDGE = 8
"""Position of the outdated Edge of the fintech case (DataDome, 7.4 M attempts in a week)."""


def _hundred() -> tuple[int, ...]:
    return tuple(at for at, agent in enumerate(AGENTS) for _ in range(round(agent.share * 100)))


AMONG_100 = _hundred()
"""The positions of the agents of a hundred customers."""
