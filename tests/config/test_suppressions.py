"""Mutes and allow-lists: bounded, by two persons, never about a takeover, never unseen."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from config.governance import decisions
from config.governance.ledger import read
from config.governance.records import Muted
from config.suppressions import (
    HIDES,
    NEVER,
    Suppressions,
    hidden_attack,
    hides_attack,
    load,
)
from detectors.alerts import Alert, AlertSubject, decode, encode
from detectors.errors import LoginwardError
from tests.config.governance.builders import at, say

ALERT = Alert(
    alert_id="a1",
    revision=12,
    system="web",
    rule="ip_fail_burst",
    rule_version="1-e0fa",
    severity="high",
    opened_at="2026-11-23T12:00:00Z",
    updated_at="2026-11-23T12:05:00Z",
    subject=AlertSubject("ip", "203.0.113.7"),
    counts={"failures": 12, "accounts": 1, "ips": 1},
    window_s=120,
    threshold=10,
    accounts=["p1"],
    ips=["203.0.113.7"],
    event_ids=["e1"],
    attack_ids=["T1110.004"],
    checklist_item="14",
    summary="12 failed logins",
)


def alert(**fields: Any) -> Alert:
    """ALERT, told differently."""
    said = {name: getattr(ALERT, name) for name in ALERT.__struct_fields__}
    return Alert(**said | fields)


def on(kind: str, value: str, **fields: Any) -> Alert:
    """ALERT on another subject."""
    return alert(subject=AlertSubject(kind, value), **fields)


def mute(folder: Path, minutes: float = 0, **fields: Any) -> None:
    """Alice mutes the burst rule on 203.0.113.7."""
    asked: dict[str, Any] = {
        "rule": "ip_fail_burst",
        "subject": ("ip", "203.0.113.7"),
        "system": None,
        "span": timedelta(hours=2),
        "now": at(minutes),
    }
    say(folder, lambda ledger: decisions.mute(ledger, **asked | fields), minutes=minutes)


def allow(folder: Path, network: str = "203.0.113.0/28", days: float = 30) -> None:
    """Alice proposes an allow-list entry."""
    until = at(days * 24 * 60)
    say(folder, decisions.allow(network=network, owner="IT", until=until, now=at(0)))


def approve(folder: Path, identity: str, by: str = "bob", minutes: float = 1) -> None:
    """Somebody approves."""
    say(
        folder,
        lambda ledger: decisions.approve(ledger, identity, by=by, now=at(minutes)),
        by,
        minutes,
    )


def known(folder: Path) -> Suppressions:
    """What the ledger tells."""
    return load(read(folder).lines)


def covered(folder: Path, about: Alert = ALERT, minutes: float = 5) -> str | None:
    """The id of what covers the alert at that minute."""
    found = known(folder).covering(about, at(minutes))
    return None if found is None else found.id


def test_a_mute_holds_at_once_until_its_end(tmp_path: Path) -> None:
    """From the minute it was said to the instant before its end, approved or not."""
    mute(tmp_path)

    assert [covered(tmp_path, minutes=m) for m in (-1, 0, 119, 120)] == [None, "M1", "M1", None]


@pytest.mark.parametrize(
    "other",
    [
        alert(rule="ip_fail_daily"),
        on("ip", "203.0.113.8"),
        on("account", "203.0.113.7"),
    ],
)
def test_a_mute_is_of_one_rule_on_one_subject(tmp_path: Path, other: Alert) -> None:
    """Another rule, another address or another kind of subject pages as ever."""
    mute(tmp_path)

    assert covered(tmp_path, other) is None


def test_a_mute_of_one_system_leaves_the_others(tmp_path: Path) -> None:
    """With --system the same address on another core system pages."""
    mute(tmp_path, system="web")

    assert covered(tmp_path) == "M1"
    assert covered(tmp_path, alert(system="app")) is None


@pytest.mark.parametrize("rule", sorted(NEVER))
def test_takeovers_are_never_quiet(tmp_path: Path, rule: str) -> None:
    """Neither a mute can be made, nor a forged line or an allow-list entry covers them."""
    with pytest.raises(LoginwardError, match="never muted"):
        mute(tmp_path, rule=rule)
    allow(tmp_path)
    approve(tmp_path, "A1")

    assert covered(tmp_path) == "A1"
    assert covered(tmp_path, alert(rule=rule)) is None


def test_the_numbers_8_14_and_15_are_named() -> None:
    """DETECTIONS.md 5 calls them by these ids."""
    assert {"success_after_attack", "password_known", "origin_many_first_successes"} <= NEVER


@pytest.mark.parametrize("span", [timedelta(), timedelta(hours=8, seconds=1), timedelta(days=-1)])
def test_a_mute_lasts_a_shift_at_most(tmp_path: Path, span: timedelta) -> None:
    """More than 8 hours, or no time at all, is refused; 8 hours are not."""
    mute(tmp_path, span=timedelta(hours=8))
    with pytest.raises(LoginwardError, match="at most 8h"):
        mute(tmp_path, span=span, subject=("ip", "203.0.113.9"))


def test_a_line_that_says_more_than_a_shift_is_cut_to_one(tmp_path: Path) -> None:
    """Whoever writes the ledger by hand gains nothing."""
    forged = Muted(
        rule="ip_fail_burst", subject_type="ip", subject_value="203.0.113.7", until=at(100_000)
    )
    say(tmp_path, forged)

    assert [covered(tmp_path, minutes=m) for m in (479, 480)] == ["M1", None]


def test_a_mute_that_nobody_approved_is_overdue_after_a_day(tmp_path: Path) -> None:
    """24 hours, though it is long over; approved late it is settled."""
    mute(tmp_path)

    def states() -> list[str]:
        (entry,) = known(tmp_path).entries
        return [entry.state(at(minutes)) for minutes in (5, 300, 1441)]

    assert states() == ["to be approved", "over, to be approved", "OVERDUE"]
    approve(tmp_path, "M1", minutes=2000)
    assert states() == ["in force", "over", "over"]


def test_a_mute_is_not_renewed_before_somebody_approved_it(tmp_path: Path) -> None:
    """One analyst alone cannot keep a subject quiet shift after shift."""
    mute(tmp_path)
    with pytest.raises(LoginwardError, match="M1: the same was muted by alice and nobody has"):
        mute(tmp_path, minutes=130)
    approve(tmp_path, "M1")
    mute(tmp_path, minutes=130)

    assert covered(tmp_path, minutes=131) == "M3"


def test_who_muted_does_not_approve(tmp_path: Path) -> None:
    """Two persons, also for allow-list entries; nobody approves twice."""
    mute(tmp_path)
    allow(tmp_path)
    for identity in ("M1", "A2"):
        with pytest.raises(LoginwardError, match="another person"):
            approve(tmp_path, identity, by="Alice")
    approve(tmp_path, "M1")
    with pytest.raises(LoginwardError, match="was approved by bob"):
        approve(tmp_path, "M1", by="carol")


def test_what_is_withdrawn_pages_again(tmp_path: Path) -> None:
    """At once, and it cannot be approved or withdrawn again."""
    mute(tmp_path)
    say(tmp_path, lambda ledger: decisions.withdraw(ledger, "M1"), minutes=2)

    assert covered(tmp_path) is None
    for again in (
        lambda: approve(tmp_path, "M1"),
        lambda: decisions.withdraw(read(tmp_path), "M1"),
    ):
        with pytest.raises(LoginwardError, match="was withdrawn"):
            again()


def test_an_allow_list_entry_holds_once_approved_until_it_ends(tmp_path: Path) -> None:
    """An unapproved entry covers nothing; after its end it is over by itself."""
    allow(tmp_path, days=1)
    assert covered(tmp_path) is None
    approve(tmp_path, "A1")

    assert covered(tmp_path, minutes=24 * 60 - 1) == "A1"
    assert covered(tmp_path, minutes=24 * 60) is None


@pytest.mark.parametrize(
    ("network", "about", "expected"),
    [
        pytest.param("203.0.113.0/28", on("ip", "203.0.113.15"), True, id="inside"),
        pytest.param("203.0.113.0/28", on("ip", "203.0.113.16"), False, id="next"),
        pytest.param("203.0.113.0/24", on("subnet", "203.0.113.0/24"), True, id="same subnet"),
        pytest.param("203.0.113.0/28", on("subnet", "203.0.113.0/24"), False, id="wider subnet"),
        pytest.param("203.0.113.7", ALERT, True, id="one address"),
        pytest.param("2001:db8::/48", on("ip", "2001:db8:0:1::/64"), True, id="IPv6 /64"),
        pytest.param("2001:db8::/48", ALERT, False, id="other family"),
        pytest.param("203.0.113.0/28", on("account", "p1"), True, id="all its addresses"),
        pytest.param(
            "203.0.113.0/28",
            on("account", "p1", ips=["203.0.113.7", "198.51.100.1"], counts={"ips": 2}),
            False,
            id="one of its addresses",
        ),
        pytest.param(
            "203.0.113.0/28", on("account", "p1", counts={"ips": 101}), False, id="not all listed"
        ),
        pytest.param("203.0.113.0/28", on("global", "", ips=[]), False, id="no address"),
        pytest.param("203.0.113.0/28", on("ip", "hostile\x1b"), False, id="no address at all"),
    ],
)
def test_an_entry_covers_what_is_about_its_network_alone(
    tmp_path: Path, network: str, about: Alert, expected: bool
) -> None:
    """Whatever may concern another address pages."""
    allow(tmp_path, network)
    approve(tmp_path, "A1")

    assert (covered(tmp_path, about) is not None) is expected


@pytest.mark.parametrize(
    ("network", "days", "says"),
    [
        pytest.param("0.0.0.0/0", 30, "wider than a /16", id="the world"),
        pytest.param("10.0.0.0/15", 30, "wider than a /16", id="too wide"),
        pytest.param("2001::/16", 30, "wider than a /32", id="too wide, IPv6"),
        pytest.param("203.0.113.7/24", 30, "has host bits set", id="no network"),
        pytest.param("office", 30, "write 203.0.113.7", id="a name"),
        pytest.param("203.0.113.7", 0, "must lie ahead", id="no end"),
        pytest.param("203.0.113.7", 367, "at most a year", id="too long"),
    ],
)
def test_an_entry_is_narrow_and_ends(tmp_path: Path, network: str, days: float, says: str) -> None:
    """Wide networks, names and entries without an end are refused."""
    with pytest.raises(LoginwardError, match=says):
        allow(tmp_path, network, days)


@pytest.mark.parametrize(
    ("about", "expected"),
    [
        pytest.param(ALERT, True, id="high"),
        pytest.param(alert(severity="critical"), True, id="critical"),
        pytest.param(alert(severity="medium"), False, id="medium"),
        pytest.param(alert(mode="staged"), False, id="staged pages nobody anyway"),
    ],
)
def test_an_entry_that_hides_an_attack_is_told(
    tmp_path: Path, about: Alert, expected: bool
) -> None:
    """What would have woken an analyst becomes an alert on the network, whoever makes it."""
    allow(tmp_path)
    approve(tmp_path, "A1")
    entry = known(tmp_path).covering(about, at(5))
    assert entry is not None

    assert hides_attack(about, entry) is expected
    told = hidden_attack(about, entry)
    assert told == hidden_attack(decode(encode(about)), entry)
    assert (told.rule, told.subject) == (HIDES, AlertSubject("subnet", "203.0.113.0/28"))
    assert told.alert_id != about.alert_id
    assert (told.revision, told.severity, told.event_ids) == (12, about.severity, ["e1"])
    assert f"A1 (203.0.113.0/28, until 2026-12-23) keeps quiet about {about.rule}" in told.summary
    assert known(tmp_path).covering(told, at(5)) is None


def test_a_mute_hides_nothing_and_is_named_first(tmp_path: Path) -> None:
    """A mute is a decision about an alert that was seen; where both hold it is the reason."""
    allow(tmp_path)
    approve(tmp_path, "A1")
    mute(tmp_path)

    entry = known(tmp_path).covering(ALERT, at(5))

    assert entry is not None
    assert (entry.id, hides_attack(ALERT, entry)) == ("M3", False)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("203.0.113.7", ("ip", "203.0.113.7")),
        ("::ffff:203.0.113.7", ("ip", "203.0.113.7")),
        ("2001:db8::7", ("ip", "2001:db8::/64")),
        ("2001:db8::/64", ("ip", "2001:db8::/64")),
        ("2001:db8::/48", ("subnet", "2001:db8::/48")),
        ("203.0.113.0/24", ("subnet", "203.0.113.0/24")),
        ("as64500", ("asn", "64500")),
        ("account=p1=x", ("account", "p1=x")),
    ],
)
def test_a_subject_is_written_as_people_write_it(text: str, expected: tuple[str, str]) -> None:
    """And compared as alerts name it: IPv6 by /64, mapped addresses unmapped."""
    assert decisions.subject_of(text) == expected


@pytest.mark.parametrize("text", ["", "office", "203.0.113.300", "nonsense=x", "account="])
def test_what_names_no_subject_is_told(text: str) -> None:
    """With a way out."""
    with pytest.raises(LoginwardError, match="names no subject; write"):
        decisions.subject_of(text)
