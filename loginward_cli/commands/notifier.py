"""`loginward notifier`: the texts that customers get, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer

from loginward_cli.output import done, emit_json, note, say

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Preview the texts that customers get.",
)


class Language(StrEnum):
    """Of a text."""

    ZH_TW = "zh-TW"
    EN = "en"


class Channel(StrEnum):
    """By which it goes."""

    APP = "app"
    SMS = "sms"
    EMAIL = "email"


class Template(StrEnum):
    """What it is about."""

    LOGIN_NEW_DEVICE = "login_new_device"
    TAKEOVER = "takeover"
    PASSWORD_KNOWN = "password_known"  # noqa: S105 (the name of a detection)
    LOCKED = "locked"
    DIGEST = "digest"


@app.callback()
def _group() -> None:
    """Keep `preview` a sub-command of its own, while there is only one."""


@app.command()
def preview(
    template: Annotated[Template | None, typer.Option(help="Only this event.")] = None,
    language: Annotated[Language | None, typer.Option(help="Only this language.")] = None,
    channel: Annotated[Channel | None, typer.Option(help="Only this channel.")] = None,
    html: Annotated[bool, typer.Option("--html", help="E-mails as HTML instead of text.")] = False,
    json: Annotated[bool, typer.Option("--json", help="As JSON, last line.")] = False,
) -> None:
    """Show every text with your firm's name and the longest values, and check it.

    Checked: no link, telephone number or shape of a one-time code in an SMS, one part, the firm
    first, "if it was you, ignore", nothing loaded from elsewhere. Exit code 1: something is wrong.
    Example: loginward notifier preview --template takeover --channel sms
    """
    from config.settings import load
    from notifier import lint
    from notifier.messages import CHANNELS, LANGUAGES, TEMPLATES, render

    firms = load().notifier
    shown, wrong = [], 0
    for name in TEMPLATES:
        for tongue in LANGUAGES:
            for way in CHANNELS:
                wanted = (template, language, channel)
                if any(
                    asked is not None and asked.value != given
                    for asked, given in zip(wanted, (name, tongue, way), strict=True)
                ):
                    continue
                firm = firms.firm_en if tongue == "en" else firms.firm_zh
                facts = lint.longest(tongue, firm)
                text = render(name, tongue, way, facts, datetime.now(tz=UTC))
                findings = lint.wrong_with(text, way, firm)
                wrong += len(findings)
                shown.append(
                    {
                        "template": text.template,
                        "channel": way,
                        "title": text.title,
                        "text": text.text,
                        "length": lint.parts(text.text)[0] if way == "sms" else None,
                        "findings": findings,
                    }
                )
                if not json:
                    _show(shown[-1], text.html if html and way == "email" else text.text)
                for finding in findings:
                    note(f"{tongue}/{name} {way}: {finding}")
    if json:
        emit_json({"texts": shown, "findings": wrong})
    done(findings=wrong > 0)


def _show(text: Mapping[str, object], body: str) -> None:
    length = f", {text['length']} characters" if text["length"] else ""
    say(f"--- {text['template']} by {text['channel']}{length}")
    if text["title"]:
        say(str(text["title"]))
        say()
    say(body.rstrip())
    say()
