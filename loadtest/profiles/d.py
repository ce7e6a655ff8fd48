"""Profile D: slow, six weeks at 8,000 attempts an hour, with a filtered list.

A large financial institution, June to August 2024 (mynetwatchman.com): more than 8 million distinct
names in six weeks, that is 7,900 attempts an hour, 0.1 % of them with the right password; nearly
all names are customers'. An address is used 2.2 times (Shape, mean of all campaigns), within a day
(an assumption). In the customers' hours, networks and programs. A name comes again only when all
customers have been tried, which at 100,000 customers takes half a day: that institution had more.
"""

from __future__ import annotations

from datetime import timedelta

from loadtest.rhythm import CustomersHours, Volume
from loadtest.stuffing import Plan

PLAN = Plan(
    letter="D",
    volume=Volume(attempts=8_000_000, duration=timedelta(weeks=6), rhythm=CustomersHours()),
    per_address=2.2,
    stay=timedelta(days=1),
    unknown=0.0,
    success=0.001,
)

PROFILE = PLAN.profile("slow: 8,000 attempts an hour for six weeks, customers' names only")
