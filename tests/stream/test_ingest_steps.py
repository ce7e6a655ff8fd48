"""A followed log on its way, step by step: killed anywhere it loses nothing and repeats its ids."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from config import failpoints
from config.failpoints import FailpointError
from detectors import wire
from detectors.events import LoginEvent
from detectors.pseudonyms import Pseudonyms
from stream import ingest
from stream.ingest import Ingest, Reporting
from stream.ingest_records import Addressing
from stream.inputs import reading
from stream.sending import Outgoing
from stream.sources.attempts import HOLD
from stream.sources.follow import Follower
from stream.sources.positions import Position

NOW = datetime(2026, 11, 22, 10, 5, tzinfo=UTC)
KEY = Pseudonyms(bytes(32))
FAILED = (
    "2026-11-22T10:00:00Z h sshd[{n}]: Failed password for u{n} from 198.51.100.7 port 1 ssh2\n"
)
HELD = "2026-11-22T10:00:01Z h sshd[77]: Invalid user held from 198.51.100.7 port 9\n"
DECIDED = HELD.replace("Invalid user held from", "Failed password for invalid user held from")


@dataclass
class Runs:
    """Runs of `ingest --follow` on one log, one after the other; what they sent and saved."""

    folder: Path
    sent: list[Outgoing] = field(default_factory=list)
    saved: list[Position] = field(default_factory=list)
    seconds: float = 0.0
    then: dict[str | None, str] = field(default_factory=dict)

    @property
    def log(self) -> Path:
        """The followed log."""
        return self.folder / "auth.log"

    def write(self, text: str) -> None:
        """Append to the log."""
        with self.log.open("a") as log:
            log.write(text)

    def events(self) -> list[LoginEvent]:
        """What was sent to `logins`."""
        return [wire.decode(record.value) for record in self.sent if record.topic == "logins"]

    def accounts(self) -> set[str | None]:
        """Whose attempts were sent."""
        return {event.account for event in self.events()}

    def follow(self, *until: str, backfill: bool = False) -> None:
        """Run until the accounts `until` have been sent; `seconds` pass at each look."""
        asyncio.run(self._follow(set(until), backfill=backfill))

    async def _follow(self, until: set[str], *, backfill: bool) -> None:
        stop = asyncio.Event()

        async def deliver(records: Sequence[Outgoing]) -> None:
            self.sent += records
            for account in self.accounts() & set(self.then):
                self.write(self.then.pop(account))

        def monotonic() -> float:
            self.seconds += 1
            if until <= self.accounts():
                stop.set()
            return self.seconds

        to = Addressing(
            logins="logins",
            rejected="rejected",
            source="openssh",
            system="openssh",
            backfill=backfill,
            pseudonyms=KEY,
        )
        told = Reporting(advance=lambda _: None, refuse=lambda *_: None)
        how = reading("openssh", None, None, "UTC", KEY)
        position = self.saved[-1] if self.saved else None
        follower = Follower(self.log, position, monotonic=monotonic, report=print)
        try:
            work = Ingest(how, to, deliver, lambda: NOW, told)
            await work.follow(follower, self.saved.append, stop, monotonic)
        finally:
            follower.close()


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runs]:
    """Give a log to follow; looks follow each other at once."""
    monkeypatch.setattr(ingest, "POLL_S", 0.0)
    yield Runs(tmp_path)
    failpoints.arm("")


STEPS = [
    f"ingest.{step}=raise@{nth}"
    for step in ("before_deliver", "after_deliver", "before_position", "after_position")
    for nth in (1, 2)
    # Before the first position following has not begun; the second delivery is silence's.
    if (step, nth) not in {("before_position", 1), ("before_deliver", 2), ("after_deliver", 2)}
]


@pytest.mark.parametrize("rotated", [False, True])
@pytest.mark.parametrize("step", STEPS)
def test_a_kill_at_any_step_loses_nothing(runs: Runs, step: str, rotated: bool) -> None:
    """Begun again, every attempt is there, and what was sent twice has the same ids."""
    runs.write(FAILED.format(n=1) + HELD)
    failpoints.arm(step)
    with pytest.raises(FailpointError):
        runs.follow("never")
    failpoints.arm("")
    runs.write(FAILED.format(n=2))
    if rotated:
        runs.log.rename(runs.folder / "auth.log.1")
    runs.write(DECIDED + FAILED.format(n=3))

    runs.follow("u1", "u2", "u3", "held")

    assert {(e.account, e.event_id) for e in runs.events()} == {
        (e.account, e.event_id) for e in {e.account: e for e in runs.events()}.values()
    }
    assert runs.accounts() == {"u1", "u2", "u3", "held"}
    assert [e.reason for e in runs.events() if e.account == "held"] == ["unknown_account"]


def test_equal_lines_are_numbered_on_after_a_restart(runs: Runs) -> None:
    """The second of two equal lines is another attempt, whoever reads it."""
    runs.write(FAILED.format(n=1) + FAILED.format(n=2))
    runs.follow("u2")
    runs.write(FAILED.format(n=1) + FAILED.format(n=3))
    runs.follow("u3")

    ids = [event.event_id for event in runs.events() if event.account == "u1"]

    assert len(ids) == len(set(ids)) == 2
    assert len(runs.events()) == 4


def test_silence_decides_what_is_held(runs: Runs) -> None:
    """An `Invalid user` that nothing follows counts when sshd would have given up waiting."""
    runs.write(HELD)

    runs.follow("held")

    assert [event.reason for event in runs.events()] == ["unknown_account"]
    assert runs.seconds > HOLD.total_seconds()


def test_what_was_there_before_is_received_when_it_occurred_if_it_is_old(runs: Runs) -> None:
    """Catching up with an old log is no wrong clock; a live line with an old time is one."""
    old = FAILED.replace("2026", "2016")
    runs.write(old.format(n=1) + FAILED.format(n=2))
    runs.follow("u1", "u2")
    runs.follow()
    first = {event.account: event.received_at for event in runs.events()}

    assert first["u1"] == datetime(2016, 11, 22, 10, tzinfo=UTC)
    assert first["u2"] == NOW


def test_a_live_line_is_received_now(runs: Runs) -> None:
    """Against that the clock of the machine is judged: here it is years behind."""
    runs.write(FAILED.format(n=1))
    runs.then["u1"] = FAILED.replace("2026", "2016").format(n=2)

    runs.follow("u2")

    late = runs.events()[-1]
    assert (late.account, late.received_at, late.skewed) == ("u2", NOW, True)
    assert NOW - late.occurred_at > timedelta(days=7)


def test_a_backfill_is_received_when_it_occurred(runs: Runs) -> None:
    """Live or not: nothing of an import is compared with today."""
    runs.write(FAILED.format(n=1))

    runs.follow("u1", backfill=True)

    assert runs.events()[0].received_at == runs.events()[0].occurred_at
    assert runs.sent[0].headers == (("backfill", b"1"),)


def test_a_refused_line_tells_its_byte(runs: Runs) -> None:
    """In a followed log lines have no numbers; the byte finds them."""
    runs.write(FAILED.format(n=1) + "no syslog\n" + FAILED.format(n=2))

    runs.follow("u2")
    (refused,) = [record for record in runs.sent if record.topic == "rejected"]

    assert dict(refused.headers)["line"] == f"@{len(FAILED.format(n=1))}".encode()
    assert dict(refused.headers)["file"] == b"auth.log"
    assert refused.value == b"no syslog"
