"""`loginward rules`: the detections as a governed thing, listed, shown, changed, compared."""

from __future__ import annotations

import typer

from loginward_cli.rules import deciding, judging, looking, quiet

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="List, show, test and compare the detections; change, mute and allow by two persons.",
)

app.command("list")(looking.list_rules)
app.command()(looking.show)
app.command("test")(judging.judge_events)
app.command()(looking.history)
app.command()(judging.diff)
app.command()(deciding.adopt)
app.command()(deciding.approve)
app.command()(deciding.withdraw)
app.command()(looking.export)
app.command()(deciding.mute)
app.command("unmute")(deciding.withdraw)
app.command()(quiet.mutes)
app.command()(deciding.allow)
app.command("disallow")(deciding.withdraw)
app.command()(quiet.allowed)
