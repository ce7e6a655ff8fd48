"""`intel list | show | ledger`: what is in force, where it comes from, what it has hit."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from ipaddress import ip_network
from typing import TYPE_CHECKING, Annotated, Any

import typer

from detectors.errors import LoginwardError
from loginward_cli.output import columns, done, emit_json, fail, note, say
from loginward_cli.rules.common import Json, moment, utc_now, when

from .common import counted, known

if TYPE_CHECKING:
    from config.intel.records import Line, Received
    from config.intel.store import Entry, Told


def list_indicators(
    at: Annotated[
        str | None, typer.Option(help="In force at this time instead of now.", metavar="TIME")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Indicators at most.")] = 1000,
    json: Annotated[bool, typer.Option("--json", help="One JSON object an indicator.")] = False,
) -> None:
    """List the indicators in force, by address.

    Example: loginward intel list --at 2026-11-22T09:00:00+08:00
    """
    from detectors.events import milliseconds

    told = known()
    bulletins = told.bulletins()
    now_ms = milliseconds(utc_now() if at is None else moment("--at", at))
    held = [one for one in told.entries if one.since_ms <= now_ms < one.until_ms]
    held.sort(key=_by_address)
    for one in held[:limit] if json else ():
        emit_json(_entry(bulletins, one))
    if not json:
        columns((_cells(bulletins, one) for one in held[:limit]), _HEADER)
        coming = sum(now_ms < one.since_ms < one.until_ms for one in told.entries)
        say(f"{len(held):,} indicators in force, {coming:,} to come")
    if len(held) > limit:
        note(f"{len(held) - limit:,} more; --limit says how many are shown")


def show(
    name: Annotated[str, typer.Argument(metavar="B3|ADDRESS", help="A bulletin or an address.")],
    json: Json = False,
) -> None:
    """Show a bulletin with all that became of it, or what was ever said of an address.

    Example: loginward intel show 203.0.113.7
    """
    told = known()
    bulletins = told.bulletins()
    if name in bulletins:
        _show_bulletin(told, name, json=json)
        return
    try:
        from config.intel.indicator import network_of

        wanted = network_of(name)
    except LoginwardError as failure:
        fail(f"{failure}, or a bulletin as `loginward intel ledger` names it: B3")
    from config.intel.screening import Ranges

    asked = Ranges([wanted])
    held = [one for one in told.entries if asked.touch(ip_network(one.indicator.network))]
    held.sort(key=_by_address)
    if json:
        emit_json({"asked": str(wanted), "indicators": [_entry(bulletins, one) for one in held]})
        return
    columns((_cells(bulletins, one) for one in held), _HEADER)
    if not held:
        say(f"{wanted}: no bulletin ever named it")


def ledger(json: Json = False) -> None:
    """List every bulletin: received, applied, in force, hits; oldest first.

    Hits are those of its last hunt (`loginward intel hunt`). Exit code 1: the ledger is damaged.
    Example: loginward intel ledger
    """
    told = known()
    held = _in_force(told)
    rows = [_row(told, line, what, held) for line, what in told.bulletins().values()]
    if json:
        emit_json({"head": told.ledger.head, "damage": list(told.troubles), "bulletins": rows})
        done(findings=bool(told.troubles))
    columns(
        (
            (
                row["bulletin"], row["received"], row["by"], row["source"], row["tlp"],
                f"{row['applied']:,}", f"{row['in_force']:,}", row["revoked"] or "-",
                *_hits(row["hunt"]),
            )
            for row in rows
        ),
        ("ID", "RECEIVED", "BY", "SOURCE", "TLP", "APPLIED", "IN FORCE", "REVOKED",
         "HITS", "JUDGED", "FIRST", "LAST", "HUNTED"),
    )  # fmt: skip
    say(f"{len(rows):,} bulletins, head of the ledger {told.ledger.head[:16]}")
    done(findings=bool(told.troubles))


_HEADER = ("ADDRESS", "SINCE", "UNTIL", "BULLETIN", "TLP", "SURE", "SOURCE", "NAME")


Bulletins = dict[str, tuple["Line", "Received"]]


def _cells(bulletins: Bulletins, one: Entry) -> tuple[str, ...]:
    said = _entry(bulletins, one)
    sure = "-" if said["confidence"] is None else str(said["confidence"])
    return (
        said["network"], said["since"], said["until"], said["bulletin"], said["tlp"], sure,
        said["source"], said["name"],
    )  # fmt: skip


def _entry(bulletins: Bulletins, one: Entry) -> dict[str, Any]:
    from config.intel.indicator import gravest
    from detectors.events import instant

    _, what = bulletins[one.bulletin]
    never = one.until_ms <= one.since_ms
    return {
        "network": one.indicator.network,
        "since": "never" if never else when(instant(one.since_ms)),
        "until": "never" if never else when(instant(one.until_ms)),
        "bulletin": one.bulletin,
        "tlp": gravest([one.indicator.tlp, what.tlp]),
        "confidence": one.indicator.confidence,
        "source": what.source,
        "name": one.indicator.name,
        "id": one.indicator.id,
    }


def _by_address(one: Entry) -> tuple[int, int, int]:
    network = ip_network(one.indicator.network)
    return network.version, int(network.network_address), one.since_ms


def _show_bulletin(told: Told, name: str, *, json: bool) -> None:
    line, what = told.bulletins()[name]
    row = _row(told, line, what, _in_force(told))
    row |= {"skipped": what.skipped, "ignored": what.ignored, "bad": what.bad}
    row["history"] = [_step(one) for one in told.ledger.lines if _about(one, name)]
    if json:
        emit_json(row)
        return
    say(f"{name}  {what.source}  {what.title}")
    say(f"  received {row['received']} by {line.by}, {what.format}, TLP:{row['tlp'].upper()}")
    say(f"  content sha256 {what.content}")
    say(f"  applied {what.applied:,}, in force now {row['in_force']:,}")
    say(f"  left out: {counted(what.skipped) or 'none'}")
    say(f"  says nothing about an address: {counted(what.ignored) or 'none'}")
    say(f"  could not be read: {what.bad:,}")
    for step in row["history"]:
        say(f"  {step['at']}  {step['what']}  by {step['by']}  {step['reason']}")


def _in_force(told: Told) -> Counter[str]:
    """How many indicators of each bulletin judge now."""
    from detectors.events import milliseconds

    now_ms = milliseconds(utc_now())
    return Counter(one.bulletin for one in told.entries if one.since_ms <= now_ms < one.until_ms)


def _row(told: Told, line: Line, what: Received, held: Counter[str]) -> dict[str, Any]:
    from config.intel.records import Hunted, Revoked

    after = told.ledger.lines[line.number :]
    hunts = [one.what for one in after if isinstance(one.what, Hunted) and _about(one, line.id)]
    revoked = [
        when(one.at)
        for one in after
        if isinstance(one.what, Revoked) and _about(one, line.id) and not one.what.networks
    ]
    return {
        "bulletin": line.id,
        "received": when(line.at),
        "by": line.by,
        "source": what.source,
        "title": what.title,
        "tlp": what.tlp,
        "applied": what.applied,
        "in_force": held[line.id],
        "revoked": revoked[-1] if revoked else None,
        "hunt": _hunt(hunts[-1]) if hunts else None,
    }


def _hunt(what: Any) -> dict[str, Any]:
    return {
        "hits": what.logins,
        "successes": what.successes,
        "addresses": what.addresses,
        "judged": what.judged,
        "first": _optional(what.first),
        "last": _optional(what.last),
        "since": when(what.since),
        "until": when(what.until),
    }


def _hits(hunt: dict[str, Any] | None) -> tuple[str, ...]:
    if hunt is None:
        return ("-", "-", "-", "-", "never")
    return (
        f"{hunt['hits']:,}", f"{hunt['judged']:,}", hunt["first"] or "-", hunt["last"] or "-",
        hunt["until"],
    )  # fmt: skip


def _optional(time: datetime | None) -> str | None:
    return None if time is None else when(time)


def _about(line: Line, name: str) -> bool:
    return line.id == name or getattr(line.what, "bulletin", None) == name


def _step(line: Line) -> dict[str, Any]:
    return {
        "at": when(line.at),
        "what": type(line.what).__name__.lower(),
        "by": line.by,
        "reason": line.reason,
    }
