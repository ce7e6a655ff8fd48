"""`loginward`: parse the command line, run one sub-command, turn failures into sentences."""

from __future__ import annotations

import errno
import os
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated

import typer

from detectors.errors import LoginwardError

from .home import check_home
from .lazy import LazyGroup
from .output import BAD_INPUT, error

INTERNAL = 70
"""EX_SOFTWARE of sysexits.h: our bug, told apart from findings (1) and bad input (2)."""

_WAYS_OUT = {
    errno.ENOENT: "; name one that is there (a folder to write into is made first)",
    errno.ENOTDIR: "; a part of this path is a file: name another place",
    errno.EISDIR: "; name a file",
    errno.EACCES: "; this user may not: name another, or change whose it is",
    errno.EROFS: "; nothing can be written there: name another place",
    errno.ENOSPC: "; the disk is full: make room",
}
"""What a user can do about an error of the file system."""

EPILOG = "Exit codes: 0 fine, 1 findings (where asked for), 2 bad input, 70 a fault of ours."


def _version(asked: bool) -> None:
    if asked:
        try:
            print(f"loginward {version('loginward')}")
        except PackageNotFoundError:
            print("loginward (from a checkout)")
        raise typer.Exit


def _root(
    config: Annotated[
        Path | None,
        typer.Option(
            help="Settings over config/default.toml; also by LOGINWARD_CONFIG.", metavar="FILE"
        ),
    ] = None,
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which version.")
    ] = False,
) -> None:
    """Catches credential stuffing while it happens, asks the customer, keeps the evidence."""
    if config is not None:
        # In the environment, so that every worker this process starts reads the same file.
        os.environ["LOGINWARD_CONFIG"] = str(config.resolve())


def build() -> typer.Typer:
    """The command line as a typer application."""
    app = typer.Typer(
        cls=LazyGroup,
        add_completion=False,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback(epilog=EPILOG)(_root)
    return app


def main(args: list[str] | None = None) -> None:
    """Run one sub-command and exit; expected failures are told without a traceback."""
    # What a command writes is evidence, keys or accounts: for this user alone, from the start.
    os.umask(0o077)
    try:
        check_home()
        build()(args=args, prog_name="loginward")
    except LoginwardError as failure:
        error(str(failure))
        sys.exit(BAD_INPUT)
    except OSError as failure:
        if failure.filename is None:
            raise
        error(f"{failure.filename}: {failure.strerror}{_WAYS_OUT.get(failure.errno or 0, '')}")
        sys.exit(BAD_INPUT)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception:  # noqa: BLE001 (our bug: shown whole, and told apart from bad input)
        sys.excepthook(*sys.exc_info())
        error("this is a fault of loginward, not yours: please report the lines above")
        sys.exit(INTERNAL)


if __name__ == "__main__":
    main()
