"""Profile I: the weather. A broker's customers (G), and stuffing that never ends (A, slowly).

Auth0 saw a third of all its traffic as stuffing (auth0.com 2022 report), so no broker's quiet day
is free of it. A at a fiftieth of its speed: 2,933 attempts an hour, the same 133 an address and
90 % unknown names, an address in use fifty times as long. Every 31 days the lasting addresses are
new.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from loadtest.attempts import Model
from loadtest.profile import Profile, Setting

from . import a, g

SLOWER = 50

NUMBERS = replace(a.NUMBERS, duration=a.NUMBERS.duration * SLOWER, lease=a.NUMBERS.lease * SLOWER)


def _expect(
    start_ms: int,
    duration_ms: int,
    failure_share: float | None,
    actions: bool = False,  # noqa: FBT001, FBT002 (an Expect)
    /,
) -> float:
    customers = g.PROFILE.expect(start_ms, duration_ms, failure_share, actions)
    return customers + a.PROFILE.expect(start_ms, duration_ms, None) / SLOWER


def _models(setting: Setting) -> Sequence[Model]:
    return (g.CustomerTraffic(setting), a.DatacenterStuffing(setting, NUMBERS, letter="I"))


PROFILE = Profile(
    letter="I",
    title="weather: customers, and background stuffing that never ends (A at a fiftieth)",
    duration=timedelta(days=1),
    endless=True,
    expect=_expect,
    models=_models,
)
