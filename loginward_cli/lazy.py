"""A typer group that imports a sub-command's module only when that sub-command is used."""

from __future__ import annotations

from importlib import import_module
from typing import Any, cast

import typer

# Typer 0.29 keeps click's classes in a private module; the exact pin makes that safe to name.
from typer._click import Command, Context
from typer.core import TyperCommand, TyperGroup

from .table import module_of, present


def load(name: str) -> Command:
    """The real sub-command: the module's `app` (a typer.Typer), or its function `command`."""
    module = import_module(module_of(name))
    app = cast("typer.Typer | None", getattr(module, "app", None))
    if app is None:
        app = typer.Typer(
            add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None
        )
        app.command(name)(module.command)
    loaded = typer.main.get_command(app)
    loaded.name = name
    return loaded


class LazyGroup(TyperGroup):
    """Lists from the table alone, so that `--help` is quick and a broken sub-command harms itself.

    A sub-command that is in the table but not installed is neither listed nor found.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        # Stand-ins that know their help line; typer also looks here for names near a wrong one.
        self.commands = {
            name: TyperCommand(name, help=text, callback=None) for name, text in present().items()
        }

    def list_commands(self, ctx: Context) -> list[str]:  # noqa: ARG002 (typer's signature)
        """The names in the table's order: first what a newcomer needs."""
        return list(self.commands)

    def get_command(self, ctx: Context, cmd_name: str) -> Command | None:  # noqa: ARG002
        """A stand-in; `resolve_command` replaces it by the real one."""
        return self.commands.get(cmd_name)

    def resolve_command(
        self, ctx: Context, args: list[str]
    ) -> tuple[str | None, Command | None, list[str]]:
        """The real sub-command for what was typed (typer suggests near names for a wrong one)."""
        name, found, rest = super().resolve_command(ctx, args)
        return name, load(name) if name is not None and found is not None else None, rest
