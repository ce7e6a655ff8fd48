"""Incidents go out as alerts do, and an alert says which incident it belongs to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from detectors import incidents
from detectors.incidents import Incident
from notifier.soc import webhook_format
from notifier.soc.desk import listed
from notifier.soc.flat_formats import cef, leef
from notifier.soc.item import Item, item_of
from notifier.soc.paging import Limits, Paging
from notifier.soc.queue import Queue
from notifier.soc.syslog_format import Sender, message
from tests.checkout import ROOT

from .made import DAY, START_MS, Clock, item, made_metrics, queue
from .receivers import parse

SENDER = Sender(host="soc1.example", enterprise=32473, largest=8192)
DOCUMENT = (ROOT / "docs" / "outputs.md").read_text()
ID, OTHER = "1c" * 16, "0c" * 16


def incident(revision: int = 1, *alerts: Item, **fields: Any) -> Item:
    """A campaign of these alerts as it came from the topic; `fields` win."""
    said: dict[str, Any] = {
        "incident_id": ID,
        "kind": "stuffing",
        "system": "web",
        "severity": "critical",
        "reasons": ["2 ip_account_spray"],
        "first_seen": "2026-11-23T06:00:00Z",
        "last_seen": "2026-11-23T06:05:00Z",
        "alerts": [one.id for one in alerts],
        "ips": ["203.0.113.1"],
        "accounts_tried": 40,
        "accounts_hit": ["ab12-000000000000000000000001"],
        "status": "open",
        "revision": revision,
        "counts": {"alerts": len(alerts), "ips": 1, "hit": 1},
    }
    return item_of("incident", incidents.encode(Incident(**said | fields)))


def _owed(waiting: Queue) -> dict[str, Item]:
    return {one.item.key: one.item for one in waiting.owed("one", 100)}


def test_an_alert_names_its_incident_once_that_is_known(tmp_path: Path) -> None:
    """The first revision goes out before there is one; the next says it, one outside never."""
    clock = Clock()
    waiting = queue(tmp_path, clock)
    first, alone = item(1), item(2)

    waiting.put([first, alone])
    before = _owed(waiting)[first.key]
    waiting.put([incident(1, first)])
    after = _owed(waiting)

    assert "incident_id" not in json.loads(webhook_format.body(before))
    assert json.loads(webhook_format.body(after[first.key]))["incident_id"] == ID
    assert after[first.key].key == before.key
    assert after[alone.key].incident == ""


def test_an_incident_taken_in_by_another_gives_its_alerts_to_it(tmp_path: Path) -> None:
    """A receiver that groups by the id is not left with half of a campaign."""
    waiting = queue(tmp_path, Clock())
    first = item(1)

    waiting.put([first, incident(1, first)])
    waiting.put([incident(2, first, status="merged", merged_into=OTHER)])

    assert _owed(waiting)[first.key].incident == OTHER


def test_an_incident_is_delivered_and_wakes_nobody_itself(tmp_path: Path) -> None:
    """Its alerts page; the desk lists alerts; what is old enough is forgotten."""
    clock = Clock()
    waiting = queue(tmp_path, clock)
    told = incident(3, item(1))
    limits = Limits(quiet=lambda _: _never(), per_hour=12)

    waiting.put([told])

    assert list(_owed(waiting)) == [f"{ID}:3"]
    assert Paging(waiting, limits, lambda *_: None, made_metrics()).look(START_MS) == 0
    assert listed(waiting.store) == []
    waiting.sent("one", [told])
    clock.pass_(2 * DAY)
    waiting.prune(clock.now - DAY)
    assert waiting.store.execute("SELECT count(*) FROM members").fetchone() == (0,)


def _never() -> Any:
    raise AssertionError("an incident has no quiet time")


def test_the_webhook_of_an_incident() -> None:
    """The record as it stands in the topic, under its own type."""
    told = incident(2, item(1))

    said = json.loads(webhook_format.body(told))

    assert said["type"] == "incident"
    assert said["idempotency_key"] == f"{ID}:2"
    assert said["incident"] == json.loads(told.body)
    assert f'"type":"incident","idempotency_key":"{ID}:2"' in DOCUMENT


def test_the_syslog_of_an_incident_and_of_its_alert() -> None:
    """Both carry the id as `incident`; only an alert has an `alert`."""
    told, of_it = incident(2, item(1)), item(1)

    campaign = parse(message(told, SENDER))
    alert = parse(
        message(Item(kind="alert", alert=of_it.alert, body=of_it.body, incident=ID), SENDER)
    )

    assert campaign.params["incident"] == alert.params["incident"] == ID
    assert campaign.params["severity"] == "critical"
    assert "alert" not in campaign.params
    assert campaign.said == json.loads(told.body)
    assert parse(message(of_it, SENDER)).params.get("incident") is None


def test_a_large_incident_is_shortened_to_valid_json() -> None:
    """Ten thousand alerts in 8 KiB: the totals stay."""
    alerts = [f"{n:032x}" for n in range(10_000)]
    told = incident(1, alerts=alerts, counts={"alerts": 10_000})

    said = parse(message(told, SENDER)).said

    assert said["cut"] is True
    assert said["counts"] == {"alerts": 10_000}
    assert len(message(told, SENDER)) <= SENDER.largest


def test_flat_formats_name_the_incident() -> None:
    """For SIEMs that read no JSON."""
    told, of_it = incident(2, item(1)), item(1).alert

    assert f"cs6Label=incident cs6={ID}" in cef(told.alert, told.incident)
    assert f"incidentId={ID}" in leef(of_it, ID)
    assert "incident" not in cef(of_it)
    assert "campaign (stuffing), open: 1 alerts, 1 ips, 1 hit, 40 accounts" in cef(told.alert)
