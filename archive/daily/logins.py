"""One day's logins in a database: each identity once, with what is known of account and address.

The rules of counting are those of `detectors/daily.py`; a test holds the two equal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from archive.database import database_of
from archive.errors import ArchiveError
from archive.keys import ArchiveKeys
from detectors.daily import CANARY
from detectors.events import FUTURE_TOLERANCE, PAST_TOLERANCE

from .files import LoginFile
from .known import Known
from .span import HOUR_US, DaySpan

Place = tuple[str, int, int]
"""Topic id, partition, offset: the identity of a record."""

_US = FUTURE_TOLERANCE.resolution
# LoginEvent.judged_at, in SQL: the receiver's time where the emitter's clock is wrong.
_JUDGED = f"""CASE WHEN received_at IS NOT NULL AND (
    epoch_us(occurred_at) < epoch_us(received_at) - {PAST_TOLERANCE // _US}
    OR epoch_us(occurred_at) > epoch_us(received_at) + {FUTURE_TOLERANCE // _US})
  THEN epoch_us(received_at) ELSE epoch_us(occurred_at) END"""

_ARCHIVED = f"""
CREATE TEMP TABLE archived AS
SELECT topic_id, "partition" AS part, "offset" AS pos, {_JUDGED} AS judged_us,
  system, coalesce(source, system) AS emitter, event_id, action, outcome, reason,
  account_pseudonym AS account, account_encrypted, account_class, ip,
  origin_country, origin_asn, filename, epoch_ms(kafka_timestamp) AS appended_ms, seq,
  epoch_us(occurred_at) AS occurred_us
FROM read_parquet(?, filename = true, hive_partitioning = false)
WHERE {_JUDGED} >= ? AND {_JUDGED} < ?"""  # noqa: S608 (constants of this file)

# Detect keeps the first to arrive and names later ones with other content in `logins.rejected`;
# of those that say the same the first by time and place counts, as in replay.
_FIRST = """
CREATE TEMP TABLE first AS
SELECT archived.* FROM archived ANTI JOIN conflicts USING (topic_id, part, pos)
QUALIFY row_number() OVER (
  PARTITION BY emitter, event_id ORDER BY judged_us, topic_id, part, pos) = 1"""

_COUNTED = f"""
CREATE TEMP TABLE counted AS
SELECT f.*, (judged_us - ?) // {HOUR_US} AS hour, coalesce(f.account, '') AS who,
  CASE WHEN coalesce(p.proxy, false) THEN NULL ELSE f.ip END AS address,
  coalesce(f.origin_country, p.country) AS country, coalesce(f.origin_asn, p.asn) AS asn,
  (coalesce(reason = 'unknown_account', false)
   OR coalesce(account_class IN ('unknown', 'closed'), false)
   OR (account_class IS NULL AND s.account IS NOT NULL)) AS stranger
FROM first f LEFT JOIN places p USING (ip, emitter) LEFT JOIN strangers s USING (account)
WHERE action = 'login' AND system <> '{CANARY}'"""  # noqa: S608 (constants of this file)


@dataclass(frozen=True, slots=True, kw_only=True)
class DayLogins:
    """The open database of one day, with the tables archived, first and counted."""

    database: duckdb.DuckDBPyConnection

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """The answer to a statement (constants of this package alone), as dicts."""
        cursor = self.database.execute(statement, list(values))
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


@contextmanager
def day_logins(
    root: Path,
    span: DaySpan,
    files: Iterable[LoginFile],
    conflicts: Iterable[Place],
    known: Known,
    keys: ArchiveKeys | None,
) -> Iterator[DayLogins]:
    """The logins of `span` from `files` (those of other days are passed over).

    `conflicts` are records that detect refused since their identity had come with other content.
    Raises ArchiveError where `known` has a directory and `keys` is None.
    """
    by_path = {file.path: file for file in files if file.may_hold(span)}
    with database_of(list(by_path)) as database:
        day = DayLogins(database=database)
        if by_path:
            bounds = [span.start_us, span.end_us]
            _load(database, list(by_path), bounds)
        else:
            database.execute(_EMPTY)
        _register(database, "conflicts", _CONFLICTS, conflicts)
        database.execute(_FIRST)
        _register(database, "places", _PLACES, _places(day, known))
        strangers = known.strangers(_accounts(day), by_path, root, keys)
        _register(database, "strangers", _STRANGERS, ((name,) for name in strangers))
        database.execute(_COUNTED, [span.start_us])
        yield day


def _load(database: duckdb.DuckDBPyConnection, files: list[str], bounds: list[int]) -> None:
    try:
        database.execute(_ARCHIVED, [files, *bounds])
    except duckdb.Error as failure:
        why = str(failure).splitlines()[0]
        raise ArchiveError(
            f"the day's logins cannot be read: {why}; run `loginward archive verify`"
        ) from None


_EMPTY = """
CREATE TEMP TABLE archived (topic_id VARCHAR, part INTEGER, pos BIGINT, judged_us BIGINT,
  system VARCHAR, emitter VARCHAR, event_id VARCHAR, action VARCHAR, outcome VARCHAR,
  reason VARCHAR, account VARCHAR, account_encrypted BLOB, account_class VARCHAR, ip VARCHAR,
  origin_country VARCHAR, origin_asn UINTEGER, filename VARCHAR, appended_ms BIGINT, seq BIGINT,
  occurred_us BIGINT)"""

_CONFLICTS = pa.schema([("topic_id", pa.string()), ("part", pa.int32()), ("pos", pa.int64())])
_PLACES = pa.schema(
    [
        ("ip", pa.string()),
        ("emitter", pa.string()),
        ("proxy", pa.bool_()),
        ("country", pa.string()),
        ("asn", pa.uint32()),
    ]
)
_STRANGERS = pa.schema([("account", pa.string())])


def _register(
    database: duckdb.DuckDBPyConnection,
    name: str,
    schema: Any,
    rows: Iterable[tuple[Any, ...]],
) -> None:
    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    arrays = [pa.array(cells, of.type) for cells, of in zip(columns, schema, strict=True)]
    database.register(name, pa.table(arrays, schema=schema))


def _accounts(day: DayLogins) -> Iterator[tuple[str, bytes, str]]:
    """Accounts of whom the event does not say what they are."""
    asked = """
        SELECT account, arg_min(account_encrypted, filename) AS cell, min(filename) AS path
        FROM first
        WHERE account IS NOT NULL AND account_class IS NULL AND account_encrypted IS NOT NULL
          AND coalesce(reason <> 'unknown_account', true)
        GROUP BY account ORDER BY account"""
    for row in day.rows(asked):
        yield row["account"], row["cell"], row["path"]


def _places(day: DayLogins, known: Known) -> Iterator[tuple[Any, ...]]:
    for row in day.rows("SELECT DISTINCT ip, emitter FROM first WHERE ip IS NOT NULL"):
        ip, emitter = row["ip"], row["emitter"]
        proxy = known.networks.is_proxy(emitter, ip)
        place = None if proxy else known.place(ip)
        yield (
            ip,
            emitter,
            proxy,
            None if place is None else place.country,
            None if place is None else place.asn,
        )
