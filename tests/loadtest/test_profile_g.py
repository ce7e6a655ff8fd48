"""Profile G against the numbers of its sources."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import pairwise

import pytest

from loadtest.hours import CURVE, WEEK_MINUTES, Arrivals, mean_between, minute_of_week
from loadtest.profiles.g import NUMBERS
from loadtest.rendering import OPTIONAL

from .conftest import MONDAY_MS, Made, Make

_DAY = 86_400_000
_WEEK = 7 * _DAY


@pytest.fixture(scope="module")
def week() -> Made:
    """A week of a broker with a quarter of the customers."""
    return Make()("G", scale=0.25, duration_ms=_WEEK)


def test_a_day_has_35000_good_logins(week: Made) -> None:
    """The mean day of the week has 35,000 good logins, at the scale."""
    good = week.tally.events - week.tally.failures

    assert good / 7 == pytest.approx(35_000 * 0.25, rel=0.02)


def test_mistakes_are_as_frequent_as_in_the_source(week: Made) -> None:
    """Typos, other passwords, wrong names and stale devices come at StopGuessing's rates.

    Mondays double them for two hours, which adds a few per cent.
    """
    kinds = Counter(line.kind for line in week.ledger)
    good = kinds["login"]

    assert kinds["typo"] / good == pytest.approx(0.06, rel=0.15)
    assert kinds["wrong_password"] / good == pytest.approx(0.03, rel=0.15)
    assert kinds["wrong_name"] / good == pytest.approx(0.025, rel=0.15)
    assert kinds["stale"] / good == pytest.approx(288 / 2500, rel=0.25)
    assert {line.label for line in week.ledger} == {"benign"}
    assert {line.campaign for line in week.ledger} == {""}


def test_a_stale_device_tries_every_five_minutes(week: Made) -> None:
    """Stale passwords are replayed from one address, 300 s apart, for 24 hours at most."""
    devices = defaultdict(list)
    for line in week.ledger:
        if line.kind == "stale":
            devices[line.account, line.ip].append(line.at_ms)

    assert devices
    for times in devices.values():
        gaps = Counter(b - a for a, b in pairwise(times))
        assert gaps.get(300_000, 0) >= 0.9 * len(times) - 2
    assert Counter(len(times) for times in devices.values())[288] > 0


def test_retries_come_after_seven_seconds(week: Made) -> None:
    """After a typo the same customer tries again 7 s later, in the end with success."""
    after: dict[str | None, int] = {}
    good = 0
    for line in week.ledger:
        if line.kind == "login":
            good += after.pop(line.account, None) == line.at_ms - 7_000
        elif line.kind == "typo":
            after[line.account] = line.at_ms
    series = sum(line.kind == "typo" for line in week.ledger) / 3
    assert good == pytest.approx(series, rel=0.1)


def test_hours_follow_the_exchange(week: Made) -> None:
    """The opening on a weekday is the week's peak; nights and Sundays are quiet."""
    hours = Counter(
        (minute_of_week(line.at_ms) // 1440, minute_of_week(line.at_ms) // 60 % 24)
        for line in week.ledger
        if line.kind == "login"
    )

    assert max(hours, key=lambda at: hours[at])[1] in {8, 9}
    assert hours[0, 9] > hours[1, 9]  # Monday is the heaviest
    assert hours[1, 9] / hours[1, 3] == pytest.approx(5, rel=0.5)
    assert hours[6, 9] < hours[1, 9] / 2


def test_failure_share_is_met() -> None:
    """10 %, 30 % and the RBA data set's 55 % of attempts fail when asked for, on a Tuesday."""
    for share in (0.10, 0.30, 0.55):
        made = Make()(
            "G", failure_share=share, start_ms=MONDAY_MS + _DAY, duration_ms=_DAY, scale=0.5
        )
        assert made.tally.failures / made.tally.events == pytest.approx(share, abs=0.02)


def test_own_mistakes_come_to_19_per_cent(week: Made) -> None:
    """Without a wish the failure share is what the mistakes come to, as the text says."""
    own = NUMBERS.failures_a_login / (1 + NUMBERS.failures_a_login)

    assert own == pytest.approx(0.187, abs=0.001)
    assert week.tally.failures / week.tally.events == pytest.approx(own, abs=0.02)


def test_devices_and_places_are_mostly_known() -> None:
    """90 % of logins come on a device of the customer's own, 85 % from the usual place."""
    made = Make()("G", fields=OPTIONAL, customers=200, events=20_000)
    devices: dict[bytes, Counter[bytes]] = defaultdict(Counter)
    for raw in made.lines:
        if b'"device_id"' in raw and b'"success"' in raw and b'"action"' not in raw:
            account = raw.split(b'"account":"')[1][:10]
            devices[account][raw.split(b'"device_id":"')[1].split(b'"')[0]] += 1
    once = sum(n == 1 for counts in devices.values() for n in counts.values())
    total = sum(sum(counts.values()) for counts in devices.values())

    assert once / total == pytest.approx(0.10, abs=0.02)
    own = [sum(n > 1 for n in counts.values()) for counts in devices.values()]
    assert max(own) <= 3


def test_phone_logins_have_no_address(week: Made) -> None:
    """Half a per cent of logins come without an address, and only successes do."""
    without = [line for line in week.ledger if line.ip is None]

    assert len(without) / week.tally.events == pytest.approx(0.004, abs=0.002)


def test_the_curve_has_mean_one_and_the_mean_of_a_span_is_its_own() -> None:
    """CURVE is relative; a whole week is 1, a Monday morning is more, a Sunday night less."""
    assert sum(CURVE) / WEEK_MINUTES == pytest.approx(1)
    assert mean_between(MONDAY_MS, MONDAY_MS + _WEEK) == pytest.approx(1)
    nine = MONDAY_MS + 9 * 3_600_000
    assert mean_between(nine, nine + 60_000) == CURVE[9 * 60]


def test_arrivals_do_not_depend_on_how_they_are_asked_for() -> None:
    """One call for a day, or many small ones, give the same arrivals within a millisecond."""
    from random import Random

    whole = Arrivals(Random(3), MONDAY_MS, 5_000).until(MONDAY_MS + _DAY)
    pieces = Arrivals(Random(3), MONDAY_MS, 5_000)
    cut = [at for end in range(7_777, _DAY + 7_777, 7_777) for at in pieces.until(MONDAY_MS + end)]
    cut = [at for at in cut if at < MONDAY_MS + _DAY]

    assert len(cut) == len(whole)
    assert max(abs(a - b) for a, b in zip(cut, whole, strict=True)) <= 1
