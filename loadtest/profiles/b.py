"""Profile B: a residential burst, 5.3 attempts an address, twenty times the load.

A US financial service (blog.castle.io, anatomy of a 6-day attack): 11,804,332 attempts in 6 days
from 2,217,488 residential addresses, often more than 100,000 of them an hour, 208,000 attempts an
hour at the peak where 10,000 are normal, devices disguised. So the customers' hours, networks,
programs and devices' shapes. 10 % of the names belong to nobody (StopGuessing's attacker): a
broker's names are national ids, so its lists are filtered. 0.2 % of attempts get in (OWASP: 0.1 to
0.2 %). That a machine is in use for a day is an assumption.

`B+G` is the attack at its own size beside a small broker. With `B+G:5.5` customers make 10,000
attempts an hour as in the source; `B:0.18+G` is the same at our customers' size.
"""

from __future__ import annotations

from datetime import timedelta

from loadtest.rhythm import CustomersHours, Volume
from loadtest.stuffing import Plan

PLAN = Plan(
    letter="B",
    volume=Volume(attempts=11_804_332, duration=timedelta(days=6), rhythm=CustomersHours()),
    per_address=11_804_332 / 2_217_488,
    stay=timedelta(days=1),
    unknown=0.10,
    success=0.002,
)

PROFILE = PLAN.profile(
    "residential burst: 5.3 attempts an address, 208,000 an hour, disguised as customers",
    beside=5.5,
)
