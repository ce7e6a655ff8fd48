"""`loginward alerts`: what stands in the SOC's queue, who has it in hand, who is on duty."""

from __future__ import annotations

import getpass
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from detectors.errors import escaped
from loginward_cli.output import columns, emit_json, fail, say

if TYPE_CHECKING:
    import sqlite3

    from config.roster import Roster
    from config.settings import Settings
    from notifier.soc.desk import Listed
    from notifier.soc.item import Item

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="List, show and acknowledge alerts; who is on duty, what is undelivered.",
)

Json = Annotated[bool, typer.Option("--json", help="As JSON, last line.")]


class Severity(StrEnum):
    """From which on alerts are listed."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


@app.command("list")
def list_(
    severity: Annotated[Severity, typer.Option(help="This and graver ones.")] = Severity.LOW,
    unanswered: Annotated[
        bool, typer.Option("--open", help="Only what nobody has acknowledged.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="The newest so many.")] = 50,
    json: Json = False,
) -> None:
    """List the newest alerts, with who has them and what is still undelivered.

    Example: loginward alerts list --open --severity high
    """
    import msgspec

    from notifier.soc import desk

    with _opened() as (_, store):
        found = desk.listed(store, severity=severity.value, open_only=unanswered, limit=limit)
        owed = desk.outputs(store)
    if json:
        emit_json(
            {
                "alerts": msgspec.to_builtins(found),
                "outputs": [
                    {"output": name, "waiting": count, "since": since}
                    for name, count, since in owed
                ],
            }
        )
        return
    columns(
        [_row(one) for one in found],
        ("ID", "SEVERITY", "RULE", "SUBJECT", "OPENED", "ACKNOWLEDGED BY", "UNDELIVERED"),
    )
    for name, count, since in owed:
        if count and since is not None:
            say(f"{name}: {count:,} alerts wait, the oldest since {_time(since)}")


@app.command()
def show(
    alert: Annotated[str, typer.Argument(help="The id, or its first 8 digits.")],
    json: Json = False,
) -> None:
    """Show one alert: what it says, who was paged over what, who acknowledged.

    Example: loginward alerts show 1f0c9a44
    """
    import msgspec

    from notifier.soc import desk

    with _opened() as (_, store):
        found = desk.one(store, _one(store, alert).alert)
    if json:
        emit_json(msgspec.to_builtins(found))
        return
    for line in _lines(found):
        say(line)


def _lines(found: Listed) -> Iterator[str]:
    """What `show` says; texts of an attacker's choosing make no lines of their own."""
    told = found.alert
    yield f"{told.severity.upper()} {told.rule} {told.rule_version} ({told.mode}), {told.alert_id}"
    yield escaped(told.summary, 1_000)
    subject = f"{told.subject.type} {told.subject.value} on {told.system}"
    yield f"subject    {escaped(subject, 1_000)}"
    yield f"opened     {told.opened_at}, last {told.updated_at}, revision {told.revision}"
    yield "counts     " + ", ".join(f"{name} {count}" for name, count in told.counts.items())
    for page in found.pages:
        yield f"page {page['page']}     {page['kind']}, made {_time(page['made'])} {page['ended']}"
        for call in page["calls"]:
            yield f"  told     {call['person']} by {call['way']} at {_time(call['at'])}"
    for ack_ in found.acknowledged:
        yield f"in hand    {escaped(ack_.who)} at {_time(ack_.at)}: {escaped(ack_.reason, 500)}"
    if not found.acknowledged:
        yield "in hand    nobody's"
    if found.undelivered:
        yield "waits for  " + ", ".join(found.undelivered)


@app.command()
def ack(
    alert: Annotated[str | None, typer.Argument(help="The id, or its first 8 digits.")] = None,
    page: Annotated[
        int | None, typer.Option("--page", "-p", help="All alerts of this page, instead.")
    ] = None,
    reason: Annotated[str, typer.Option("--reason", "-r", help="What you do about it.")] = "",
    who: Annotated[str | None, typer.Option(help="Who has it in hand; else your login.")] = None,
    json: Json = False,
) -> None:
    """Acknowledge: you have it in hand, and nobody else is woken for it.

    It is kept with name, time and reason, and nothing removes it. If the alert grows graver later,
    people are woken again. Example: loginward alerts ack 1f0c9a44 --reason "blocked at the edge"
    """
    from notifier.soc.acknowledge import LONGEST_NAME, LONGEST_REASON, acknowledge

    name = (who if who is not None else getpass.getuser()).strip()
    if not name or len(name) > LONGEST_NAME:
        fail(f"--who: must be 1 to {LONGEST_NAME} characters; write who has it in hand")
    if not reason.strip() or len(reason) > LONGEST_REASON:
        fail(
            f"--reason: must be 1 to {LONGEST_REASON} characters; say what you do about it: "
            'the auditor reads it, as in --reason "blocked at the edge"'
        )
    if (alert is None) == (page is None):
        fail("name one alert by its id, or one page by --page; `loginward alerts list --open`")
    with _opened() as (_, store):
        items = [_one(store, alert)] if alert is not None else _of_page(store, page or 0)
        acknowledge(store, items, name, reason.strip(), time.time_ns() // 1_000_000)
    if json:
        emit_json({"acknowledged": [item.id for item in items], "who": name})
        return
    say(f"acknowledged by {name}: " + ", ".join(item.id[:8] for item in items))


@app.command()
def roster(json: Json = False) -> None:
    """Say who is on duty now at each level, and which hours of the next seven days nobody covers.

    Exit code 1 where there are such hours. Example: loginward alerts roster
    """
    from config.roster_file import load_roster
    from config.settings import load

    who = load_roster(load().roster.file)
    now = datetime.now(tz=UTC).replace(minute=0, second=0, microsecond=0)
    levels = [_level(who, number, now) for number in range(len(who.levels))]
    holes = any(level["gaps"] for level in levels)
    if json:
        emit_json({"timezone": who.zone, "first": dict(who.first), "levels": levels})
    elif not levels:
        say("nobody is paged: write a roster (config/roster.toml shows how), name it: roster.file")
    for level in levels if not json else ():
        say(f"{level['level']}: {', '.join(level['on_duty']) or 'nobody'} now")
        for gap in level["gaps"]:
            say(f"  nobody from {gap['from']} to {gap['to']}")
    raise typer.Exit(1 if holes else 0)


def _level(who: Roster, number: int, now: datetime) -> dict[str, Any]:
    return {
        "level": who.levels[number].name,
        "on_duty": [person.name for person in who.on_duty(number, datetime.now(tz=UTC))],
        "gaps": [
            {"from": start.isoformat(), "to": end.isoformat()}
            for start, end in who.gaps(number, now)
        ],
    }


@contextmanager
def _opened() -> Iterator[tuple[Settings, sqlite3.Connection]]:
    from contextlib import closing

    from config.settings import load
    from notifier.soc.store import open_store

    settings = load()
    if not settings.outputs.queue.is_file():
        fail(
            f"{settings.outputs.queue}: no queue of alerts here; `loginward run outputs` makes it "
            "on the machine where it runs"
        )
    with closing(open_store(settings.outputs.queue)) as store:
        yield settings, store


def _one(store: sqlite3.Connection, start: str) -> Item:
    from notifier.soc.queue import find
    from notifier.soc.texts import SHORTEST_ID

    if len(start) < SHORTEST_ID:
        fail(f"{start}: is too short; give at least {SHORTEST_ID} digits of the alert's id")
    found = find(store, "alert", start)
    if not found:
        fail(f"{start}: no alert begins so; `loginward alerts list` shows what there is")
    if len(found) > 1:
        fail(f"{start}: several alerts begin so; give more digits of the id")
    return found[0]


def _of_page(store: sqlite3.Connection, page: int) -> list[Item]:
    from notifier.soc.pager import items_of

    found = items_of(store, page)
    if not found:
        fail(f"--page {page}: no such page; `loginward alerts show ID` names an alert's pages")
    return found


def _row(one: Listed) -> tuple[str, ...]:
    told = one.alert
    return (
        told.alert_id[:8],
        told.severity if told.mode == "live" else f"{told.severity} ({told.mode})",
        told.rule,
        f"{told.subject.type} {told.subject.value} on {told.system}",
        told.opened_at,
        one.acknowledged[-1].who if one.acknowledged else "-",
        ", ".join(one.undelivered) or "-",
    )


def _time(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, tz=UTC).strftime("%Y-%m-%d %H:%M:%SZ")
