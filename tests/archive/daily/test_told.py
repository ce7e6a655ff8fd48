"""What was told on a day: notices, answers, alerts, and the versions in force."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from detectors import notices
from detectors.alerts import Alert, AlertSubject, encode
from detectors.notices import Confirmation, NoticeStep

from .archives import (
    ALERTS,
    ANSWERS,
    MONDAY,
    NOTICES,
    VERSIONS,
    Shelf,
    appended,
    at,
    attempt,
    counted,
)

SUNDAY = MONDAY - timedelta(days=1)


def step(notice: str, seq: int, state: Any, **more: Any) -> tuple[int, None, bytes]:
    """A record of `notices`."""
    said: dict[str, Any] = {
        "schema": 1,
        "notice_id": notice,
        "seq": seq,
        "at": f"2026-11-23T02:00:{seq:02d}Z",
        "state": state,
        "verdict_id": "00",
        "event_id": "e",
        "account": "88f8-00",
        "system": "trading-web",
        "notice_risk": "ask",
    }
    return 1_795_400_000_000, None, notices.encode(NoticeStep(**said | more))


def test_notices_stand_where_they_have_got_to(tmp_path: Path) -> None:
    """A notice counts once, on its last channel and in its last state, on the day it was planned;
    a step that was told twice is one step.
    """
    shelf = Shelf(tmp_path)
    shelf.put(
        NOTICES,
        [
            step("n1", 1, "planned"),
            step("n1", 2, "failed", channel="app"),
            step("n1", 3, "carrier", channel="sms"),
            step("n1", 3, "carrier", channel="sms"),
            step("n2", 1, "suppressed", notice_risk="inbox"),
            step("n3", 1, "planned", at="2026-11-22T02:00:00Z"),
            (1_795_400_000_000, None, b"{"),
            (1_795_400_000_000, None, None),
        ],
    )
    answer = Confirmation(
        schema=1, confirmation_id="c1", notice_id="n1", verdict_id="00", event_id="e",
        account="88f8-00", system="trading-web", answer="no", via="page",
        at="2026-11-23T02:05:00Z",
    )  # fmt: skip
    shelf.put(ANSWERS, [(1_795_400_000_000, None, notices.encode(answer))] * 2)

    record = counted(shelf.store)

    assert [(n.risk, n.channel, n.state, n.notices) for n in record.notices] == [
        ("ask", "sms", "carrier", 1),
        ("inbox", "", "suppressed", 1),
    ]
    assert [(a.answer, a.via, a.strength, a.answers) for a in record.answers] == [
        ("no", "page", "", 1)
    ]
    assert record.unreadable == 1
    assert [n.notices for n in counted(shelf.store, SUNDAY).notices] == [1]


def test_an_alert_counts_once_by_its_last_revision(tmp_path: Path) -> None:
    """Revisions come in any order and twice; the highest tells severity and evidence."""
    shelf = Shelf(tmp_path)
    begin = at(MONDAY, "10:00:00")
    shelf.logins([attempt(begin + timedelta(seconds=9 * n), f"x{n}") for n in range(60)])
    [alert, *_] = shelf.alerts(at(MONDAY, "23:00:00"))
    later = replace(
        alert, revision=alert.revision + 9, severity="critical", counts={"failures": 99}
    )
    earlier = replace(alert, revision=1, severity="low")
    shelf.put(ALERTS, [(appended(attempt(begin, "e")), None, encode(a)) for a in (later, earlier)])

    record = counted(shelf.store)

    [found] = [one for one in record.alerts if one.alert_id == alert.alert_id]
    assert (found.severity, found.counts) == ("critical", {"failures": 99})
    assert record.alerts[0] == found
    assert record.days[0].alerts == len(record.alerts)


def test_an_alert_on_the_pipeline_makes_no_core_system(tmp_path: Path) -> None:
    """It stands among the alerts; it is no row, and nobody has forgotten to register it."""
    shelf = Shelf(tmp_path)
    own = Alert(
        alert_id="1", revision=1, system="_loginward", rule="undelivered", rule_version="1",
        severity="high", opened_at="2026-11-23T02:00:00Z", updated_at="2026-11-24T02:00:00Z",
        subject=AlertSubject("global", "siem"), counts={}, window_s=300, threshold=1, accounts=[],
        ips=[], event_ids=[], attack_ids=[], checklist_item="15", summary="",
    )  # fmt: skip
    shelf.put(ALERTS, [(1_795_430_000_000, None, encode(own))])

    record = counted(shelf.store)

    assert [(a.rule, a.state) for a in record.alerts] == [("undelivered", "went_on")]
    assert "_loginward" not in {day.system for day in record.days}
    assert record.unregistered == []


def test_what_was_in_force_is_named(tmp_path: Path) -> None:
    """Every version under which a batch of the day was judged."""
    shelf = Shelf(tmp_path)
    shelf.logins([attempt(at(MONDAY, "01:00:00"), "a")])
    shelf.logins([attempt(at(MONDAY, "02:00:00"), "b")], versions={**VERSIONS, "code": "0.2.0"})

    assert counted(shelf.store).versions == {
        "code": ["0.1.0", "0.2.0"],
        "ip_fail_burst": ["1-abcd"],
    }
