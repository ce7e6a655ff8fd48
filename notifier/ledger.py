"""The notice ledger: who was told what of which login, what they answered, what is still to do.

SQLite in WAL mode. States go forward only, and every transition is written in one transaction with
the record for Kafka that tells of it: a kill at any moment leaves both or neither. Several
processes (the notifier, the answer page, the desk) may open the same file on one machine.
"""

from __future__ import annotations

from .ledger_checks import Checks, TypedCheck
from .ledger_records import FoundToken, Notice, Send, Task
from .ledger_sends import Sends
from .ledger_store import Outgoing

__all__ = ["FoundToken", "Ledger", "Notice", "Outgoing", "Send", "Task", "TypedCheck"]


class Ledger(Checks, Sends):
    """All of it: notices, answers, tokens and their checks, tasks, sends, outbox."""
