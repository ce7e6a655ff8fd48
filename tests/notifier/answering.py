"""A clock, notices and links for tests of what a customer answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from notifier import tokens
from notifier.answers import Answers
from notifier.ledger import Ledger, Notice
from tests.notifier.made import NOON, notice

PHONE = "+886900000123"
DIGITS = "123"


@dataclass(slots=True)
class Clock:
    """Stands still until told."""

    at: datetime = NOON

    def __call__(self) -> datetime:
        """Give the time."""
        return self.at

    def advance(self, **span: float) -> None:
        """Go on, e.g. by hours=24."""
        self.at += timedelta(**span)


@dataclass(slots=True)
class Asked:
    """A ledger, the answers it takes, and notices with links in it."""

    ledger: Ledger
    clock: Clock = field(default_factory=Clock)
    made: int = 0

    @property
    def answers(self) -> Answers:
        """What takes answers."""
        return Answers(ledger=self.ledger, now=self.clock)

    def notice(self, **changed: Any) -> Notice:
        """A notice of its own."""
        self.made += 1
        return notice(self.ledger, self.made, **({"at": self.clock()} | changed))

    def link(self, about: Notice | None = None, phone: str | None = PHONE, **options: Any) -> str:
        """A token of a notice (a new one), answered by typing 123."""
        told = about or self.notice()
        return tokens.issue(self.ledger, told, phone=phone, now=self.clock(), **options)

    def outbox(self, topic: str) -> list[bytes]:
        """What waits for a topic of Kafka."""
        return [row.value for row in self.ledger.outgoing(100_000) if row.topic == topic]
