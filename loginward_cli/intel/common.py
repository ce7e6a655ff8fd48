"""What every part of `loginward intel` needs: who does it, and the troubles of the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from loginward_cli.output import note
from loginward_cli.rules.common import login_name, utc_now

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from config.intel.bulletins import Hand
    from config.intel.records import What
    from config.intel.store import Told

By = Annotated[str, typer.Option(help="Who does this; it stands in the ledger.", metavar="NAME")]
Reason = Annotated[str, typer.Option(help="Why; it stands in the ledger.", metavar="TEXT")]


def hand(by: str, reason: str) -> Hand:
    """Who does it, checked, and the one clock of these commands."""
    from config.governance.people import checked
    from config.intel.bulletins import Hand

    said = checked("--reason", reason) if reason else ""
    return Hand(by=checked("--by", by), login=login_name(), reason=said, now=utc_now())


def known() -> Told:
    """What the ledger tells; damage is said on stderr."""
    from config.intel.store import folder_of, told
    from config.settings import load

    found = told(folder_of(load()))
    for trouble in found.troubles:
        note(f"warning: {trouble}")
    return found


def keep(folder: Path, what: What, who: Hand) -> None:
    """One more line of the ledger."""
    from config.intel.store import append

    append(folder, lambda _: what, by=who.by, login=who.login, reason=who.reason, now=who.now)


def counted(counts: Mapping[str, int]) -> str:
    """`private or reserved 2, our own 1`."""
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())
