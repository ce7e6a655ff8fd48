"""Ledgers for tests: decisions at minutes after NOON, by people who are only a name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from config.governance.ledger import Decide, append
from config.governance.records import Adopted, Line, What

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
ONE, TWO, THREE = ("1" * 64, "2" * 64, "3" * 64)


def at(minutes: float) -> datetime:
    """NOON plus `minutes`."""
    return NOON + timedelta(minutes=minutes)


def say(folder: Path, what: What | Decide, by: str = "alice", minutes: float = 0) -> Line:
    """One more line of the ledger in `folder`."""
    decide: Any = what if callable(what) else lambda _: what
    return append(folder, decide, by=by, login="test", reason="because", now=at(minutes))


def adopted(rules: str, base: str, **fields: Any) -> Adopted:
    """A proposal of the rule book with this hash."""
    return Adopted(rules=rules, base=base, differences=["ip_fail_burst.mode: a -> b"], **fields)
