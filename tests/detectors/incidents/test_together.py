"""Alerts that belong together are one incident, in any order; customers' alerts are none."""

from __future__ import annotations

from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.alerts import Alert, AlertSubject
from detectors.events import rfc3339
from detectors.incidents import Incident, encode, incidents
from tests.builders import DAY, HOUR, MINUTE, time

from .made_alerts import alert, botnet, everybody, takeover


def test_a_botnet_is_one_line() -> None:
    """Addresses that share nothing but the time are one campaign."""
    (one,) = incidents(botnet())

    assert one.ips == ["10.0.0.1", "10.1.0.1", "10.2.0.1", "10.3.0.1"]
    assert (one.accounts_tried, one.accounts_hit, one.kind) == (4, [], "stuffing")
    assert one.first_seen == rfc3339(time(0))
    assert one.last_seen == rfc3339(time(30 * MINUTE + 60))
    assert one.alerts == ["b0", "b1", "b2", "b3"]


def test_the_accounts_hit_are_all_named() -> None:
    """Takeovers from addresses of the campaign belong to it, far more than a hundred."""
    hits = [takeover(f"t{n:03d}", f"hit{n:03d}", at=n, ip="10.1.0.9") for n in range(150)]

    (one,) = incidents([*botnet(), *hits])

    assert len(one.accounts_hit) == 150
    assert one.severity == "critical"


def test_a_pause_ends_a_campaign() -> None:
    """What begins more than half an hour after the last is another one."""
    later = [
        alert(f"l{n}", ip=f"172.16.{n}.1", at=30 * MINUTE + 60 + 31 * MINUTE + n) for n in range(3)
    ]

    first, second = incidents([*botnet(), *later])

    assert len(first.alerts) == 4
    assert second.alerts == ["l0", "l1", "l2"]


@pytest.mark.parametrize(
    "harmless",
    [
        pytest.param([], id="nothing"),
        pytest.param(botnet(2), id="two addresses"),
        pytest.param(botnet(9, severity="medium"), id="medium"),
        pytest.param([takeover("t", "alice")], id="a takeover by itself"),
        pytest.param([alert("n", "new_device_and_place", severity="low")], id="news"),
        pytest.param([alert("n", "asn_attack", severity="medium")], id="customers among them"),
    ],
)
def test_what_customers_cause_is_no_campaign(harmless: list[Alert]) -> None:
    """Few addresses, small alerts and news of logins stay alerts."""
    assert incidents(harmless) == []


@pytest.mark.parametrize(
    ("alone", "kind"),
    [
        (alert("s", accounts=tuple(f"a{n}" for n in range(15))), "stuffing"),
        (alert("n", "subnet_attack", subject=AlertSubject("subnet", "10.0.0.0/24")), "stuffing"),
        (
            alert(
                "m", "account_many_sources", accounts=("a",), subject=AlertSubject("account", "a")
            ),
            "targeted",
        ),
    ],
)
def test_one_alert_may_be_a_campaign(alone: Alert, kind: str) -> None:
    """Fifteen accounts of one address, a network, an account from many sources."""
    (one,) = incidents([alone])

    assert one.kind == kind


def test_a_campaign_is_closed_after_a_quiet_day() -> None:
    """By event time: something else happened a day after its last."""
    other = alert("o", ip="192.0.2.1", severity="medium", at=30 * MINUTE + 24 * HOUR + 1)

    assert [one.status for one in incidents(botnet())] == ["open"]
    assert [one.status for one in incidents([*botnet(), other])] == ["closed"]


def test_staged_detections_make_no_campaign() -> None:
    """What pages nobody opens nothing."""
    staged = [_staged(one) for one in botnet()]

    assert incidents(staged) == []


def _staged(one: Alert) -> Alert:
    return _of(one, mode="staged")


@given(st.integers(0, 1 << 32))
def test_the_order_of_alerts_changes_nothing(seed: int) -> None:
    """The same alerts are the same incidents, byte for byte."""
    mixed = [*botnet(), takeover("t", "alice", ip="10.2.0.7")]
    shuffled = list(mixed)
    Random(seed).shuffle(shuffled)

    assert _bytes(incidents(shuffled)) == _bytes(incidents(mixed))


def _bytes(found: list[Incident]) -> list[bytes]:
    return [encode(one) for one in found]


def test_spans_are_whole() -> None:
    """An incident lasts from its first alert's opening to the last change of any."""
    long = alert("long", ip="10.0.0.1", at=-60, lasts=timedelta(hours=2).total_seconds())

    (one,) = incidents([*botnet(), long])

    assert (one.first_seen, one.last_seen) == (rfc3339(time(-60)), rfc3339(time(2 * HOUR - 60)))


def test_an_attack_on_everybody_takes_in_what_opens_meanwhile() -> None:
    """Small alerts of addresses that share nothing are one line while it is on."""
    small = [
        alert(f"s{n}", ip=f"10.9.{n}.1", at=20 * MINUTE * n, severity="medium") for n in range(4)
    ]
    before = alert("before", ip="10.8.0.1", at=-31 * MINUTE, severity="medium")

    (one,) = incidents([everybody("g", lasts=HOUR), *small, before])

    assert one.alerts == ["g", "s0", "s1", "s2", "s3"]


def test_what_shares_an_address_a_day_later_is_another() -> None:
    """An address of last week's campaign does not bring it back."""
    again = [alert("x", at=5 * DAY, ip="10.0.0.1", accounts=tuple(f"a{n}" for n in range(15)))]

    first, second = incidents([*botnet(), *again])

    assert (first.status, second.alerts) == ("closed", ["x"])


def test_it_says_when_an_account_was_hit_and_by_what_it_is_known() -> None:
    """An account is hit once, at the first of its alerts."""
    hits = [
        takeover("t1", "mei", at=90, ip="10.1.0.9"),
        takeover("t0", "mei", at=80, ip="10.1.0.9"),
    ]

    (one,) = incidents([*botnet(), *hits])

    (hit,) = one.hits
    assert (hit.account, hit.at, hit.rule) == ("mei", rfc3339(time(80)), "success_after_attack")


def test_one_alert_of_many_accounts_hit_is_an_incident() -> None:
    """Nobody mistypes into three accounts of others; into one of them, somebody may."""
    three = takeover("t", "a", ip="", more=("b", "c"))

    (one,) = incidents([three])

    assert one.accounts_hit == ["a", "b", "c"]


def test_the_pipelines_own_alerts_are_no_campaign() -> None:
    """Canaries and outputs that are down attack nobody."""
    assert incidents([_of(one, system="_canary") for one in botnet()]) == []


def _of(one: Alert, **fields: str) -> Alert:
    return Alert(**{name: getattr(one, name) for name in one.__struct_fields__} | fields)
