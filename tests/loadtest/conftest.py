"""Small runs of the simulator, in memory."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest

from loadtest.delivery import Tally
from loadtest.ledger import LedgerLine
from loadtest.profile import parse
from loadtest.run import Request, deliveries
from loadtest.to_file import write

MONDAY_MS = 1_794_758_400_000
"""2026-11-16 00:00 in Taipei, a Monday."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A run, whole."""

    raw: bytes
    ledger: list[LedgerLine]
    tally: Tally

    @property
    def lines(self) -> list[bytes]:
        """The records as lines."""
        return self.raw.split(b"\n")[:-1]


class Make:
    """Runs the simulator with a few options."""

    def request(self, profile: str = "A+G", **options: Any) -> Request:
        """A request with seed 1, on a Monday, 5,000 events where nothing else bounds it."""
        if not {"events", "rate", "duration_ms", "scale"} & set(options):
            options["events"] = 5_000
        return Request(shares=parse(profile), **{"seed": 1, "start_ms": MONDAY_MS} | options)

    def __call__(self, profile: str = "A+G", **options: Any) -> Made:
        """The run of such a request."""
        out, ledger = io.BytesIO(), io.BytesIO()
        tally = write(deliveries(self.request(profile, **options)), out, ledger)
        decode = msgspec.json.Decoder(LedgerLine).decode
        lines = [decode(line) for line in ledger.getvalue().splitlines()]
        return Made(raw=out.getvalue(), ledger=lines, tally=tally)


@pytest.fixture
def make() -> Make:
    """Give a maker of small runs."""
    return Make()


def addresses(made: Made, label: str) -> set[str]:
    """The addresses of all attacks, or of all customers."""
    return {line.ip for line in made.ledger if line.label == label and line.ip is not None}


def shared(made: Made) -> float:
    """The share of the attack's addresses that customers were seen on in the same run."""
    attack = addresses(made, "attack")
    return len(attack & addresses(made, "benign")) / len(attack)


def logins(made: Made) -> list[LedgerLine]:
    """The attack's attempts to log in, without what thieves did afterwards."""
    return [
        line
        for line in made.ledger
        if line.label == "attack" and not line.kind.startswith("thief_")
    ]
