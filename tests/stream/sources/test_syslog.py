"""The forms in which a line of sshd is written down, and its time."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from detectors.events import rfc3339

from .logs import NOW, new_source, read_log

FAILED = "Failed password for root from 198.51.100.7 port 4711 ssh2"


def _journal(**fields: Any) -> str:
    entry = {
        "__REALTIME_TIMESTAMP": "1795341600123456",
        "_HOSTNAME": "host",
        "SYSLOG_IDENTIFIER": "sshd",
        "_PID": "100",
        "MESSAGE": FAILED,
    }
    return json.dumps(entry | fields)


@pytest.mark.parametrize(
    ("line", "at"),
    [
        pytest.param(f"Nov 22 10:00:00 host sshd[1]: {FAILED}", "10:00:00Z", id="classic"),
        pytest.param(f"Nov  2 10:00:00 host sshd[1]: {FAILED}", "02T10:00:00Z", id="padded day"),
        pytest.param(f"Nov 2 10:00:00 host sshd[1]: {FAILED}", "02T10:00:00Z", id="bare day"),
        pytest.param(f"Nov 22 10:00:00.250 host sshd[1]: {FAILED}", "00.250Z", id="milliseconds"),
        pytest.param(f"Nov 22 23:59:60 host sshd[1]: {FAILED}", "23:59:59Z", id="leap second"),
        pytest.param(f"<38>Nov 22 10:00:00 host sshd[1]: {FAILED}", "10:00:00Z", id="RFC 3164"),
        pytest.param(f"Nov 22 10:00:00 <4.6> host sshd[1]: {FAILED}", "10:00:00Z", id="BSD"),
        pytest.param(f"Nov 22 10:00:00 <auth.info> h sshd[1]: {FAILED}", "10:00:00Z", id="BSD -v"),
        pytest.param(
            f"Nov 22 10:00:00 h sshd[1]: [ID 800047 auth.info] {FAILED}", "10:00:00Z", id="Solaris"
        ),
        pytest.param(f"Nov 22 10:00:00 sshd[1]: {FAILED}", "10:00:00Z", id="no host"),
        pytest.param(f"Nov 22 10:00:00 host sshd: {FAILED}", "10:00:00Z", id="no process"),
        pytest.param(f"Nov 22 10:00:00 h sshd-session[1]: {FAILED}", "10:00:00Z", id="OpenSSH 9.8"),
        pytest.param(
            f"2026-11-22T18:00:00.5+08:00 host sshd[1]: {FAILED}", "10:00:00.500Z", id="ISO"
        ),
        pytest.param(f"2026-11-22T10:00:00 host sshd[1]: {FAILED}", "10:00:00Z", id="ISO, no zone"),
        pytest.param(
            f"<38>1 2026-11-22T10:00:00Z host sshd 1 - - {FAILED}", "10:00:00Z", id="RFC 5424"
        ),
        pytest.param(
            f'<38>1 2026-11-22T10:00:00Z host sshd 1 - [a b="c\\"]"][d e="f"] \ufeff{FAILED}',
            "10:00:00Z",
            id="RFC 5424 with data and a byte order mark",
        ),
        pytest.param(_journal(), "10:00:00.123Z", id="journal"),
        pytest.param(_journal(MESSAGE=list(FAILED.encode())), "10:00:00.123Z", id="journal, bytes"),
        pytest.param(
            _journal(SYSLOG_IDENTIFIER=None, _COMM="sshd"), "10:00:00.123Z", id="journal, no tag"
        ),
        pytest.param(
            _journal(_SOURCE_REALTIME_TIMESTAMP="1795341599000000"),
            "09:59:59Z",
            id="journal, when it was said",
        ),
        pytest.param(f"Nov 22 10:00:00 host sshd[1]: {FAILED}\r", "10:00:00Z", id="CRLF"),
    ],
)
def test_a_line_is_read_in_every_form(line: str, at: str) -> None:
    """The same failure, whichever daemon wrote it down."""
    log = read_log([line.rstrip("\r")])

    assert log.told == [("root", "198.51.100.7", "failure", "bad_password")]
    assert rfc3339(log.events[0].occurred_at).endswith(at)


@pytest.mark.parametrize(
    "line",
    [
        "Nov 22 10:00:00 host cron[1]: (root) CMD (true)",
        "Nov 22 10:00:00 host syslogd 1.4.1: restart.",
        "<38>1 2026-11-22T10:00:00Z host cron 1 - -",
        _journal(SYSLOG_IDENTIFIER="cron"),
        "",
        "   ",
    ],
)
def test_lines_of_others_are_no_logins(line: str) -> None:
    """A log is shared with other programs; theirs are counted and nothing else."""
    log = read_log([line])

    assert (log.kinds, log.told, log.refused) == (["no_login"], [], {})


@pytest.mark.parametrize(
    "line",
    [
        "some words",
        "\x00\x01\x02",
        b"\xff\xfe\xfa",
        "Nov 22 10:00:0",
        "Nov 31 10:00:00 host sshd[1]: x",
        "Abc 22 10:00:00 host sshd[1]: x",
        "Nov 22 25:00:00 host sshd[1]: x",
        "1969-12-31T23:00:00Z host sshd[1]: x",
        "Nov 22 10:00:00 host sshd[6",
        "<38>1 - host sshd 1 - - x",
        '{"MESSAGE": "no time"}',
        '{"__REALTIME_TIMESTAMP": "soon", "MESSAGE": "x"}',
        '{"__REALTIME_TIMESTAMP": "99999999999999999999", "MESSAGE": "x"}',
        '{"broken',
        "[" * 100_000,
        "{" * 100_000,
    ],
)
def test_what_is_no_syslog_is_refused(line: str | bytes) -> None:
    """A line that has no frame, or no time there can be, is kept as a reject."""
    log = read_log([line])

    assert log.told == []
    assert list(log.refused) == [1]
    assert str(log.refused[1]).isprintable()


def test_local_time_is_local_to_the_zone_named() -> None:
    """A stamp without a zone means the zone of the command line."""
    line = f"Nov 22 18:00:00 host sshd[1]: {FAILED}"

    log = read_log([line], new_source(zone=ZoneInfo("Asia/Taipei")))

    assert log.events[0].occurred_at == datetime(2026, 11, 22, 10, tzinfo=UTC)


def test_the_given_year_goes_on_over_new_year() -> None:
    """`--year` is that of the first line; after 31 December comes the next year."""
    stamps = ["Feb 29 10:00:00", "Dec 31 23:59:59", "Jan 1 00:00:01", "Dec 31 23:59:58"]
    lines = [f"{stamp} host sshd[{n}]: {FAILED}" for n, stamp in enumerate(stamps)]

    log = read_log(lines, new_source(year=2024))

    assert [e.occurred_at.year for e in log.events] == [2024, 2024, 2025, 2024]


def test_a_year_without_that_day_is_refused_with_the_way_out() -> None:
    """29 February of a year that has none is no other day."""
    log = read_log([f"Feb 29 10:00:00 host sshd[1]: {FAILED}"], new_source(year=2023))

    assert "name another --year" in log.refused[1].detail


@pytest.mark.parametrize(
    ("ahead", "year"), [(timedelta(hours=20), NOW.year), (timedelta(hours=30), NOW.year - 1)]
)
def test_without_a_year_it_is_the_newest_that_is_not_in_the_future(
    ahead: timedelta, year: int
) -> None:
    """By the file's date: a line a day ahead is a wrong clock, beyond that it is last year's."""
    stamp = (NOW + ahead).strftime("%b %d %H:%M:%S")

    log = read_log([f"{stamp} host sshd[1]: {FAILED}"], new_source(year=None))

    assert log.events[0].occurred_at.year == year


def test_bytes_that_are_no_text_stay_visible() -> None:
    """A name in another encoding is kept as its bytes, not as a question mark."""
    before, behind = b"Nov 22 10:00:00 h sshd[1]: Failed password for ", b" from 192.0.2.1 port 1"

    assert read_log([before + b"\xe9t\xe9" + behind]).events[0].account == r"\xe9t\xe9"
