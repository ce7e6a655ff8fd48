"""Profile C: residential extreme, 1.2 attempts an address, one fingerprint.

How it goes: a video game (infosecurity-magazine.com): about 108 million attempts in 4 days from
91,340,141 addresses, five spikes, more than 4 million attempts an hour in them. How large, and by
which program: a fintech (DataDome 2025): 7.4 million attempts, low probing first, one outdated Edge
with the same headers always, homes of several countries. A broker is no video game, so the
fintech's volume goes by the game's rhythm: a spike's hour has 4 of 108 of all attempts, five spikes
of 5 hours nine tenths of them. When they begin is an assumption. Simple attacks try names of which
9 in 10 belong to nobody (eweek.com), and 0.1 % of attempts get in (OWASP).
"""

from __future__ import annotations

from datetime import timedelta

from loadtest.agents import OLD_EDGE
from loadtest.rhythm import Spikes, Volume
from loadtest.stuffing import Plan

SPIKES = Spikes(
    begin=tuple(timedelta(hours=2 + 19 * spike) for spike in range(5)),
    length=timedelta(hours=5),
    between=0.04,
)

PLAN = Plan(
    letter="C",
    volume=Volume(attempts=7_400_000, duration=timedelta(days=4), rhythm=SPIKES),
    per_address=108_000_000 / 91_340_141,
    stay=timedelta(hours=1),
    unknown=0.90,
    success=0.001,
    agent=OLD_EDGE,
    abroad=True,
)

PROFILE = PLAN.profile(
    "residential extreme: 1.2 attempts an address, five spikes, one outdated program, "
    "90 % unknown names"
)
