"""`loginward intel`: addresses that others call bad, kept as evidence and judged by at once."""

from __future__ import annotations

import typer

from loginward_cli.intel import hunting, importing, looking, revoking, sharing

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Import and list threat intelligence; hunt for it in the archive; share our own.",
)

app.command("import")(importing.import_bulletins)
app.command("list")(looking.list_indicators)
app.command()(looking.show)
app.command()(revoking.revoke)
app.command()(hunting.hunt)
app.command()(looking.ledger)
app.command()(sharing.export)
