"""The archiver on a real Kafka: the archive is the ledger, whatever is killed, stopped or full."""

from __future__ import annotations

import signal

from kafka import KafkaAdminClient

from archive.read import segments
from config.kafka import answered, group_name
from detectors import wire
from detectors.errors import Rejected
from detectors.events import LoginEvent

from .builders import login
from .corner import Corner, Place, wait_until

BAD = (b"not json", b"{}", b'{"schema":2}', b"\xff\xfe", b"", login(1, ip="not an address"))


def decodable(ledger: dict[Place, bytes | None]) -> dict[Place, LoginEvent]:
    """What of a ledger of logins is an event."""
    events = {}
    for place, value in ledger.items():
        try:
            events[place] = wire.decode(value)
        except Rejected:
            continue
    return events


def assert_complete(corner: Corner) -> None:
    """The archive is the ledger without rejects, each record once, and verifies."""
    found = corner.logins()
    assert len(found) == len(dict(found))
    assert dict(found) == decodable(corner.ledger["logins"])
    assert corner.verify().findings == []


def test_the_archive_is_the_ledger_without_rejects(corner: Corner) -> None:
    """Every record that decodes is archived once, duplicates included; rejects are named."""
    values = [login(number) for number in range(900)]
    values[100:100] = [login(7), login(7), *BAD]
    values.append(BAD[0])
    corner.send("logins", values)
    corner.send("logins.rejected", [*BAD, bytes(range(256)) * 256], headers=[("reason", b"x")])
    corner.send("alerts", [b'{"alert_id":"a"}', None], key=b"a")
    corner.send("incidents", [b"x" * 5_000_000], key=b"i")  # larger than a partition's fetch

    process = corner.archiver()
    for topic in corner.ledger:
        corner.wait_sealed(topic)

    assert corner.stop(process) == 0
    assert_complete(corner)
    assert corner.verify().rejected == len(BAD) + 1
    for topic in ("logins.rejected", "alerts", "incidents"):
        records = dict(corner.records(topic))
        assert {place: record.value for place, record in records.items()} == corner.ledger[topic]
    assert all(
        tuple(record.headers) == (("reason", b"x"),)
        for _, record in corner.records("logins.rejected")
    )
    assert all(record.key == b"a" for _, record in corner.records("alerts"))


def test_kafka_is_told_no_more_than_is_sealed(corner: Corner) -> None:
    """Committed offsets are the ends of the chains, so that displays of lag are right."""
    corner.send("logins", [login(number) for number in range(500)])

    process = corner.archiver()
    corner.wait_sealed("logins")
    corner.stop(process)

    ends = {part.partition: seal.last + 1 for part, seal in segments(corner.root, "logins")}
    admin = KafkaAdminClient(bootstrap_servers=corner.settings.kafka.bootstrap)
    group = group_name(corner.settings.kafka, "archive")
    committed = {
        place.partition: found.offset
        for place, found in answered(lambda: admin.list_group_offsets(group)[group]).items()
        if place.topic.endswith("-logins")
    }
    admin.close()
    assert committed == ends


def test_a_stopped_archiver_that_comes_back_doubles_nothing(corner: Corner) -> None:
    """Stopped with a seal in its hand past its session timeout, its range is sealed by another."""
    corner.send("logins", [login(number) for number in range(800)])
    zombie = corner.archiver("archive.seal_synced=pause@1")
    wait_until(lambda: "seal_synced: pause" in corner.log(0), "the first archiver stopped")

    heir = corner.archiver()
    corner.wait_sealed("logins")
    zombie.send_signal(signal.SIGCONT)
    corner.send("logins", [login(number) for number in range(800, 1200)])
    corner.wait_sealed("logins")

    assert corner.stop(zombie) == 0
    assert corner.stop(heir) == 0
    assert "archive goes on behind another archiver" in corner.log(0)
    assert_complete(corner)
