"""CEF and LEEF come back from a strict parser as they went in, whatever an attacker typed."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.soc.flat_formats import cef, leef
from notifier.soc.syslog_format import Sender, message

from .made import HOSTILE, START_MS, alert, item

printable = st.text(st.characters(exclude_categories=["C", "Z"]), max_size=80)


def parse_cef(line: str) -> tuple[list[str], dict[str, str]]:
    """Header and extension; ValueError where a header has not seven parts."""
    assert "\n" not in line
    assert "\r" not in line
    parts = _guarded(line).split("|", 7)
    if len(parts) != 8 or parts[0] != "CEF:0":
        raise ValueError(line)
    header = [_header(part) for part in parts[1:7]]
    found = re.split(r"(?:^| )([A-Za-z0-9]+)=", parts[7])
    pairs = zip(found[1::2], found[2::2], strict=True)
    return header, {key: _value(value) for key, value in pairs}


def _guarded(line: str) -> str:
    return line.replace("\\\\", "\ue000").replace("\\|", "\ue001").replace("\\=", "\ue002")


def _header(text: str) -> str:
    return text.replace("\ue001", "|").replace("\ue002", "=").replace("\ue000", "\\")


def _value(text: str) -> str:
    lines = text.replace("\\n", "\n").replace("\\r", "\r")
    return lines.replace("\ue001", "\\|").replace("\ue002", "=").replace("\ue000", "\\")


def parse_leef(line: str) -> tuple[list[str], dict[str, str]]:
    """Header and attributes, split at tabs."""
    assert "\n" not in line
    *header, body = line.split("|", 6)
    return header, dict(part.split("=", 1) for part in body.split("\t"))


@given(printable, printable, printable)
def test_printable_text_round_trips_in_both(system: str, subject: str, summary: str) -> None:
    """Pipe, equals and backslash included."""
    sent = alert(system=system, subject=subject, summary=summary)

    header, facts = parse_cef(cef(sent))
    assert header == ["loginward", "loginward", "1", sent.rule, summary, "8"]
    assert facts.get("deviceFacility", "") == system
    assert facts.get("msg", "") == summary
    assert facts["cs1"] == f"ip {subject}"
    _, attributes = parse_leef(leef(sent))
    assert attributes.get("resource", "") == system
    assert attributes.get("subject", "") == subject


def test_line_ends_come_back_from_cef_and_forge_nothing() -> None:
    """A second message, a second field, a second header: none can be made."""
    sent = alert(system="a\r\nb=c|d\\e", subject=HOSTILE, summary=f"x src=192.0.2.1 {HOSTILE}")

    header, facts = parse_cef(cef(sent))
    assert len(header) == 6
    assert facts["deviceFacility"] == "a\r\nb=c|d\\e"
    assert facts["src"].startswith("a|b=c\\d")
    assert cef(sent).isprintable()
    header, attributes = parse_leef(leef(sent))
    assert header[:2] == ["LEEF:2.0", "loginward"]
    assert attributes["resource"] == "a\\r\\nb=c|d\\e"
    assert leef(sent).replace("\t", "").isprintable()


def test_facts_stand_where_a_siem_looks_for_them() -> None:
    """Ids, times in milliseconds, address, totals."""
    _, facts = parse_cef(cef(alert(7, 2)))
    _, attributes = parse_leef(leef(alert(7, 2)))

    assert (facts["externalId"], facts["cn1"]) == (alert(7).alert_id, "2")
    assert (facts["start"], facts["cnt"], facts["src"]) == (str(START_MS), "100", "203.0.113.7")
    assert (attributes["alertId"], attributes["revision"]) == (alert(7).alert_id, "2")
    assert (attributes["devTime"], attributes["src"]) == (str(START_MS), "203.0.113.7")


@pytest.mark.parametrize(
    ("severity", "mode", "said"),
    [("critical", "live", "10"), ("low", "live", "3"), ("critical", "staged", "1")],
)
def test_severities_stand_on_a_scale_of_ten(severity: str, mode: str, said: str) -> None:
    """A rule on trial is the least there is."""
    assert parse_cef(cef(alert(severity=severity, mode=mode)))[0][5] == said
    assert parse_leef(leef(alert(severity=severity, mode=mode)))[1]["sev"] == said


@pytest.mark.parametrize("text", ["cef", "leef"])
def test_they_travel_in_the_same_syslog_header(text: str) -> None:
    """Behind the structured data, without a byte order mark."""
    sender = Sender(host="h", enterprise=1, largest=8192, text=text)  # type: ignore[arg-type]
    said = message(item(), sender).decode()

    assert re.fullmatch(
        rf"<83>1 .* loginward - HIGH \[loginward@1 [^\]]*\] {text.upper()}:.*", said
    )
