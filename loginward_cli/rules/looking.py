"""`rules list | show | history | export`: what is in force, since when, and who decided it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from loginward_cli.output import columns, done, emit_json, fail, say
from loginward_cli.places import to_write

from .common import Json, moment, utc_now, when

if TYPE_CHECKING:
    from config.governance.books import Governed
    from config.rule_book import Entry
    from detectors.rule import Rule

At = Annotated[
    str | None, typer.Option("--at", help="As in force at this time (RFC 3339).", metavar="TIME")
]


def list_rules(at: At = None, json: Json = False) -> None:
    """List every detection with mode, version, owner and limits; name what is owed.

    Exit code 1: an emergency change or a mute was not approved within 24 hours, or the ledger is
    damaged. Example: loginward rules list --at 2026-11-01T09:00:00+08:00
    """
    from config.governance.owed import owed
    from detectors.rules import RULES

    now, known = utc_now(), _governed()
    time = now if at is None else moment("--at", at)
    rows = [_facts(known, rule, time) for rule in RULES]
    wanting = owed(known, now)
    if json:
        emit_json({"at": when(time), "rules": rows, "book": known.version, "owed": wanting.texts})
    else:
        shown = ("id", "mode", "version", "owner", "checklist_item", "since")
        table = [
            [*(str(row[key]) for key in shown), ",".join(row["attack_ids"]), _spoken(row["limits"])]
            for row in rows
        ]
        columns(table, ["ID", "MODE", "VERSION", "OWNER", "ITEM", "SINCE", "ATTACK", "LIMITS"])
        for text in wanting.texts:
            say(text)
    done(findings=wanting.grave)


def show(
    rule: Annotated[str, typer.Argument(metavar="ID", help="The detection.")],
    at: At = None,
    json: Json = False,
) -> None:
    """Say everything of one detection: limits and defaults, reason, gaps, runbook in two languages.

    Example: loginward rules show ip_fail_burst
    """
    from .runbook import runbook

    found, known = _rule(rule), _governed()
    time = utc_now() if at is None else moment("--at", at)
    facts = _facts(known, found, time) | {"defaults": _limits(found.limits())}
    facts |= {"title": found.title, "known_gaps": list(found.known_gaps)}
    facts["periods"] = [_period(entry) for entry in known.book.periods(rule)]
    book = runbook(rule)
    if json:
        emit_json(facts | {"runbook": book.place, "meaning": book.meanings})
        return
    say(f"{rule}: {found.title}")
    for key in ("mode", "version", "since", "owner", "reason"):
        say(f"  {key:9} {facts[key]}")
    say(f"  {'serves':9} item {found.checklist_item}; {', '.join(found.attack_ids)}")
    say(f"  {'quiet':9} {facts['quiet']}: one alert a subject in this time")
    for name, value in facts["limits"].items():
        default = facts["defaults"].get(name)
        say(f"  limit     {name} = {value}" + ("" if value == default else f" (default {default})"))
    for gap in found.known_gaps:
        say(f"  gap       {gap}")
    say(f"  runbook   {book.place}")
    for text in book.meanings.values():
        for line in text.split("\n"):
            say(f"            {line}")


def history(
    rule: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="Only what concerns this detection.")
    ] = None,
    json: Json = False,
) -> None:
    """Say who changed, muted or allowed what, when, why, and who approved it; oldest first.

    Exit code 1: the ledger is damaged. Example: loginward rules history ip_fail_burst
    """
    from .told import told

    if rule is not None:
        _rule(rule)
    known = _governed()
    rows = [row for row in told(known, utc_now()) if rule is None or row.concerns(rule)]
    if json:
        head = {"head": known.ledger.head, "damage": known.ledger.damage}
        emit_json({"history": [row.facts() for row in rows]} | head)
    else:
        for row in rows:
            say(row.text)
        if not rows:
            say("nothing was decided here" + ("" if rule is None else f" about {rule}"))
        say(f"{len(known.ledger.lines)} lines, head {known.ledger.head[:16]}")
        for trouble in known.troubles:
            say(f"MEND {trouble}")
    done(findings=bool(known.troubles))


def export(
    output: Annotated[Path, typer.Option("-o", "--output", help="The file.", metavar="FILE")],
) -> None:
    """Write the rule book in force with all its periods as one rules.toml.

    `replay --rules FILE` then judges any day by what was in force on it. Example:
    loginward rules export -o rules-all.toml
    """
    from config.files import whole_file
    from config.governance.exported import as_toml

    to_write("--output", output)
    known = _governed()
    text = as_toml(known.book, f"The rule book with its periods, version {known.version}.")
    with whole_file(output) as file:
        file.write(text.encode())
    say(f"{output}: {len(known.book.entries)} detections, {len(known.spells)} changes")


def _governed() -> Governed:
    from config.governance.books import governed
    from config.settings import load

    return governed(load())


def _rule(name: str) -> Rule:
    from difflib import get_close_matches

    from detectors.rules import RULES

    known = {rule.id: rule for rule in RULES}
    if name not in known:
        near = get_close_matches(name, known, n=1)
        fail(
            f"{name}: is no detection; "
            + (f"did you mean {near[0]}?" if near else "see `loginward rules list`")
        )
    return known[name]


def _facts(known: Governed, rule: Rule, time: datetime) -> dict[str, Any]:
    from config.durations import written

    book = known.book
    entry = book.at(time).entries[rule.id]
    since = [e.effective for e in book.periods(rule.id) if e.effective and e.effective <= time]
    return {
        "id": rule.id,
        "mode": entry.mode,
        "version": book.version_at(rule, time),
        "owner": entry.owner,
        "reason": entry.reason,
        "since": when(since[-1]) if since else "ever",
        "quiet": written(entry.quiet),
        "limits": _limits(entry.limits),
        "checklist_item": rule.checklist_item,
        "attack_ids": list(rule.attack_ids),
    }


def _period(entry: Entry) -> dict[str, Any]:
    since = None if entry.effective is None else when(entry.effective)
    return {"since": since, "mode": entry.mode, "limits": _limits(entry.limits)}


def _limits(limits: object) -> dict[str, str]:
    from config.rules import told

    return told(limits)


def _spoken(limits: dict[str, str]) -> str:
    return " ".join(f"{name}={value}" for name, value in limits.items())
