"""Real logs give exactly the events that were counted in them by others."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import msgspec
import pytest

from detectors.events import rfc3339
from stream.sources.lines import numbered

from .logs import Log, data, new_source, read_log

Told = tuple[object, object, object, object, object]


def _expected(*files: str) -> Counter[Told]:
    rows = [
        msgspec.json.decode(line) for file in files for line in data(file).read_bytes().splitlines()
    ]
    return Counter((r["ts"], r["user"], r["ip"], r["outcome"], r["reason"]) for r in rows)


def _read(file: Path, year: int) -> Log:
    with file.open("rb") as stream:
        lines = [line.raw for line in numbered(stream, file.name)]
    return read_log(lines, new_source(year=year))


def _told(log: Log) -> Counter[Told]:
    return Counter(
        (rfc3339(e.occurred_at), e.account, e.ip, e.outcome, e.reason) for e in log.events
    )


@pytest.mark.parametrize(
    ("raw", "year", "events"),
    [
        pytest.param(
            "loghub/raw/OpenSSH_OpenSSH_2k.log",
            2016,
            ["loghub/events.jsonl"],
            id="sshd of a lab server under attack",
        ),
        pytest.param(
            "drillworkshop-auth/raw/auth.log",
            2014,
            ["drillworkshop-auth/events.jsonl"],
            id="sshd that logs Invalid user alone",
        ),
        pytest.param(
            "loghub/raw/Linux_Linux_2k.log",
            2005,
            ["loghub/events_linux.jsonl", "loghub/events_linux_hostname_only.jsonl"],
            id="PAM alone, host names",
        ),
    ],
)
def test_a_real_log_gives_the_events_counted_in_it(raw: str, year: int, events: list[str]) -> None:
    """The same times, accounts, addresses, outcomes and reasons, each as often; ids are unique."""
    log = _read(data(raw), year)

    assert _told(log) == _expected(*events)
    assert len({event.event_id for event in log.events}) == len(log.events)


def test_a_cut_off_last_line_is_refused_and_nothing_else() -> None:
    """The one line that ends in the middle of its time is named; every other one is understood."""
    log = _read(data("drillworkshop-auth/raw/auth.log"), 2014)

    assert list(log.refused) == [10567]
    assert "Dec  2 13:14:2" in log.refused[10567].detail


def test_a_peers_list_of_login_attempts_is_found() -> None:
    """Every `Failed password` line another tool's tests demand is an event, with its address."""
    rows = map(msgspec.json.decode, data("fail2ban-tests/expected.jsonl").read_bytes().splitlines())
    wanted = [row for row in rows if row["file"] == "sshd" and "Failed password" in row["line"]]

    wrong = [
        row["line"]
        for row in wanted
        # Text behind `ssh2:` at a password: sshd writes none there, so it belongs to the name.
        if row["match"]
        and "ssh1: " not in row["line"]
        and "ssh2: " not in row["line"]
        and [event.ip for event in read_log([row["line"]]).events] != [row["host"]]
    ]

    assert len(wanted) > 10
    assert wrong == []
