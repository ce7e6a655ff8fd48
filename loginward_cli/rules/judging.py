"""`rules test | diff`: what a rule book makes of events, and what another would have made."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from loginward_cli.output import columns, done, emit_json, fail, say

from .common import Json, moment

if TYPE_CHECKING:
    from config.settings import Settings
    from detectors.alerts import Alert

    from .compare import Compared

_SHOWN = 20
"""Alerts named one by one for a detection; the JSON has all."""

Rules = Annotated[
    Path | None, typer.Option("--rules", help="This rule book instead of the one in force.")
]


def judge_events(
    rule: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="The detection; else all.")
    ] = None,
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="[EVENTS]", help="Events, one a line.")
    ] = None,
    rules: Rules = None,
    json: Json = False,
) -> None:
    """Judge files of events and print what fires; without a file run the detection's timelines.

    Exit code 1: a timeline failed. Example: loginward rules test ip_fail_burst events.jsonl --rules
    my-rules.toml
    """
    from detectors.rules import RULES

    known = [one.id for one in RULES]
    if rule is not None and rule not in known:
        fail(f"{rule}: is no detection; there are {', '.join(known)}")
    if not files:
        _timelines(known if rule is None else [rule])
    settings = _settings()
    found, judged = _judge(files or [], settings, rules)
    alerts = [alert for alert in found if rule is None or alert.rule == rule]
    if json:
        emit_json({"judged": judged, "alerts": [_facts(alert) for alert in alerts]})
        return
    for alert in alerts:
        say(_line(alert))
    say(f"{judged} events judged, {len(alerts)} alerts" + ("" if rule is None else f" of {rule}"))


def diff(
    against: Annotated[Path, typer.Option("--with", help="The other rule book.", metavar="FILE")],
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="[EVENTS]", help="Files; else the archive.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="Compare alerts from this time on.", metavar="TIME")
    ] = None,
    until: Annotated[
        str | None, typer.Option(help="Compare alerts before this time.", metavar="TIME")
    ] = None,
    rules: Rules = None,
    json: Json = False,
) -> None:
    """Judge a past period by the rule book in force and by another; say what is gained and lost.

    Judging begins 36 hours before --since, so that windows are full. Example: loginward rules diff
    --since 2026-11-01T00:00:00+08:00 --with my-rules.toml
    """
    from config.rules import load_rules

    from .compare import compare, pages
    from .past import judged, past

    start = None if since is None else moment("--since", since)
    end = None if until is None else moment("--until", until)
    settings = _settings()
    books = (_book(settings, rules), load_rules(against))
    if not files and start is None:
        fail("--since: is needed with the archive; write 2026-11-01T00:00:00+08:00")
    with past(files or [], settings, start, end) as paths:
        (old, read), (new, _) = [
            asyncio.run(judged(paths, book, settings, since=start, until=end, title=title))
            for book, title in zip(books, ("as in force", "as proposed"), strict=True)
        ]
    found = compare(old, new)
    woken = {"before": pages(old), "after": pages(new)}
    if json:
        told = {rule: _compared(result) for rule, result in found.items()}
        emit_json({"judged": read, "rules": told, "pages": woken})
        return
    rows = [
        [rule, str(r.kept), str(len(r.gained)), str(len(r.lost)), str(len(r.changed))]
        for rule, r in found.items()
    ]
    columns(rows, ["DETECTION", "SAME", "GAINED", "LOST", "OTHER WEIGHT"])
    for result in found.values():
        _tell(result)
    say(f"{read} events judged; pages before mutes: {woken['before']} -> {woken['after']}")


def _tell(result: Compared) -> None:
    for sign, alerts in (("+", result.gained), ("-", result.lost)):
        for alert in alerts[:_SHOWN]:
            say(f"{sign} {_line(alert)}")
        if len(alerts) > _SHOWN:
            say(f"{sign} ... and {len(alerts) - _SHOWN} more; --json names all")
    for old, new in result.changed[:_SHOWN]:
        say(f"~ {_line(new)} (was {old.severity}, {old.mode})")


def _compared(result: Compared) -> dict[str, Any]:
    return {
        "same": result.kept,
        "gained": [_facts(alert) for alert in result.gained],
        "lost": [_facts(alert) for alert in result.lost],
        "changed": [{"before": _facts(old), "after": _facts(new)} for old, new in result.changed],
    }


def _facts(alert: Alert) -> dict[str, Any]:
    facts = ("alert_id", "rule", "rule_version", "part", "severity", "mode", "opened_at", "summary")
    return {name: getattr(alert, name) for name in facts} | {"subject": alert.subject}


def _line(alert: Alert) -> str:
    return (
        f"{alert.opened_at} {alert.severity} {alert.rule} {alert.rule_version} ({alert.mode}) "
        f"{alert.alert_id}: {alert.summary}"
    )


def _settings() -> Settings:
    from config.settings import load

    return load()


def _book(settings: Settings, rules: Path | None) -> Any:
    from config.governance.books import governed
    from config.rules import load_rules

    return governed(settings).book if rules is None else load_rules(rules)


def _judge(files: list[Path], settings: Settings, rules: Path | None) -> tuple[list[Alert], int]:
    from .past import judged, past

    book = _book(settings, rules)
    with past(files, settings, None, None) as paths:
        return asyncio.run(judged(paths, book, settings, since=None, until=None, title="judging"))


def _timelines(rules: list[str]) -> None:
    """Run the twins of detections in this checkout; never returns."""
    root = Path(__file__).resolve().parents[2]
    twins = [root / "tests" / "detectors" / "rules" / f"test_{rule}.py" for rule in rules]
    missing = [twin.name for twin in twins if not twin.is_file()]
    if missing or find_spec("pytest") is None:
        fail(
            "the timelines of detections stand in the checkout's tests, and pytest is needed to "
            "run them (./loginward test -k ID); or name a file of events to judge"
        )
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *map(str, twins)],
        cwd=root,
        check=False,
    )
    done(findings=ran.returncode != 0)
