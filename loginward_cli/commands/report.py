"""`loginward report`: the daily record of failed and foreign logins, signatures, what is due."""

from __future__ import annotations

import typer

from loginward_cli.report import completing, counting, looking, signing

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Produce, sign, show and list the daily records.",
)

app.command()(counting.daily)
app.command()(completing.completeness)
app.command()(signing.sign)
app.command()(looking.show)
app.command("list")(looking.list_days)
