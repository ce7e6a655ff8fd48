"""Ids of lines: the same line always the same id, no two attempts one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.pseudonyms import Pseudonyms
from stream.sources import identity
from stream.sources.base import Line, Source
from stream.sources.identity import LineIds

from .logs import KEY, new_source, read_log, sshd

IP = "203.0.113.9"
RHOST = f"logname= uid=0 euid=0 tty=ssh ruser= rhost={IP}  user=root"
AT = datetime(2026, 11, 22, 10, tzinfo=UTC)


def _ids(lines: list[str], **options: object) -> list[str]:
    source = new_source(**options)  # type: ignore[arg-type]  # passed through
    return [event.event_id for event in read_log(lines, source).events]


FAILED = sshd(f"Failed password for root from {IP} port 4711 ssh2")


def test_a_line_has_the_same_id_in_every_run() -> None:
    """Reading a log again names the same events, so that nothing counts twice."""
    assert _ids(FAILED * 3) == _ids(FAILED * 3)
    assert len(_ids(FAILED)[0]) == 32


def test_what_stands_around_a_line_does_not_change_its_id() -> None:
    """Other lines before or behind it, or another file around it, name the same event."""
    other = sshd(f"Failed password for bob from {IP} port 1 ssh2")

    assert _ids([*other, *FAILED])[1] == _ids([*FAILED, *other])[0] == _ids(FAILED)[0]


def test_another_system_key_or_year_gives_another_id() -> None:
    """Two systems may log the same line; without the key nobody can make an id."""
    ids = {
        *_ids(FAILED),
        *_ids(FAILED, system="other"),
        *_ids(FAILED, pseudonyms=Pseudonyms(b"k" * 32)),
        *_ids(FAILED, year=2025),
    }

    assert len(ids) == 4


def test_a_dated_line_has_its_id_whatever_year_is_given() -> None:
    """A year that the line itself tells needs no help."""
    line = ["2026-11-22T10:00:00Z h sshd[1]: Failed password for a from 192.0.2.1 port 1"]

    assert _ids(line, year=2025) == _ids(line, year=2026)


def test_a_line_end_is_no_part_of_a_line(tmp_path: object) -> None:
    """A log copied through another system with CRLF names the same events."""
    del tmp_path
    raw = FAILED[0].encode()

    assert _ids([FAILED[0]]) == [e.event_id for e in read_log([raw]).events]


@given(
    raws=st.lists(st.binary(max_size=4), max_size=30),
    repeats=st.integers(min_value=1, max_value=3),
)
def test_no_two_events_share_an_id(raws: list[bytes], repeats: int) -> None:
    """Equal lines are numbered, sums are counted through, and NULs in a line forge nothing."""
    ids = LineIds(KEY, "ssh")

    made = [
        ids.line(raw, at, AT).event_id(n) for at, raw in enumerate(raws) for n in range(repeats)
    ]

    assert len(set(made)) == len(made)


def test_what_is_remembered_of_lines_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """By time and by number: equal lines carry equal times, so old ones need no counting."""
    monkeypatch.setattr(identity, "_MOST", 5)
    ids = LineIds(KEY, "ssh")
    for at in range(20):
        ids.line(str(at).encode(), at, AT)
    by_number = ids.needs_from()
    ids.line(b"late", 20, AT + timedelta(hours=1))

    assert by_number == 15
    assert ids.needs_from() == 20


STEPS = st.sampled_from(
    [
        f"Invalid user bob from {IP} port 1",
        f"Failed password for invalid user bob from {IP} port 1 ssh2",
        f"Failed password for root from {IP} port 1 ssh2",
        f"Accepted password for root from {IP} port 1 ssh2",
        f"error: PAM: Authentication failure for root from {IP}",
        "pam_unix(sshd:auth): check pass; user unknown",
        f"pam_unix(sshd:auth): authentication failure; {RHOST}",
        f"Received disconnect from {IP} port 1:11: Bye Bye [preauth]",
        f"message repeated 2 times: [ Failed password for root from {IP} port 1 ssh2]",
    ]
)
SESSIONS = st.lists(
    st.tuples(st.integers(1, 4), STEPS, st.sampled_from([0, 0, 0, 1, 30, 200])), max_size=40
)


def _written(steps: list[tuple[int, str, int]]) -> list[Line]:
    at, lines = AT, []
    for number, (pid, message, later) in enumerate(steps, start=1):
        at += timedelta(seconds=later)
        text = f"{at.strftime('%b %d %H:%M:%S')} host sshd[{pid}]: {message}"
        lines.append(Line(text.encode(), number))
    return lines


def _told(source: Source, lines: list[Line]) -> list[tuple[int, str]]:
    found = [found for line in lines for found in source.read(line).found]
    return [(one.at, one.event.event_id) for one in found]


@given(steps=SESSIONS, cut=st.integers(0, 40))
def test_reading_may_stop_anywhere_and_go_on(steps: list[tuple[int, str, int]], cut: int) -> None:
    """From `needs_from` on, a new source says what the old one would have said, ids included."""
    lines = _written(steps)
    whole, resumed = new_source(), new_source()
    _told(whole, lines[:cut])
    needed = whole.needs_from() or cut + 1

    _told(resumed, lines[needed - 1 : cut])

    assert _told(resumed, lines[cut:]) == _told(whole, lines[cut:])
    assert sorted(f.event.event_id for f in resumed.flush(cut_off=False)) == sorted(
        f.event.event_id for f in whole.flush(cut_off=False)
    )
