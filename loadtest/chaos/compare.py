"""The oracle: what live said against replay, archive and rejects against the ledger."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pyarrow.parquet as pq

from config.kafka import topic_name
from config.settings import KafkaSettings
from detectors import alerts, verdicts, wire
from detectors.alerts import Alert

from .. import ledger
from . import census, coverage, notices
from .customers import Customers, is_told
from .pipeline import Pipeline
from .scene import Place
from .topics import records

CHECKS = (
    "missed",
    "extra",
    "different",
    "duplicate_alerts",
    "archive_missing",
    "archive_extra",
    "rejects_missing",
    "rejects_extra",
    "rejects_altered",
    "unbalanced",
    "unjudged",
    "census",
    "verdicts_missed",
    "verdicts_extra",
    "duplicate_notices",
    "notices_missed",
)
"""The figures of a verdict that must all be 0."""


@dataclass(slots=True)
class Verdict:
    """Every difference, counted; all of the first block must be 0."""

    missed: int = 0
    extra: int = 0
    different: int = 0
    duplicate_alerts: int = 0
    archive_missing: int = 0
    archive_extra: int = 0
    rejects_missing: int = 0
    rejects_extra: int = 0
    rejects_altered: int = 0
    unbalanced: int = 0
    """Batches of which read is not judged + duplicates + rejected."""
    unjudged: int = 0
    """Offsets that stand in no record of `judged`."""
    census: int = 0
    """By how much the counts of successes differ from the successes sent, each counted once."""
    verdicts_missed: int = 0
    verdicts_extra: int = 0
    """Logins of which customers were told less, or more, than replay says."""
    duplicate_notices: int = 0
    """Verdicts of one login and gravity with two contents, notices beside the first of a login, and
    second messages at a customer's phone or mailbox."""
    notices_missed: int = 0
    """Verdicts without a notice, and messages that did not reach a customer."""
    sms_doubled: int = 0
    """SMS that came twice: documented as at least once, so counted and no difference."""
    customers_told: int = 0

    as_of_differences: int = 0
    """Alerts of `as_of` parts that differ: allowed beyond 60 s of disorder, and counted."""

    untold: int = 0
    """As `verdicts_missed`, after a loss of memory: then it is right that less is told."""
    census_off: int = 0
    """As `census`, after a loss of state: it may be off by two batches a worker and loss."""
    alerts: int = 0
    records: int = 0
    redelivered: int = 0
    examples: list[str] = field(default_factory=list)

    @property
    def faults(self) -> int:
        """How many differences there are that must not be."""
        return sum(getattr(self, name) for name in CHECKS)

    @property
    def found_by(self) -> str:
        """The checks that found something, each with its number."""
        names = [name for name in CHECKS if getattr(self, name)]
        return ", ".join(f"{name} {getattr(self, name)}" for name in names)


async def compare(
    pipeline: Pipeline,
    kafka: KafkaSettings,
    truth: Path,
    poisoned: Mapping[Place, bytes],
    *,
    customers: Customers | None = None,
    archived: bool = True,
    cold: bool = False,
    loses: bool = False,
) -> Verdict:
    """Hold a drained pipeline against the ledger `truth` and against `loginward replay`.

    `poisoned`: records that were sent besides, each of which must have become a reject.
    `customers`: who was told. `archived`: whether an archiver ran. `cold`: memory was lost on the
    way; `loses`: state was, and built up again.
    """
    verdict = Verdict()
    events = pipeline.folder / "logins.jsonl"
    await _dump(kafka, events)
    files = {name: pipeline.folder / f"expected-{name}.jsonl" for name in ("alerts", "verdicts")}
    options = [part for name, file in files.items() for part in (f"--{name}", str(file))]
    pipeline.run("replay", str(events), *options)
    await _compare_alerts(kafka, _lines(files["alerts"]), verdict)
    await _compare_verdicts(kafka, _lines(files["verdicts"]), verdict)
    if cold:
        verdict.untold, verdict.verdicts_missed = verdict.verdicts_missed, 0
    if customers is not None:
        await _compare_notices(kafka, customers, verdict)
    sent, bad = _ledger(truth)
    bad |= poisoned
    verdict.records = len(sent) + len(bad)
    if archived:
        _compare_archive(pipeline.archive, set(sent), verdict)
    await _compare_rejects(kafka, bad, verdict)
    await _compare_judged(kafka, {*sent, *bad}, verdict)
    counted = census.difference(pipeline.stack.endpoints.redis_url, events)
    verdict.census, verdict.census_off = (0, counted) if loses else (counted, 0)
    return verdict


def _lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines()


async def _dump(kafka: KafkaSettings, path: Path) -> None:
    """Records of `logins` that hold one line, as a file for replay."""
    with path.open("wb") as file:
        async for record in records(kafka, topic_name(kafka, "logins")):
            if (
                record.value
                and b"\n" not in record.value
                and len(record.value) < wire.MAX_RECORD_BYTES
            ):
                file.write(record.value + b"\n")


async def _compare_alerts(kafka: KafkaSettings, wanted: list[bytes], verdict: Verdict) -> None:
    live: dict[str, bytes] = {}
    said: dict[tuple[str, int], bytes] = {}
    async for record in records(kafka, topic_name(kafka, "alerts")):
        alert = alerts.decode(record.value)
        key = (alert.alert_id, alert.revision)
        if said.setdefault(key, record.value) != record.value:
            verdict.duplicate_alerts += 1
        known = live.get(alert.alert_id)
        if known is None or alerts.decode(known).revision < alert.revision:
            live[alert.alert_id] = record.value
    expected = {alerts.decode(line).alert_id: line for line in wanted}
    verdict.alerts = len(expected)
    for alert_id in sorted(set(live) | set(expected)):
        _judge(live.get(alert_id), expected.get(alert_id), verdict)


def _judge(live: bytes | None, expected: bytes | None, verdict: Verdict) -> None:
    if live == expected:
        return
    if as_of(alerts.decode(live or expected or b"")):
        verdict.as_of_differences += 1
    elif live is None:
        verdict.missed += 1
    elif expected is None:
        verdict.extra += 1
    else:
        verdict.different += 1
    if len(verdict.examples) < 10:  # noqa: PLR2004 (enough to start from)
        verdict.examples.append(f"live {live!r:.700} expected {expected!r:.700}")


def as_of(alert: Alert) -> bool:
    """Whether an alert comes from a part that looks at what was known 60 s before."""
    return alert.part != ""


def _ledger(path: Path) -> tuple[list[Place], dict[Place, bytes]]:
    sent: list[Place] = []
    bad: dict[Place, bytes] = {}
    for line in ledger.read(path):
        place = (line.partition or 0, line.offset or 0)
        if line.bad:
            bad[place] = base64.b64decode(line.bytes) if line.bytes is not None else b""
        else:
            sent.append(place)
    return sent, bad


def sealed(folder: Path) -> Counter[Place]:
    """How often each record of `logins` stands in sealed segments."""
    found: Counter[Place] = Counter()
    for seal in sorted((folder / "logins").glob("*/*/*.seal")):
        # The first line is the seal, the second its signature (docs/archive-format.md).
        said = msgspec.json.decode(seal.read_bytes().splitlines()[0])
        if said["file"] is None:  # rejects alone
            continue
        table = pq.read_table(seal.parent / said["file"]["name"], columns=["offset"])
        found.update((said["partition"], offset) for offset in table["offset"].to_pylist())
    return found


def _compare_archive(folder: Path, sent: set[Place], verdict: Verdict) -> None:
    kept = sealed(folder)
    verdict.archive_missing = len(sent - set(kept))
    verdict.archive_extra = sum(kept.values()) - len(sent & set(kept))


async def _compare_rejects(kafka: KafkaSettings, bad: dict[Place, bytes], verdict: Verdict) -> None:
    found: dict[Place, bytes] = {}
    async for record in records(kafka, topic_name(kafka, "logins.rejected")):
        headers = dict(record.headers)
        if headers.get("reason") == b"id_conflict":
            continue
        found[int(headers["partition"]), int(headers["offset"])] = record.value
    verdict.rejects_missing = len(set(bad) - set(found))
    verdict.rejects_extra = len(set(found) - set(bad))
    verdict.rejects_altered = sum(
        wire.bounded(bad[place])[0] != found[place] for place in set(bad) & set(found)
    )


async def _compare_judged(kafka: KafkaSettings, places: Iterable[Place], verdict: Verdict) -> None:
    read = 0
    covered = coverage.Coverage()
    async for record in records(kafka, topic_name(kafka, "judged")):
        batch = msgspec.json.decode(record.value)
        read += batch["read"]
        covered.add(batch["partition"], batch["first_offset"], batch["next_offset"])
        verdict.unbalanced += (
            batch["read"] != batch["judged"] + batch["duplicates"] + batch["rejected"]
        )
    verdict.redelivered = read - verdict.records
    verdict.unjudged = covered.missing(places)


async def _compare_verdicts(kafka: KafkaSettings, lines: list[bytes], verdict: Verdict) -> None:
    """What customers are told of a login: the gravest word counts, each word has one content."""
    live: dict[str, verdicts.Verdict] = {}
    said: dict[tuple[str, str], bytes] = {}
    async for record in records(kafka, topic_name(kafka, "verdicts")):
        one = verdicts.decode(record.value)
        if is_told(one.event_id):
            continue
        if said.setdefault((one.verdict_id, one.notice_risk), record.value) != record.value:
            verdict.duplicate_notices += 1
        live[one.verdict_id] = verdicts.joined(one, live.get(one.verdict_id))
    wanted = [verdicts.decode(line) for line in lines]
    risks = {one.event_id: one.notice_risk for one in wanted if one.notice_risk in _TOLD}
    told = {one.event_id: one.notice_risk for one in live.values() if one.notice_risk in _TOLD}
    grades = {None: 0, "ask": 1, "high": 2}
    for event_id in {*risks, *told}:
        wanted_grade, grade = grades[risks.get(event_id)], grades[told.get(event_id)]
        verdict.verdicts_missed += grade < wanted_grade
        verdict.verdicts_extra += grade > wanted_grade


async def _compare_notices(kafka: KafkaSettings, customers: Customers, verdict: Verdict) -> None:
    """Every verdict has one notice, every customer their messages, and nobody a second one."""
    wanted: set[str] = set()
    async for record in records(kafka, topic_name(kafka, "verdicts")):
        one = verdicts.decode(record.value)
        if one.notice_risk in _TOLD:
            wanted.add(one.verdict_id)
    book = notices.Book()
    async for record in records(kafka, topic_name(kafka, "notices")):
        book.add(record.value)
    got = customers.got()
    verdict.customers_told = customers.told
    verdict.notices_missed = book.missing(wanted) + got.lost
    verdict.duplicate_notices += book.doubled + got.doubled
    verdict.sms_doubled = got.sms_doubled


_TOLD = ("ask", "high")
"""The gravities of which a customer gets a message."""
