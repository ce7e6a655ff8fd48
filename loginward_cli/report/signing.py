"""`loginward report sign`: a day's record gets its author or its reviewer."""

from __future__ import annotations

import re
from typing import Annotated, Literal

import typer

from detectors.errors import escaped
from loginward_cli.output import emit_json, fail, say

from . import options
from .options import Folder, Json, day_of, keys_of, public_of, zone_of

_NOTE = re.compile(r"(D\d+)\s*[=:]\s*(.*)", re.ASCII | re.DOTALL)


def sign(
    day: Annotated[str, typer.Option(help="The day.", metavar="YYYY-MM-DD")],
    role: Annotated[
        Literal["author", "reviewer"],
        typer.Option("--as", help="author: judges the deviations. reviewer: another person."),
    ],
    by: Annotated[str, typer.Option(help="Your name, as the firm knows it.")],
    notes: Annotated[
        list[str] | None,
        typer.Option(
            "--note",
            help="Judgement and action; for one deviation 'D1=...'. May be given several times.",
            metavar="TEXT",
        ),
    ] = None,
    output: Folder = None,
    as_json: Json = False,
) -> None:
    """Sign a day's record as its author, or review it as another person.

    The signature names the SHA-256 of page and JSON and is added to a signed chain. Example:
    loginward report sign --day 2026-11-24 --as author --by 'Lin, SOC' --note 'D1=office NAT'
    """
    from archive.daily import shelf, signatures
    from archive.daily.judgement import judged
    from archive.daily.span import DaySpan
    from config.settings import load

    settings = load()
    folder = output or settings.report.directory
    zone = zone_of(settings.report.timezone)
    wanted, at = day_of(day, zone), options.now()
    name = _name(by)
    if at < DaySpan(wanted, zone).end:
        fail(f"--day: {wanted} is not over yet; sign it tomorrow")
    record = shelf.read(folder, wanted)
    said = judged(record, role, _notes(notes or []))
    files = shelf.files_of(folder, wanted)
    if not any(file.name.endswith(".html") for file in files):
        fail(f"{folder}: there is no page of {wanted}; run `loginward report daily` first")
    keys = keys_of(settings)
    if keys is None:
        fail(
            f"archive.key_file: {settings.archive.key_file} is not here; "
            "sign where the archive's key is"
        )
    signature = signatures.sign(
        folder,
        keys,
        public_of(settings),
        signatures.Word(day=wanted, role=role, by=name, notes=said),
        files=files,
        at=at,
    )
    if as_json:
        emit_json(signature)
    else:
        say(f"{signature.day} signed as {role} by {escaped(name)}; over:")
        for file in signature.files:
            say(f"  {file.sha256}  {file.name}")


def _name(text: str) -> str:
    from archive.daily.signatures import LONGEST_NAME

    name = " ".join(text.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        fail(f"--by: '{escaped(text)}' is no name; write 1 to {LONGEST_NAME} characters")
    return name


def _notes(given: list[str]) -> dict[str, str]:
    """By deviation; "" is the day as a whole."""
    from archive.daily.signatures import LONGEST_NOTE

    notes: dict[str, str] = {}
    for text in given:
        match = _NOTE.fullmatch(text.strip())
        of, said = (match[1], match[2].strip()) if match else ("", text.strip())
        if of in notes:
            fail(f"--note: {of or 'the day as a whole'} is judged twice; write one note")
        if not said or len(said) > LONGEST_NOTE:
            fail(f"--note: '{escaped(text)}': write 1 to {LONGEST_NOTE} characters")
        notes[of] = said
    return notes
