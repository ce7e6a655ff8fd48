"""`loginward incidents`: the campaigns that alerts come to, as the topic has them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from detectors.errors import escaped
from loginward_cli.output import columns, emit_json, fail, say

if TYPE_CHECKING:
    from detectors.incidents import Incident

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="List and show campaigns: who attacks, who was hit, what was done next.",
)

Json = Annotated[bool, typer.Option("--json", help="As JSON, last line.")]
_SHORTEST_ID = 8
_NAMED = 20


@app.command("list")
def list_(
    unfinished: Annotated[
        bool, typer.Option("--open", help="Only those that are going on.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="The newest so many.")] = 50,
    json: Json = False,
) -> None:
    """List incidents, the newest first; those that joined another one are left out.

    Example: loginward incidents list --open
    """
    import msgspec

    found = [one for one in _read() if one.status != "merged"]
    found = [one for one in found if one.status == "open" or not unfinished]
    found.sort(key=lambda one: (one.last_seen, one.incident_id), reverse=True)
    found = found[:limit]
    if json:
        emit_json({"incidents": msgspec.to_builtins(found)})
        return
    columns(
        [_row(one) for one in found],
        (
            "ID",
            "SEVERITY",
            "KIND",
            "SYSTEM",
            "FIRST",
            "LAST",
            "ADDRESSES",
            "TRIED",
            "HIT",
            "STATUS",
        ),
    )


@app.command()
def show(
    incident: Annotated[str, typer.Argument(help="The id, or its first 8 digits.")],
    json: Json = False,
) -> None:
    """Show one incident: reasons, addresses, every account that was hit and what followed.

    Example: loginward incidents show 1f0c9a44
    """
    import msgspec

    if len(incident) < _SHORTEST_ID:
        fail(f"{incident}: is too short; give at least {_SHORTEST_ID} digits of the incident's id")
    found = [one for one in _read() if one.incident_id.startswith(incident)]
    if not found:
        fail(f"{incident}: no incident begins so; `loginward incidents list` shows what there is")
    if len(found) > 1:
        fail(f"{incident}: several incidents begin so; give more digits of the id")
    if json:
        emit_json(msgspec.to_builtins(found[0]))
        return
    for line in _lines(found[0]):
        say(line)


def _read(patience: timedelta = timedelta(seconds=15)) -> list[Incident]:
    import asyncio

    from config.kafka_admin import ask
    from config.settings import load
    from loginward_cli.embedded import use_running_stack
    from stream.incidents.whole import told_so_far

    use_running_stack()
    kafka = load().kafka
    # One that does not answer is told in a sentence, as elsewhere.
    ask(kafka, lambda _: None, patience)
    return list(asyncio.run(told_so_far(kafka)).values())


def _row(one: Incident) -> tuple[str, ...]:
    return (
        one.incident_id[:_SHORTEST_ID],
        one.severity,
        one.kind,
        escaped(one.system),
        one.first_seen,
        one.last_seen,
        f"{one.counts.get('ips', 0):,}",
        f"{one.accounts_tried:,}",
        f"{len(one.accounts_hit):,}",
        one.status,
    )


def _lines(one: Incident) -> Iterator[str]:
    """What `show` says; texts of an attacker's choosing make no lines of their own."""
    yield f"{one.severity.upper()} {one.kind} on {escaped(one.system)}, {one.incident_id}"
    joined = f", joined {one.merged_into}" if one.merged_into else ""
    yield f"status     {one.status}{joined}, revision {one.revision}"
    yield f"seen       {one.first_seen} to {one.last_seen}"
    yield f"reasons    {escaped(', '.join(one.reasons), 1_000)}"
    yield f"alerts     {one.counts.get('alerts', 0):,}, the first {one.opened_with}"
    yield f"addresses  {one.counts.get('ips', 0):,}: {_some(one.ips)}"
    yield f"tried      {one.accounts_tried:,} accounts: {_some(one.accounts)}"
    yield f"hit        {len(one.accounts_hit):,} accounts"
    for hit in one.hits:
        yield f"  {escaped(hit.account)} at {hit.at}, known by {escaped(hit.rule)}"
        for deed in hit.next:
            yield f"    then   {escaped(deed.rule)} at {deed.at} ({deed.alert_id})"
    for hour in one.growth[-_NAMED:]:
        yield f"hour       {hour.at}: {hour.alerts:,} new alerts"


def _some(names: list[str]) -> str:
    said = ", ".join(escaped(name) for name in names[:_NAMED])
    return f"{said}, ..." if len(names) > _NAMED else said or "none"
