"""Whatever stands in a log: every line is understood, left out or refused."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.errors import Rejected
from detectors.wire import decode
from stream.sources.base import Found, Line
from stream.sources.registry import SOURCES

from .logs import new_source

PIECES = (
    b"Nov 22 01:00:00 host sshd[7]: ",
    b"<38>1 2026-11-22T01:00:00+08:00 host sshd 7 - - ",
    b"2026-11-22T01:00:00.123456+08:00 host sshd-session[7]: ",
    b"Failed password for ",
    b"invalid user ",
    b"Accepted publickey for ",
    b"Connection closed by ",
    b"message repeated 2147483648 times: [ ",
    b"pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 rhost=",
    b"root from 192.0.2.7 port 22 ssh2",
    b" from 2001:db8::1 port 99999 ssh2: ",
    b"]",
    b'{"schema":1,"event_id":"e","occurred_at":"2026-11-22T01:00:00Z","system":"web",',
    b'"account":"alice","ip":"192.0.2.7","outcome":"failure"}',
    b'{"MESSAGE":"Failed password for root from 192.0.2.7 port 22 ssh2",',
    b'"_PID":"7","SYSLOG_IDENTIFIER":"sshd","__REALTIME_TIMESTAMP":"1795280400000000"}',
    b'"ts":1e400,"user":"\\ud800",',
    b"\xff\xfe\x00",
    b"\x1b[2J\r",
    b"[" * 2000,
)
LINES = st.lists(
    st.lists(st.sampled_from(PIECES) | st.binary(max_size=12), max_size=6).map(b"".join),
    max_size=12,
)


@pytest.mark.parametrize("name", sorted(SOURCES))
@given(lines=LINES, cut_off=st.booleans())
def test_any_lines_become_events_or_are_refused(
    name: str, lines: list[bytes], *, cut_off: bool
) -> None:
    """Events can be read again by detect, and stem from a line that was there."""
    source = new_source(name)
    found: list[Found] = []
    for at, raw in enumerate(lines):
        with suppress(Rejected):
            found += source.read(Line(raw.replace(b"\n", b" "), at)).found
    found += source.flush(cut_off=cut_off)

    for one in found:
        assert 0 <= one.at < len(lines)
        assert decode(one.record()).event_id == one.event.event_id
