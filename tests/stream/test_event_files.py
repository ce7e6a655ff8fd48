"""Files are read in the order of event time, each event from its own place."""

from __future__ import annotations

from pathlib import Path

from detectors.events import LoginEvent
from detectors.wire import encode
from stream.event_files import in_order_of_time
from stream.replay import Replayed
from tests.builders import login


def test_events_come_by_time_then_emitter_and_id_whatever_their_files(tmp_path: Path) -> None:
    """Blank lines, CRLF, an unreadable line, a last line without its end, and equal times in two
    files: each event is named by its own file and line.
    """
    late, early, middle = (encode(login(at, f"e{at}")) for at in (30, 10, 20))
    tied = [encode(login(20, name)) for name in ("b", "a")]
    one, other = tmp_path / "one.jsonl", tmp_path / "other.jsonl"
    one.write_bytes(late + b"\r\n\n" + tied[0] + b"\n" + b"{no event\n" + early)
    other.write_bytes(tied[1] + b"\n" + middle + b"\n")
    counts = Replayed()

    found = [
        (line.event.event_id, line.file, line.number)
        for line in in_order_of_time([one, other], counts, lambda _: True)
    ]

    assert found == [("e10", 0, 5), ("a", 1, 1), ("b", 0, 3), ("e20", 1, 2), ("e30", 0, 1)]
    assert counts.read == 6
    assert [(path, number) for path, number, _ in counts.rejected] == [(one, 4)]


def test_what_is_not_wanted_is_read_and_left_out(tmp_path: Path) -> None:
    """It counts as read, as everywhere."""
    file = tmp_path / "events.jsonl"
    file.write_bytes(b"".join(encode(login(at, f"e{at}")) + b"\n" for at in range(5)))
    counts = Replayed()

    def second(event: LoginEvent) -> bool:
        return event.event_id == "e1"

    found = [line.number for line in in_order_of_time([file], counts, second)]

    assert (found, counts.read) == ([2], 5)
