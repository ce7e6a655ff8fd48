"""One module a sub-command, each with `command(...)` or a typer `app`."""
