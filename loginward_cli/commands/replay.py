"""`loginward replay`: judge files of events as the pipeline would, without network and clock."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from loginward_cli.output import emit_json, fail, note, progress, say
from loginward_cli.places import to_write

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from detectors.alerts import Alert
    from detectors.facts import Joiner
    from detectors.incidents import Incident
    from detectors.pseudonyms import Pseudonyms
    from detectors.verdicts import Verdict
    from stream.replay import Replayed

_NAMED = 20
"""Records that cannot be judged are named one by one up to here, then counted."""


def command(
    files: Annotated[list[Path], typer.Argument(help="Events, one JSON object a line.")],
    alerts: Annotated[Path, typer.Option(help="Where the alerts go, one a line.")],
    verdicts: Annotated[
        Path | None, typer.Option(help="Where goes what customers would be told, one login a line.")
    ] = None,
    incidents: Annotated[
        Path | None, typer.Option(help="Where the campaigns go, one a line.")
    ] = None,
    daily: Annotated[Path | None, typer.Option(help="Where the counts of each day go.")] = None,
    rules: Annotated[Path | None, typer.Option(help="Limits instead of config/rules.toml.")] = None,
    customers: Annotated[
        Path | None,
        typer.Option(
            help="Who is a customer: directory.folder, a file of it, or the CSV.", metavar="PATH"
        ),
    ] = None,
    geo: Annotated[
        Path | None,
        typer.Option(help="Where addresses lie: an MMDB file or a folder of them.", metavar="PATH"),
    ] = None,
    networks: Annotated[
        Path | None, typer.Option(help="Your proxies and AS numbers, as files.networks.")
    ] = None,
    intel: Annotated[
        Path | None,
        typer.Option(
            help="Threat intelligence: intel.folder, or a bulletin (STIX, MISP, CSV, text).",
            metavar="PATH",
        ),
    ] = None,
    systems: Annotated[
        Path | None,
        typer.Option(help="Register of core systems: which demand two factors.", metavar="FILE"),
    ] = None,
    timezone: Annotated[
        str, typer.Option(help="Whose days --daily counts.", metavar="TZ")
    ] = "Asia/Taipei",
    since: Annotated[
        str | None, typer.Option(help="Judge from this time on (RFC 3339).", metavar="TIME")
    ] = None,
    until: Annotated[
        str | None, typer.Option(help="Judge before this time (RFC 3339).", metavar="TIME")
    ] = None,
    reveal: Annotated[
        bool, typer.Option("--reveal", help="Accounts as typed instead of pseudonyms.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Counts as JSON in the last line.")] = False,
) -> None:
    """Judge files of events: the same engine, the same alerts as live; same input, same bytes.

    Facts come from the events and the files named here alone: without --customers, --geo and
    --intel nothing is looked up. Records that cannot be judged are named and no error. Example:
    loginward replay events.jsonl --alerts alerts.jsonl --daily daily.json --timezone UTC
    """
    import asyncio

    import msgspec

    from config.rules import load_rules
    from config.settings import load
    from detectors.daily import Daily
    from detectors.engine import Engine
    from detectors.events import LoginEvent
    from detectors.facts import facts_of
    from stream.keys import load_pseudonyms
    from stream.replay import replay

    zone = _zone(timezone)
    span = (_time("--since", since), _time("--until", until))
    for path in files:
        if not path.is_file():
            fail(f"{path}: no such file; name a file of events (see `loginward convert --help`)")
    to_write("--alerts", alerts)
    to_write("--verdicts", verdicts)
    to_write("--incidents", incidents)
    to_write("--daily", daily)
    names = load_pseudonyms(load())
    joiner = _facts(names, customers, geo, networks, intel, systems)
    engine = Engine(load_rules(rules).active(), names, joiner)
    counts = Daily(zone, timezone, joiner or facts_of)
    typed: dict[str, str] = {}

    def watch(event: LoginEvent) -> None:
        counts.add(event)
        if reveal and event.account is not None:
            typed[names.account(event.account)] = event.account

    with progress("judging") as advance:
        found = asyncio.run(
            replay(files, engine, since=span[0], until=span[1], watch=watch, progress=advance)
        )
    _name_rejected(found)
    _write_judged(found, typed, alerts, verdicts, incidents)
    if daily is not None:
        for alert in found.alerts:
            counts.add_alert(alert)
        text = msgspec.json.format(msgspec.json.encode({"days": counts.rows()}), indent=1)
        _write(daily, text + b"\n")
    told = {
        "read": found.read,
        "judged": found.judged,
        "duplicates": found.duplicates,
        "rejected": len(found.rejected),
        "alerts": len(found.alerts),
        "asked": sum(one.notice_risk in {"ask", "high"} for one in found.verdicts),
    }
    if json:
        emit_json(told)
    else:
        say(", ".join(f"{name} {number}" for name, number in told.items()))


def _facts(
    names: Pseudonyms,
    customers: Path | None,
    geo: Path | None,
    networks: Path | None,
    intel: Path | None,
    systems: Path | None,
) -> Joiner | None:
    """What the files named tell beside the events; None where none is named."""
    from datetime import UTC

    from config.intel.as_file import indicators_of
    from config.networks import load_networks
    from config.systems import load_systems
    from detectors.indicators import NO_INDICATORS
    from stream.directory import read_customers
    from stream.geo import open_geo
    from stream.lookups import InForce

    named = {
        "customers": customers,
        "geo": geo,
        "networks": networks,
        "intel": intel,
        "systems": systems,
    }
    for option, path in named.items():
        if path is not None and not path.exists():
            fail(f"--{option}: {path}: no such file or folder")
    if not any(named.values()):
        return None
    places = None if geo is None else open_geo(geo)
    if geo is not None and places is None:
        fail(f"--geo: {geo}: holds no MMDB file (*.mmdb)")
    now = datetime.now(tz=UTC)  # stands in no output: a list's age does not matter here
    return InForce(
        directory=None if customers is None else read_customers(customers, names, now=now),
        geo=places,
        networks=load_networks(networks),
        indicators=NO_INDICATORS if intel is None else indicators_of(intel),
        two_factors=frozenset() if systems is None else load_systems(systems).two_factors,
    )


def _line(alert: Alert, typed: dict[str, str]) -> bytes:
    from msgspec.structs import replace

    from detectors.alerts import encode

    if typed:
        about = alert.subject
        value = typed.get(about.value, about.value) if about.type == "account" else about.value
        accounts = [typed.get(name, name) for name in alert.accounts]
        summary = alert.summary.replace(about.value, value)
        alert = replace(
            alert, accounts=accounts, subject=replace(about, value=value), summary=summary
        )
    return encode(alert) + b"\n"


def _name_rejected(found: Replayed) -> None:
    for path, line, why in found.rejected[:_NAMED]:
        note(f"{path}:{line}: {why}")
    if len(found.rejected) > _NAMED:
        note(f"... and {len(found.rejected) - _NAMED} more records that cannot be judged")
    if found.rejected and not found.judged:
        note("none of them is an event: `loginward convert --help` makes events of other records")


def _write_judged(
    found: Replayed,
    typed: dict[str, str],
    alerts: Path,
    verdicts: Path | None,
    incidents: Path | None,
) -> None:
    """What was found, one line each; every file that was named is made, empty if need be."""
    _write(alerts, b"".join(_line(alert, typed) for alert in found.alerts))
    if verdicts is not None:
        _write(verdicts, b"".join(_verdict_line(one, typed) for one in found.verdicts))
    if incidents is not None:
        from detectors.incidents import incidents as together

        _write(incidents, b"".join(_incident_line(one, typed) for one in together(found.alerts)))


def _incident_line(incident: Incident, typed: dict[str, str]) -> bytes:
    from msgspec.structs import replace

    from detectors.incidents import encode

    def as_typed(names: list[str]) -> list[str]:
        return [typed.get(name, name) for name in names]

    told = replace(
        incident,
        accounts_hit=as_typed(incident.accounts_hit),
        accounts=as_typed(incident.accounts),
        hits=[replace(hit, account=typed.get(hit.account, hit.account)) for hit in incident.hits],
    )
    return encode(told) + b"\n"


def _verdict_line(verdict: Verdict, typed: dict[str, str]) -> bytes:
    from msgspec.structs import replace

    from detectors.verdicts import encode

    return encode(replace(verdict, account=typed.get(verdict.account, verdict.account))) + b"\n"


def _write(path: Path, content: bytes) -> None:
    """The file whole or not at all: a reader never meets half of it."""
    from config.files import whole_file

    with whole_file(path) as file:
        file.write(content)


def _zone(name: str) -> ZoneInfo:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        fail(f"--timezone: {name!r}: no such time zone; write Asia/Taipei or UTC")


def _time(option: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        fail(f"{option}: {text!r}: not a time; write 2026-11-22T09:00:00+08:00")
    if at.tzinfo is None:
        fail(f"{option}: {text!r}: has no offset; write 2026-11-22T09:00:00+08:00")
    return at
