"""`intel export`: addresses that attacked us, for F-ISAC and the exchange."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from detectors.errors import escaped
from loginward_cli.output import emit_json, fail, say
from loginward_cli.places import to_write
from loginward_cli.rules.common import Json

from .common import By, Reason, counted, hand, keep, known

if TYPE_CHECKING:
    from datetime import datetime

    from config.intel.indicator import Tlp
    from config.settings import Settings
    from detectors.alerts import Alert


def export(
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write.")],
    by: By,
    reason: Reason,
    kind: Annotated[
        Literal["stix", "csv"], typer.Option("--format", help="A STIX 2.1 bundle, or CSV.")
    ] = "stix",
    tlp: Annotated[str, typer.Option(help="Who may be told; never red.", metavar="TLP")] = "amber",
    days: Annotated[int, typer.Option(min=1, max=3650, help="Seen within so many days.")] = 30,
    alerts: Annotated[
        Path | None, typer.Option(help="Alerts of a replay instead of the archive's.")
    ] = None,
    json: Json = False,
) -> None:
    """Write the addresses that turned bad here, without anything about customers.

    Only addresses, times, detections and techniques are written; what is ours, shared by many or
    named by a TLP:RED bulletin is held back. The ledger keeps who shared what. Example:
    loginward intel export -o ours.json --by amy --reason "F-ISAC, approved by Lin"
    """
    from config.files import whole_file
    from config.intel.bulletins import content_of, screen_of
    from config.intel.records import Exported
    from config.intel.sharing import shared, written
    from config.intel.store import folder_of
    from config.settings import load

    # First of all: what the ledger says was shared must not fail to be written.
    to_write("--output", output)
    marked, who, settings, told = _tlp(tlp), hand(by, reason), load(), known()
    since = who.now - timedelta(days=days)
    found = shared(
        _alerts(settings, alerts, since),
        told,
        screen_of(settings, told, who.now),
        since=since,
        until=who.now + timedelta(days=1),
    )
    data = written(found.bad, kind, marked)
    record = Exported(
        format=kind,
        tlp=marked,
        indicators=len(found.bad),
        withheld=dict(found.withheld),
        content=content_of(data),
    )
    keep(folder_of(settings), record, who)
    with whole_file(output) as file:
        file.write(data)
    if json:
        emit_json(record)
    else:
        say(f"{output}: {record.indicators:,} addresses, TLP:{marked.upper()}, {kind}")
        if found.withheld:
            say(f"  held back: {counted(found.withheld)}")


def _alerts(settings: Settings, file: Path | None, since: datetime) -> list[Alert]:
    from archive.told import archived_alerts, newest

    if file is None:
        root = settings.archive.directory
        if not root.is_dir():
            fail(f"archive.directory: {root}: no such folder; or name alerts with --alerts")
        return archived_alerts(root, since)
    if not file.is_file():
        fail(f"--alerts: {file}: no such file; `loginward replay` writes one")
    with file.open("rb") as lines:
        found = newest(line for line in lines)
    if not found and file.stat().st_size:
        fail(f"--alerts: {file}: holds no alert; `loginward replay` writes them")
    return found


def _tlp(text: str) -> Tlp:
    from config.intel.indicator import TLPS, tlp_of

    found = tlp_of(text)
    if found is None or found == "red":
        fail(f"--tlp: '{escaped(text, 30)}': write one of {', '.join(TLPS[:-1])}; red never leaves")
    return found
