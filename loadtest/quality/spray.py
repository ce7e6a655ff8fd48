"""The public log of a password spray with one hit (o365spray): is the account that was hit named?

It lies beside the hub tests. The peer's bucket on such a log is 6 failures within 10 s; ours has to
name the account, too, which no bucket does.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any, Final

import msgspec

from . import said
from .hub import rules, wire
from .hub_tests import HubTest, Point
from .trial import OPTIONAL, replay, supported

FOLDER: Final = "o365spray-otrf"
_BUCKET: Final = Point(6, 10_000)
_LIVE: Final = (
    '[success_after_attack]\nmode = "live"\nowner = "quality"\nreason = "the hit account"\n'
)


class Spray(msgspec.Struct, frozen=True, kw_only=True):
    """The accounts with a success in the log, and those of them that were named as hit."""

    hit: list[str]
    named: list[str]


def measure(hub: Path) -> Spray | None:
    """The spray beside the folder of the hub tests; None where it does not lie there."""
    path = hub.resolve().parent / FOLDER / "events.jsonl"
    if not path.is_file():
        return None
    with path.open(encoding="utf-8") as file:
        return judged([json.loads(line) for line in file])


def judged(events: list[dict[str, Any]]) -> Spray:
    """Judge a log in which every attempt is the attacker's."""
    hit = sorted({event["user"] for event in events if event["outcome"] == "success"})
    test = HubTest(
        name=FOLDER, events=events, must=frozenset(), must_not=frozenset(), failures=(_BUCKET,)
    )
    with tempfile.TemporaryDirectory(prefix="loginward-spray-") as name:
        folder = Path(name)
        (folder / "rules.toml").write_text(rules(test) + _LIVE, encoding="utf-8")
        lines = "".join(json.dumps(wire(n, event)) + "\n" for n, event in enumerate(events))
        (folder / "events.jsonl").write_text(lines, encoding="utf-8")
        outputs = replay(
            folder,
            folder / "events.jsonl",
            supported(),
            "--rules",
            str(folder / "rules.toml"),
        )
        alerts = outputs["--alerts"]
        told = said.read(alerts, *(outputs[one] for one in OPTIONAL)) if alerts else said.Said([])
    named = {
        account
        for one in told.alerts
        if one.rule == "success_after_attack"
        for account in one.accounts
    }
    named |= {account for one in told.incidents or () for account in one.accounts_hit}
    return Spray(hit=hit, named=[account for account in hit if account in named])


def told(spray: Spray) -> str:
    """One line for people."""
    return (
        f"o365spray, a spray on a cloud's mailboxes: it got into {len(spray.hit)} account, "
        f"{len(spray.named)} of them named as hit"
    )
