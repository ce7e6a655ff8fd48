"""What leaves is what stands in the topic, whatever an attacker called himself."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.soc_sections import OutputsSettings, RosterSettings
from detectors.alerts import AlertSubject
from notifier.signing import SIGNATURE, TIMESTAMP, genuine, headers
from notifier.soc import syslog_format, webhook_format
from notifier.soc.item import Item
from notifier.soc.syslog_format import Sender, framed, message
from tests.checkout import ROOT

from .made import HOSTILE, START, item
from .receivers import frames, parse

SENDER = Sender(host="soc1.example", enterprise=32473, largest=8192)
DOCUMENT = (ROOT / "docs" / "outputs.md").read_text()

no_surrogates = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


def test_hostile_names_come_back_from_a_strict_syslog_parser() -> None:
    """Pipe, equals, backslash, quote, bracket, CRLF, NUL, bidi, full-width and emoji round-trip."""
    sent = item(
        system=HOSTILE, subject=HOSTILE, accounts=[HOSTILE], summary=HOSTILE, rule='a]b"c\\d'
    )

    parsed = parse(message(sent, SENDER))

    assert parsed.said == json.loads(sent.body)
    assert parsed.said["accounts"] == [HOSTILE]
    assert parsed.params["rule"] == 'a]b"c\\d'
    assert parsed.params["alert"] == sent.id


@given(no_surrogates, no_surrogates, no_surrogates)
def test_any_text_round_trips(system: str, subject: str, account: str) -> None:
    """No text ends a frame, a parameter or the JSON early; several frames stay apart."""
    sent = item(system=system, subject=subject, accounts=[account])
    said = message(sent, SENDER)

    whole, rest = frames(framed(said) * 2)

    assert whole == [said, said]
    assert rest == b""
    assert parse(said).said == json.loads(sent.body)
    assert json.loads(webhook_format.body(sent))["alert"] == json.loads(sent.body)


@given(st.text(st.characters(exclude_categories=["C", "Z"]), max_size=100))
def test_printable_subjects_stand_unchanged_in_the_structured_data(subject: str) -> None:
    """Who routes by the structured data compares with the subject as it is."""
    assert parse(message(item(subject=subject), SENDER)).params["subject"] == subject


@pytest.mark.parametrize(
    ("severity", "mode", "level"),
    [
        ("critical", "live", 2),
        ("high", "live", 3),
        ("medium", "live", 4),
        ("low", "live", 5),
        ("critical", "staged", 6),
    ],
)
def test_severities_are_those_of_syslog(severity: str, mode: str, level: int) -> None:
    """Facility 10; a rule on trial is informational, whatever it says."""
    parsed = parse(message(item(severity=severity, mode=mode), SENDER))

    assert divmod(parsed.priority, 8) == (10, level)
    assert parsed.params["mode"] == mode


def test_a_long_alert_loses_lists_and_never_its_json() -> None:
    """Beyond the receiver's limit lists are shortened and `cut` says so; counts stay."""
    many = [f"ab12-{number:024x}" for number in range(100)]
    sent = item(accounts=many, event_ids=many, ips=many, counts={"accounts": 5000})
    for largest in (1_024, 2_048, 8_192):
        said = message(sent, Sender(host="h", enterprise=32473, largest=largest))
        parsed = parse(said)

        assert len(said) <= largest
        assert parsed.said["cut"] is True
        assert parsed.said["counts"] == {"accounts": 5000}
        assert parsed.said["accounts"] == many[: len(parsed.said["accounts"])]
    assert "cut" not in parse(message(sent, Sender(host="h", enterprise=1, largest=60_000))).said


@pytest.mark.parametrize("when", ["", "yesterday", "2026-11-23T06:00:00", "\n"])
def test_a_time_that_is_none_is_the_nil_value(when: str) -> None:
    """A header that cannot be parsed would hide the alert; `-` is RFC 5424's own word for it."""
    assert parse(message(item(updated_at=when), SENDER)).timestamp == "-"


def test_times_have_at_most_six_decimals() -> None:
    """RFC 5424 6.2.3 allows no more."""
    sent = item(updated_at="2026-11-23T06:00:00.123456789Z")

    assert parse(message(sent, SENDER)).timestamp == "2026-11-23T06:00:00.123456Z"


@pytest.mark.parametrize(("name", "said"), [("全形", "-"), ("", "-"), ("a b\n", "ab")])
def test_a_host_name_is_ascii_or_nil(name: str, said: str) -> None:
    """Whatever a machine is called."""
    assert syslog_format.host_name(name) == said


def test_the_webhook_is_the_same_for_every_try() -> None:
    """Body and key do not hold the time of sending, so a receiver can drop repeats."""
    sent = item(7, 3)

    assert webhook_format.body(sent) == webhook_format.body(item(7, 3))
    assert json.loads(webhook_format.body(sent))["idempotency_key"] == f"{sent.id}:3"


def test_only_whoever_has_the_secret_signs() -> None:
    """Another secret, body, time or a stale copy is refused."""
    body = webhook_format.body(item())
    sent = headers(b"secret", body, START)
    stamp, signature = sent[TIMESTAMP], sent[SIGNATURE]

    def good(secret: bytes, said: bytes, at: str, after: timedelta = timedelta()) -> bool:
        return genuine(secret, said, timestamp=at, signature=signature, now=START + after)

    assert good(b"secret", body, stamp, timedelta(seconds=299))
    assert not good(b"other", body, stamp)
    assert not good(b"secret", body + b" ", stamp)
    assert not good(b"secret", body, str(int(stamp) + 1))
    assert not good(b"secret", body, stamp, timedelta(seconds=301))


GOLDEN = item(
    1,
    2,
    system="web",
    subject="203.0.113.7",
    accounts=["ab12-000000000000000000000001"],
    summary="帳號 50 failures on 40 accounts in 60 s",
)


def test_the_documented_syslog_message_is_what_is_sent() -> None:
    """The example of docs/outputs.md, byte for byte."""
    assert framed(message(GOLDEN, SENDER)).decode() in DOCUMENT


def test_the_documented_webhook_is_what_is_sent() -> None:
    """Body and signature of docs/outputs.md, byte for byte."""
    body = webhook_format.body(GOLDEN)

    assert body.decode() in DOCUMENT
    for name, value in headers(b"a-shared-secret", body, START).items():
        assert f"{name}: {value}" in DOCUMENT


def test_the_document_names_every_setting() -> None:
    """Of [outputs] and [roster], so that nobody has to read the code."""
    keys = [part.name for kind in (OutputsSettings, RosterSettings) for part in fields(kind)]

    assert [key for key in keys if f"`{key}`" not in DOCUMENT] == []


def test_a_subject_type_is_escaped_too() -> None:
    """Every field of the structured data goes through the same escape."""
    strange = item()
    alert = msgspec.structs.replace(strange.alert, subject=AlertSubject(type='a"]\n', value="x"))

    parsed = parse(message(Item(kind="alert", alert=alert, body=strange.body), SENDER))

    assert parsed.params["subject_type"] == 'a"]\\n'
