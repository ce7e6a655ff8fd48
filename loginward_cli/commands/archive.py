"""`loginward archive`: ask what was kept, and prove that it is what was kept."""

from __future__ import annotations

from datetime import datetime
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from detectors.errors import escaped
from loginward_cli.output import columns, done, emit_json, fail, note, progress, say

if TYPE_CHECKING:
    from archive.keys import ArchiveKeys
    from config.settings import Settings

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Query and verify what was kept.",
)

Directory = Annotated[
    Path | None,
    typer.Option(help="The archive's folder, instead of archive.directory.", metavar="FOLDER"),
]
Json = Annotated[bool, typer.Option("--json", help="For scripts.")]


@app.command()
def query(
    account: Annotated[str | None, typer.Option(help="The account as typed at the login.")] = None,
    ip: Annotated[str | None, typer.Option(help="An address or a network (CIDR).")] = None,
    since: Annotated[
        str | None, typer.Option(help="From this time on: RFC 3339, 2026-11-22T09:00:00+08:00.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Before this time: RFC 3339.")] = None,
    system: Annotated[str | None, typer.Option(help="The core system.")] = None,
    outcome: Annotated[
        Literal["success", "failure"] | None, typer.Option(help="How the login ended.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="Logins at most.")] = 1000,
    json_lines: Annotated[bool, typer.Option("--json", help="One JSON object a login.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="CSV, safe to open in a spreadsheet.")] = False,
    reveal: Annotated[
        bool, typer.Option("--reveal", help="Accounts as typed instead of pseudonyms.")
    ] = False,
    directory: Directory = None,
) -> None:
    """List archived logins, oldest first; what is given must all hold.

    Example: loginward archive query --ip 203.0.113.0/24 --since 2026-11-22T00:00:00+08:00 --csv
    """
    from archive import show
    from archive.query import Question, ask
    from config.settings import load
    from stream.keys import load_pseudonyms

    if json_lines and csv:
        fail("--json and --csv: only one of them can be had; leave one out")
    question = Question(
        account=account,
        network=None if ip is None else _network(ip),
        since=None if since is None else _time("--since", since),
        until=None if until is None else _time("--until", until),
        system=system,
        outcome=outcome,
        limit=limit,
    )
    settings = load()
    root = _root(settings, directory)
    rows = ask(root, question, load_pseudonyms(settings), keys=_keys(settings), reveal=reveal)
    if json_lines or csv:
        for line in show.as_json(rows) if json_lines else show.as_csv(rows):
            print(line)
    else:
        columns(show.table(rows), show.SHORT)
    if len(rows) == limit:
        note(f"{limit} logins shown, there may be more; raise --limit or narrow the question")


@app.command()
def verify(
    heads: Annotated[
        Path | None,
        typer.Option(
            help="A copy of heads.jsonl that was kept elsewhere: shows a truncated end.",
            metavar="FILE",
        ),
    ] = None,
    public_key: Annotated[
        Path | None,
        typer.Option(help="Public keys (PEM), instead of the one beside archive.key_file."),
    ] = None,
    directory: Directory = None,
    as_json: Json = False,
) -> None:
    """Check every seal, file and offset, and name the place of whatever is wrong.

    Exit code 0: all is as it was sealed. 1: findings. Example: loginward archive verify --json
    """
    from archive.keys import load_public, public_file
    from archive.layout import partitions, seals
    from archive.verify import Verifier
    from config.settings import load

    settings = load()
    # With a copy of the heads a folder from which all was taken is a finding, not a wrong name.
    root = _root(settings, directory, emptied=heads is not None)
    public = load_public(public_key or public_file(settings.archive.key_file))
    total = sum(len(seals(part.folder(root))) for part in partitions(root))
    with progress("verifying segments", total) as advance:
        report = Verifier(root, public, keys=_keys(settings), progress=advance).run(heads)
    for finding in report.findings:
        say(f"{escaped(str(finding), 2_000)}")
    if as_json:
        emit_json(report)
    else:
        say(
            f"{report.partitions} partitions, {report.segments} segments, "
            f"{report.records} records; not kept: {report.rejected} rejected, "
            f"{report.absent} absent, {report.expired} expired; {report.heads} heads; "
            f"{len(report.findings)} findings"
        )
    if not report.segments and not report.findings:
        note(f"{root}: nothing was sealed here, so nothing is proven; --heads COPY tells a loss")
    done(findings=bool(report.findings))


@app.command(hidden=True)
def run() -> None:
    """Archive until stopped; the same as `loginward run archive`."""
    from archive.service import run_archive
    from config.settings import load
    from loginward_cli.logs import set_up
    from stream.keys import load_pseudonyms

    settings = load()
    set_up(settings.logging.level, json=settings.logging.json)
    raise typer.Exit(run_archive(settings, load_pseudonyms(settings)))


def _root(settings: Settings, directory: Path | None, *, emptied: bool = False) -> Path:
    """The archive's folder; one that was named and holds none is refused, unless `emptied`."""
    from archive.layout import partitions

    root = directory or settings.archive.directory
    if not root.is_dir():
        fail(f"archive.directory: {root}: no such folder; name the archive with --directory")
    sealed = (root / "heads.jsonl").exists() or any(partitions(root))
    if directory is not None and not emptied and not sealed:
        fail(f"--directory {root}: holds no archive; name the folder that holds heads.jsonl")
    return root


def _keys(settings: Settings) -> ArchiveKeys | None:
    """The private key where this machine has it; an auditor's has not, and needs none to verify."""
    from archive.keys import load_keys

    file = settings.archive.key_file
    return load_keys(file) if file.exists() else None


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text.strip(), strict=False)
    except ValueError:
        fail(
            f"--ip: '{escaped(text)}' is no address or network; write 203.0.113.7 or 2001:db8::/32"
        )


def _time(option: str, text: str) -> datetime:
    way_out = "write it with its offset, like 2026-11-22T09:00:00+08:00"
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        fail(f"{option}: '{escaped(text)}' is no time; {way_out}")
    if at.tzinfo is None:
        fail(f"{option}: '{escaped(text)}' has no offset; {way_out}")
    return at
