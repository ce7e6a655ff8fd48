"""What is shared names addresses that attacked, and nothing of the customers they attacked."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from config.intel.bulletins import Came, Hand, content_of, receive
from config.intel.indicator import Tlp
from config.intel.reading import read_feed
from config.intel.screening import Screen
from config.intel.sharing import Shared, shared, written
from config.intel.store import Told, folder_of, told
from config.settings import load
from detectors.alerts import Alert, AlertSubject
from detectors.events import rfc3339
from tests.builders import DAY, time


def alert(address: str, at: float = 0, /, **said: Any) -> Alert:
    """An address that turned bad, with the evidence that an alert holds."""
    fields: dict[str, Any] = {
        "alert_id": "a",
        "revision": 1,
        "system": "web",
        "rule": "ip_fail_burst",
        "rule_version": "1",
        "severity": "high",
        "opened_at": rfc3339(time(at)),
        "updated_at": rfc3339(time(at + 60)),
        "subject": AlertSubject("ip", address),
        "counts": {"failures": 77777, "accounts": 66666},
        "window_s": 300,
        "threshold": 10,
        "accounts": ["k1:pseudonym"],
        "ips": [address],
        "event_ids": ["event-1"],
        "attack_ids": ["T1110.004", "OAT-008"],
        "checklist_item": "15",
        "summary": "on k1:pseudonym",
    }
    return Alert(**fields | said)


def share(*alerts: Alert, known: Told | None = None) -> Shared:
    """What may be shared of them, the day after."""
    return shared(alerts, known or Told(), Screen(), since=time(-DAY), until=time(DAY))


def networks(found: Shared) -> list[str]:
    """The addresses of it."""
    return [str(one.network) for one in found.bad]


def test_an_address_is_shared_once_with_all_its_detections() -> None:
    """From the first crossing to the last attempt, by the gravest alert."""
    found = share(
        alert("192.0.2.7"),
        alert("192.0.2.7", 100, rule="ip_account_spray", severity="critical"),
        alert("2001:db8:1:2::/64"),
    )

    one, other = found.bad
    assert (one.first, one.last, one.confidence) == (time(0), time(160), 90)
    assert one.rules == {"ip_fail_burst", "ip_account_spray"}
    assert str(other.network) == "2001:db8:1:2::/64"


@pytest.mark.parametrize(
    "said",
    [
        pytest.param({"severity": "low"}, id="the guard's"),
        pytest.param({"mode": "staged"}, id="a rule on trial"),
        pytest.param({"rule": "unknown_origin_ip"}, id="only of unknown origin"),
        pytest.param({"subject": AlertSubject("account", "k1:pseudonym")}, id="an account"),
        pytest.param({"system": "_canary"}, id="a canary"),
        pytest.param({"updated_at": rfc3339(time(-2 * DAY))}, id="too long ago"),
    ],
)
def test_what_is_not_shared(said: dict[str, Any]) -> None:
    """Who is not surely an attacker's address, or is none at all."""
    assert share(alert("192.0.2.7", **said)).bad == []


def test_what_is_held_back_is_counted() -> None:
    """Private addresses mean nothing to others."""
    found = share(alert("10.0.0.1"), alert("192.0.2.7"))

    assert networks(found) == ["192.0.2.7/32"]
    assert dict(found.withheld) == {"private or reserved": 1}


@pytest.mark.parametrize("kind", ["stix", "csv"])
@pytest.mark.parametrize("tlp", ["clear", "amber", "amber+strict"])
def test_nothing_about_customers_is_written(kind: Any, tlp: Tlp) -> None:
    """No account, pseudonym, event id, system or count; and the same input gives the same bytes."""
    found = share(alert("192.0.2.7"), alert("2001:db8:1:2::/64"))

    data = written(found.bad, kind, tlp)

    for secret in (b"pseudonym", b"event-1", b"77777", b"66666", b'"web"', b",web"):
        assert secret not in data
    assert written(found.bad, kind, tlp) == data


@pytest.mark.parametrize("kind", ["stix", "csv"])
def test_others_can_read_what_we_share(kind: Any) -> None:
    """Our own import gives the same addresses, marking, times and certainty."""
    found = share(alert("192.0.2.7"), alert("2001:db8:1:2::/64"))

    feed = read_feed(written(found.bad, kind, "green"), "f")

    assert [one.network for one in feed.indicators] == networks(found)
    assert feed.bad.count == 0
    for one in feed.indicators:
        assert (one.tlp, one.confidence) == ("green", 80)
        assert one.valid_from == time(0)
        assert one.valid_until == time(60) + timedelta(days=30)


def test_the_same_address_keeps_its_name_and_grows() -> None:
    """A later export takes the place of the earlier one at whoever imports both."""
    first = json.loads(written(share(alert("192.0.2.7")).bad, "stix", "amber"))
    later = json.loads(
        written(share(alert("192.0.2.7"), alert("192.0.2.7", 500)).bad, "stix", "amber")
    )

    one, two = first["objects"][0], later["objects"][0]
    assert one["id"] == two["id"]
    assert one["modified"] < two["modified"]
    assert one["external_references"] == [
        {"source_name": "mitre-attack", "external_id": "T1110.004"}
    ]


def test_what_a_red_bulletin_named_never_leaves(tmp_path: Path) -> None:
    """Not even where the address attacked us as well: that we share it would tell."""
    settings = load(environ={"LOGINWARD_HOME": str(tmp_path)})
    for data, tlp in ((b"192.0.2.0/28", "red"), (b"192.0.2.77", "amber+strict")):
        came = Came(source="f", content=content_of(data), feed=read_feed(data, "f"))
        hand = Hand(by="amy", login="root", reason="", now=time(0))
        receive(settings, came, hand, tlp="red" if tlp == "red" else "amber+strict")

    found = share(alert("192.0.2.7"), alert("192.0.2.77"), known=told(folder_of(settings)))

    assert networks(found) == ["192.0.2.77/32"]
    assert dict(found.withheld) == {"named by a TLP:RED bulletin": 1}
