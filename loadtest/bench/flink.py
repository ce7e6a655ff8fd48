"""Contender `flink`: Flink SQL with one query over the same topic, where detect judges them all.

Failures, distinct accounts and unknown names of each address in a window of two minutes that hops
by ten seconds, by Flink's own SQL client in one process: job manager and two task slots. What it
finds goes nowhere (`blackhole`), and nothing is kept for a restart: no checkpoint, no state on a
disk. That is Flink at its quickest.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from .contender import Contender, Course, Start
from .flink_setup import Flink
from .report import Span

_OPENED = (
    *("java.lang", "java.net", "java.io", "java.nio", "sun.nio.ch", "java.lang.reflect"),
    *("java.text", "java.time", "java.util", "java.util.concurrent"),
    *("java.util.concurrent.atomic", "java.util.concurrent.locks"),
)
"""What Flink's own start scripts open to it."""

_CONFIG = """\
execution.target: local
parallelism.default: 2
taskmanager.numberOfTaskSlots: 2
taskmanager.memory.managed.size: 256m
pipeline.object-reuse: true
client.timeout: 10 min
rest.connection-timeout: 120000
rest.idleness-timeout: 600000
pekko.ask.timeout: 5 min
heartbeat.timeout: 300000
io.tmp.dirs: {folder}
"""
_GRACE_S = 300.0
"""It reads to the end however long that takes, and starts in 10 s, on a busy machine in 90."""

# The timeouts: a busy machine is slow to start it, and no failure.
_LOGGING = """\
rootLogger.level = INFO
rootLogger.appenderRef.file.ref = File
appender.file.type = File
appender.file.name = File
appender.file.fileName = {log}
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d{{yyyy-MM-dd'T'HH:mm:ss.SSS'Z'}}{{UTC}} %m%n
"""
# Mini-batches as Flink's documentation advises for aggregations under load.
_SQL = """\
SET 'table.dml-sync' = 'true';
SET 'table.exec.source.idle-timeout' = '2 s';
SET 'table.exec.mini-batch.enabled' = 'true';
SET 'table.exec.mini-batch.allow-latency' = '200 ms';
SET 'table.exec.mini-batch.size' = '5000';
CREATE TABLE logins (
  account STRING, ip STRING, outcome STRING, reason STRING, occurred_at TIMESTAMP_LTZ(3),
  WATERMARK FOR occurred_at AS occurred_at - INTERVAL '5' SECOND
) WITH (
  'connector' = 'kafka', 'topic' = '{topic}', 'properties.bootstrap.servers' = '{bootstrap}',
  'properties.group.id' = 'flink', 'scan.startup.mode' = 'earliest-offset',
  'scan.bounded.mode' = 'latest-offset', 'format' = 'json',
  'json.timestamp-format.standard' = 'ISO-8601'
);
CREATE TABLE found (ip STRING, ends TIMESTAMP_LTZ(3), failures BIGINT, accounts BIGINT,
  strangers BIGINT) WITH ('connector' = 'blackhole');
INSERT INTO found
SELECT ip, window_end, COUNT(*), COUNT(DISTINCT account),
  SUM(CASE WHEN reason = 'unknown_account' THEN 1 ELSE 0 END)
FROM TABLE(HOP(TABLE logins, DESCRIPTOR(occurred_at), INTERVAL '10' SECOND, INTERVAL '2' MINUTE))
WHERE outcome = 'failure'
GROUP BY ip, window_start, window_end
HAVING COUNT(*) >= 5;
"""


def contender(have: Callable[[], Flink]) -> Contender:
    """Flink as a contender; `have` gives it, or raises LoginwardError with the reason."""
    return Contender(
        name="flink",
        title="Flink SQL 2.2, one windowed query, nothing kept, nothing written",
        start=lambda course: _start(course, have()),
        prepare=have,
    )


def _start(course: Course, flink: Flink) -> Start:
    """Write what the client reads; a log of its own for each run."""
    folder = course.folder
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "flink-job.log"
    log.unlink(missing_ok=True)
    (folder / "config.yaml").write_text(_CONFIG.format(folder=folder))
    (folder / "log4j2.properties").write_text(_LOGGING.format(log=log))
    bootstrap = course.settings.kafka.bootstrap
    sql = folder / "query.sql"
    sql.write_text(_SQL.format(topic=course.topic, bootstrap=bootstrap))
    opened = [f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in _OPENED]
    return Start(
        command=[
            str(flink.java),
            "-Xmx2g",
            *opened,
            f"-Dlog4j2.configurationFile={folder / 'log4j2.properties'}",
            f"-Duser.home={folder}",  # where its client keeps a history
            "-cp",
            ":".join(map(str, flink.jars)),
            *("org.apache.flink.table.client.SqlClient", "embedded", "-f", str(sql)),
        ],
        grace_s=_GRACE_S,
        environ={"FLINK_CONF_DIR": str(folder)},
        spy=JobLog(log, course.events),
    )


class JobLog:
    """Learns from Flink's log when the query ran: from its first source to its end.

    The start of Java, of Flink's services and of the planner is left out, as that of Python is.
    """

    _STATE = re.compile(r"^(\S+)Z .* switched from (?:state )?(\w+) to (\w+)")

    def __init__(self, log: Path, events: int) -> None:
        self._log = log
        self._events = events
        self._read = 0
        self._began: float | None = None

    def look(self) -> Span | None:
        """Read what is new; the span once the job has finished."""
        if not self._log.exists():
            return None
        with self._log.open("rb") as lines:
            lines.seek(self._read)
            for raw in lines:
                if not raw.endswith(b"\n"):
                    break
                self._read += len(raw)
                if (ended := self._took(raw.decode("utf-8", "replace"))) is not None:
                    return ended
        return None

    def close(self) -> None:
        """Nothing is held."""

    def _took(self, line: str) -> Span | None:
        switched = self._STATE.match(line)
        if switched is None:
            return None
        at = datetime.fromisoformat(switched[1]).replace(tzinfo=UTC).timestamp()
        source, state = "Source:" in line, switched[3]
        if source and state == "RUNNING" and self._began is None:
            self._began = at
        if self._began is None or source or "Job " not in line or state != "FINISHED":
            return None
        return Span(events=self._events, began=self._began, ended=at)
