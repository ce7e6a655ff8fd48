"""The live screen fits its terminal, says severities in words, and lets no text through raw."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from console.live_lines import age, alert_line, clock, login_line, spark, summary_line
from console.live_view import Surroundings, render
from console.picture import LoginRow, PartitionRow, Picture
from detectors.rule import SEVERITIES

from .builders import alert_row, picture

AROUND = Surroundings(
    title="loginward demo 0:42 ",
    phase="ATTACK since 0:18, caught after 3.1 s",
    hint="0:48 left (Ctrl-C)",
    parts=[("detect-1", "up"), ("relay", "DOWN (restarted 2x)")],
    places=[("data", ".loginward/demo"), ("Kafka", "127.0.0.1:12345")],
    commands=["./loginward archive query --ip 198.51.100.7", "./loginward archive verify"],
    alarmed=True,
)
SIZES = [(80, 24), (100, 30), (200, 50)]
HOSTILE = "\x1b[2J\x1b]0;owned\x07\r\n\u202e[red]x[/red]\x00" + "長" * 300


def drawn(shown: Picture, around: Surroundings, width: int, height: int) -> list[str]:
    """The lines of the screen, as text without colours."""
    console = Console(
        width=width, height=height, record=True, file=io.StringIO(), color_system=None
    )
    console.print(render(shown, around, width=width, height=height))
    return console.export_text().rstrip("\n").split("\n")


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("logins", [False, True])
def test_the_screen_fits_its_terminal(width: int, height: int, logins: bool) -> None:
    """Never more lines or columns than there are, with nothing and with more than there is room."""
    around = Surroundings(
        **{name: getattr(AROUND, name) for name in AROUND.__slots__} | {"logins": logins}
    )
    full = picture(
        alerts=tuple(alert_row(alert_id=str(n), subject=f"198.51.100.{n}") for n in range(99)),
        addresses=picture().addresses * 50,
        logins=picture().logins * 50,
    )
    empty = picture(alerts=(), addresses=(), logins=(), partitions=())

    for shown in (full, empty):
        lines = drawn(shown, around, width, height)
        assert len(lines) <= height
        assert max(cell_len(line) for line in lines) <= width


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_what_matters_is_on_the_screen(width: int, height: int) -> None:
    """Phase, time left, rates, lag, seal, who attacks and how badly, what is down, what to try."""
    text = "\n".join(drawn(picture(), AROUND, width, height))

    for wanted in (
        "ATTACK since 0:18, caught after 3.1 s",
        "0:48 left (Ctrl-C)",
        "38.2/s",
        "34.4/s",
        "3+3+3+3",
        "1,000 of 1,240",
        "1 alert on 1 subject: 1 high",
        "198.51.100.7",
        "ip_account_spray",
        "relay DOWN (restarted 2x)",
        "archive query --ip 198.51.100.7",
    ):
        assert wanted in text


def test_what_there_is_no_room_for_is_said() -> None:
    """The title tells that rows are missing, and how many stand there."""
    many = tuple(alert_row(alert_id=str(n), subject=f"198.51.100.{n}") for n in range(99))

    lines = drawn(picture(alerts=many), AROUND, 80, 24)

    shown = sum("198.51.100." in line and "HIGH" in line and "acc" in line for line in lines)
    assert shown > 5
    assert any(f"99 alerts on 99 subjects: 99 high; the first {shown}" in line for line in lines)


@pytest.mark.parametrize("severity", SEVERITIES)
def test_a_severity_is_a_word(severity: str) -> None:
    """Without any colour it can still be read, on both tables."""
    shown = picture(alerts=(alert_row(severity=severity),), addresses=())

    assert severity.upper() in "\n".join(drawn(shown, AROUND, 80, 24))


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_hostile_text_cannot_move_the_cursor_or_break_the_frame(width: int, height: int) -> None:
    """Escape sequences, line ends, markup and endless names stay inside their cells, escaped."""
    row = LoginRow(at="x" * 24, system=HOSTILE, address=HOSTILE, account=HOSTILE, outcome=HOSTILE)
    nasty = alert_row(subject=HOSTILE, rule=HOSTILE, summary=HOSTILE, system=HOSTILE)
    shown = picture(alerts=(nasty,), logins=(row,), problem=HOSTILE)
    around = Surroundings(
        title=HOSTILE,
        phase=HOSTILE,
        hint=HOSTILE,
        parts=[(HOSTILE, HOSTILE)],
        places=[(HOSTILE, HOSTILE)],
        commands=[HOSTILE],
        logins=True,
    )

    lines = drawn(shown, around, width, height)

    assert len(lines) <= height
    assert all(line.isprintable() for line in lines)
    assert max(cell_len(line) for line in lines) <= width


@given(st.text(max_size=40), st.text(max_size=40))
def test_lines_for_a_log_are_one_printable_line(one: str, other: str) -> None:
    """Whatever an alert or a login says, its line is one line and printable."""
    row = LoginRow(at=rfc_time(), system=one, address=other, account=one, outcome=other)

    assert alert_line(alert_row(rule=one, summary=other)).isprintable()
    assert login_line(row).isprintable()


def rfc_time() -> str:
    """Some time as an event tells it."""
    return "2026-11-22T12:00:00.125Z"


def test_the_line_of_a_moment_says_all_of_it() -> None:
    """Rates, what waits, what is sealed, the alerts, and what is wrong."""
    assert summary_line(picture(problem="Kafka does not answer"), 42) == (
        "0:42  60 logins/s, 38 failed, 34 of them on accounts that nobody has; 12 wait, "
        "1,000 sealed; 1 alert on 1 subject: 1 high; Kafka does not answer"
    )


def test_many_partitions_are_told_by_the_worst_one() -> None:
    """Forty numbers do not fit; the largest one is what a person needs."""
    rows = tuple(PartitionRow(partition=n, end=n, judged=0, sealed=0) for n in range(40))

    assert "at most 39" in "\n".join(drawn(picture(partitions=rows), AROUND, 80, 24))


@pytest.mark.parametrize(
    ("seconds", "written"),
    [(0.0, "0 s"), (99.9, "99 s"), (100.0, "1 m"), (5_999.0, "99 m"), (6_000.0, "1 h")],
)
def test_ages_are_short(seconds: float, written: str) -> None:
    """Two digits and a unit."""
    assert age(seconds) == written


def test_a_clock_shows_minutes_and_seconds() -> None:
    """As on a stopwatch, also beyond an hour."""
    assert [clock(0), clock(59.9), clock(3_725)] == ["0:00", "0:59", "62:05"]


def test_a_single_login_is_seen_in_the_bars() -> None:
    """The smallest bar is for anything above nothing, blank for nothing."""
    assert spark([0, 1, 500, 1000], 1000) == " ▁▄█"
    assert spark([0, 0], 0) == "  "
