"""`loginward rejects`: what could not be read, why, and what today's code makes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from detectors.errors import escaped
from loginward_cli.output import columns, emit_json, fail, note, progress, say

if TYPE_CHECKING:
    from config.settings import Settings
    from stream.kept_rejects import KeptReject

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="List, show and replay records that could not be read.",
)

_SHOWN_BYTES = 2_000
Archive = Annotated[bool, typer.Option("--archive", help="From the archive instead of the topic.")]
Reason = Annotated[str | None, typer.Option(help="Only those with this reason.")]
Json = Annotated[bool, typer.Option("--json", help="As JSON, last line.")]


@app.command("list")
def list_rejects(
    archive: Archive = False,
    reason: Reason = None,
    each: Annotated[
        int, typer.Option(min=0, max=100_000, help="Name so many one by one, newest last.")
    ] = 0,
    json: Json = False,
) -> None:
    """Count rejects by reason, with the place of the first and the last.

    PLACE is what `rejects show` takes: partition and offset in logins.rejected. Example:
    loginward rejects list --reason not_json --each 20
    """
    from collections import deque

    counted: dict[str, dict[str, Any]] = {}
    last: deque[KeptReject] = deque(maxlen=each)
    for kept in _kept(_settings(), archive=archive, reason=reason):
        row = counted.setdefault(kept.reason, {"count": 0, "first": kept.place, "detail": ""})
        row["count"] += 1
        row |= {"last": kept.place, "origin": kept.origin, "detail": kept.headers.get("detail", "")}
        last.append(kept)
    if json:
        emit_json({"rejects": counted, "each": [_facts(kept) for kept in last]})
        return
    rows = [
        [name, str(row["count"]), row["first"], row["last"], escaped(row["detail"], 80)]
        for name, row in sorted(counted.items(), key=lambda item: -item[1]["count"])
    ]
    columns(rows, ["REASON", "COUNT", "FIRST", "LAST", "THE LAST SAYS"])
    columns([[k.place, k.reason, k.origin, escaped(k.headers.get("detail", ""), 80)] for k in last])
    if not rows:
        say("no rejects" + ("" if reason is None else f" with reason {reason}"))


@app.command()
def show(
    place: Annotated[str, typer.Argument(metavar="PLACE", help="As `list` names it: 0:17.")],
    archive: Archive = False,
    raw: Annotated[
        Path | None, typer.Option(help="Write the bytes as they are kept.", metavar="FILE")
    ] = None,
    json: Json = False,
) -> None:
    """Say everything of one reject; its bytes, escaped and bounded, may hold an account as typed.

    Example: loginward rejects show 0:17 --raw record.bin
    """
    from config.files import whole_file

    kept = next(
        (one for one in _kept(_settings(), archive=archive) if one.place == place.strip()), None
    )
    if kept is None:
        fail(f"{escaped(place, 40)}: no reject there; see `loginward rejects list --each 20`")
    if raw is not None:
        with whole_file(raw) as file:
            file.write(kept.value)
    if json:
        emit_json(_facts(kept) | {"headers": kept.headers, "bytes": _text(kept)})
        return
    say(f"{kept.reason}: {kept.headers.get('detail', '')}")
    say(f"stood at {kept.origin}, kept at {kept.place}, {len(kept.value)} bytes")
    if kept.cut:
        length, sha = kept.headers["length"], kept.headers.get("sha256", "not told")
        say(f"the beginning of {length} bytes, SHA-256 {sha}")
    say(_text(kept))
    if raw is not None:
        note(f"{raw}: {len(kept.value)} bytes")


@app.command()
def replay(
    archive: Archive = False,
    reason: Reason = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be sent.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Also what an earlier replay has sent.")
    ] = False,
    json: Json = False,
) -> None:
    """Decode rejects with today's code and send those that are events now to `logins`, once.

    Each carries the header replayed_from with its first place. What stands there at the start is
    read, nothing that is rejected meanwhile. Example: loginward rejects replay --dry-run
    """
    import asyncio

    from config.kafka import topic_name
    from stream.keys import load_pseudonyms
    from stream.rejects_replay import Sent
    from stream.rejects_replay import replay as send_again
    from stream.sending import Sender

    settings = _settings()

    async def run() -> dict[str, Any]:
        sender = None if dry_run else Sender(settings.kafka)
        try:
            found = await send_again(
                _kept(settings, archive=archive, reason=reason),
                topic=topic_name(settings.kafka, "logins"),
                names=load_pseudonyms(settings),
                sent=Sent(settings.data_dir / "rejects" / "replayed"),
                sender=sender,
                again=again,
            )
        finally:
            if sender is not None:
                await sender.close()
        return {"fates": dict(found.fates), "reasons": dict(found.reasons)}

    told = asyncio.run(run())
    if json:
        emit_json(told | {"dry_run": dry_run})
        return
    for fate, count in told["fates"].items():
        say(f"{count} {'to be sent' if dry_run and fate == 'sent' else fate}")
    for why, count in told["reasons"].items():
        say(f"  still {why}: {count}")
    if not told["fates"]:
        say("no rejects")


def _settings() -> Settings:
    from config.settings import load
    from loginward_cli.embedded import use_running_stack

    use_running_stack()
    return load()


def _kept(settings: Settings, *, archive: bool, reason: str | None = None) -> Iterator[KeptReject]:
    with progress("reading rejects") as advance:
        for kept in _source(settings, archive=archive, advance=advance):
            if reason is None or kept.reason == reason:
                yield kept


def _source(
    settings: Settings, *, archive: bool, advance: Callable[[int], None]
) -> Iterator[KeptReject]:
    from stream.kept_rejects import from_archive, from_topic

    if not archive:
        return from_topic(settings.kafka, advance)
    from archive.keys import load_keys

    root, key_file = settings.archive.directory, settings.archive.key_file
    for name, path in (("archive.directory", root), ("archive.key_file", key_file)):
        if not path.exists():
            fail(f"{name}: {path}: not here; ask on the machine that archives")
    return from_archive(root, load_keys(key_file), advance)


def _facts(kept: KeptReject) -> dict[str, Any]:
    return {
        "place": kept.place,
        "reason": kept.reason,
        "detail": kept.headers.get("detail", ""),
        "origin": kept.origin,
        "size": len(kept.value),
        "cut": kept.cut,
    }


def _text(kept: KeptReject) -> str:
    return escaped(kept.value.decode("utf-8", "backslashreplace"), _SHOWN_BYTES)
