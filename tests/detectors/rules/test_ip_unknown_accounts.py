"""ip_unknown_accounts: an address tries names that are no customer's, five fast or half of all."""

from __future__ import annotations

from typing import Any

import pytest

from detectors.events import LoginEvent
from tests.builders import HOUR, IP, MINUTE, NAMES, QUIET, changed, found, login, rules, series
from tests.detectors.warm import HOSTING, PHONE, hosting, warm

from .timelines import Seen, Shape, case, common, seen

RULE = "ip_unknown_accounts"
NOBODY: dict[str, Any] = {"reason": "unknown_account"}


def names(start: float, **fields: Any) -> list[LoginEvent]:
    """Five names of nobody, ten seconds apart."""
    return series(5, start=start, every=10, accounts=5, **NOBODY | fields)


def names_stretched(seconds: float) -> list[LoginEvent]:
    """Five names over `seconds`, all but the first at the end."""
    return [
        login(0, "first", account="first", **NOBODY),
        *(login(seconds - n, f"e{n}", account=f"a{n}", **NOBODY) for n in reversed(range(4))),
    ]


NAMES_PART = Shape(
    rule=RULE,
    threshold=5,
    severity="high",
    window=10 * MINUTE,
    accounts=5,
    crossing=names,
    stretched=names_stretched,
    others_off={"tries": 1000},
)
TIMELINES = [
    *common(NAMES_PART),
    case(
        "a second quiet time is a second alert",
        names(0) + names(QUIET, name="again"),
        Seen("high", 40, 40, 5, 5),
        Seen("high", QUIET + 40, QUIET + 40, 5, 5),
    ),
    case(
        "one alert grows within a quiet time",
        names(0) + names(HOUR, name="again"),
        Seen("high", 40, HOUR + 40, 10, 5),
    ),
    case("a login without an account", changed(names(0), 2, account=None)),
    # Three hundred customers of an office; one in ten mistypes the password, one in fifty the name.
    case(
        "many users behind one address",
        [
            login(
                12 * n,
                f"e{n}",
                account=f"user{n}",
                outcome="failure" if n % 10 == 0 else "success",
                **(NOBODY if n % 50 == 0 else {}),
            )
            for n in range(300)
        ],
    ),
    case("one name of nobody many times", series(40, every=5, **NOBODY)),
    case("names of which nobody knows whose they are", series(40, every=5, accounts=40)),
    case(
        "closed accounts are nobody's",
        series(5, every=10, accounts=5, account_class="closed"),
        Seen("high", 40, 40, 5, 5),
    ),
    case("what the event says of a customer wins", names(0, account_class="customer", reason=None)),
]


@pytest.mark.parametrize(("events", "expected"), TIMELINES)
def test_names_timeline(events: list[LoginEvent], expected: list[Seen]) -> None:
    """Five names in ten minutes, each timeline as its name says."""
    assert NAMES_PART.judged(events) == expected


SHARE_PART = Shape(
    rule=RULE,
    threshold=10,
    severity="high",
    window=HOUR,
    accounts=1,
    crossing=names,
    stretched=names_stretched,
    others_off={"names": 1000},
)


def tries(count: int, unknown: int, *, every: float = 90) -> list[LoginEvent]:
    """`count` tries, the first `unknown` of them on one name of nobody."""
    return [
        login(every * n, f"e{n}", account="x", **(NOBODY if n < unknown else {}))
        for n in range(count)
    ]


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        case("half of ten", tries(10, 5), Seen("high", 810, 810, 10, 1)),
        case("nine are too few", tries(9, 9)),
        case("four of ten are less than half", tries(10, 4)),
        case("the first has left the hour", tries(10, 5, every=400)),
        case(
            "the first is just inside",
            tries(10, 5, every=399.999),
            Seen("high", 3599.991, 3599.991, 10, 1),
        ),
        case("half of twelve where the last minute does not count yet", tries(12, 6, every=5)),
        case(
            "a sixth of the hour's tries",
            [*tries(10, 4), *[login(900 + n, f"l{n}", account="x") for n in range(5)]],
        ),
    ],
)
def test_share_timeline(events: list[LoginEvent], expected: list[Seen]) -> None:
    """Half of ten tries in an hour, as they stood a minute before each try."""
    assert SHARE_PART.judged(events) == expected


def test_the_share_is_read_as_of_a_minute_before() -> None:
    """Ten within the last minute are no share yet; the next try after a minute sees them."""
    quick = series(10, every=1, accounts=2, **NOBODY)

    assert SHARE_PART.judged(quick) == []
    assert SHARE_PART.judged([*quick, login(71, "later", account="x", **NOBODY)]) == [
        Seen("high", 71, 71, 11, 3)
    ]


def test_names_and_share_are_two_alerts() -> None:
    """Each has its own limit, window and id."""
    events = series(12, every=60, accounts=6, **NOBODY)

    alerts = found(events, active=rules(only=RULE))

    assert {(alert.threshold, alert.window_s, alert.part) for alert in alerts} == {
        (5, 600, ""),
        (10, 3600, "share"),
    }
    assert len({alert.alert_id for alert in alerts}) == 2
    assert alerts[0].summary == (
        f"{IP} failed 12 times on 6 accounts: "
        "at least 5 names that are no customer's within 10 minutes"
    )


def test_customers_of_the_address_lower_it_and_a_network_for_rent_raises_it() -> None:
    """The guard weighs it: medium where as many known customers log in, critical from hosting."""
    own = [
        login(-600 - n, f"own{n}", account=f"c{n}", outcome="success", device_id=PHONE)
        for n in range(5)
    ]
    store = warm([f"c{n}" for n in range(5)])

    (lowered,) = found([*own, *names(0)], active=rules(only=RULE), store=store)
    (raised,) = found(changed(names(0), 2, origin=HOSTING), active=rules(only=RULE), facts=hosting)

    assert (lowered.severity, raised.severity) == ("medium", "critical")
    assert seen(lowered)[1:6] == seen(raised)[1:6] == (40, 40, 5, 5, IP)
    assert NAMES.account("account0") in raised.accounts
