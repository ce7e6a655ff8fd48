"""`rules adopt | approve | withdraw | mute | unmute | allow | disallow`: decisions of people."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from detectors.errors import LoginwardError
from loginward_cli.output import emit_json, fail, say

from .common import By, Json, Reason, decided, moment, when

if TYPE_CHECKING:
    from config.governance.ledger import Ledger
    from config.governance.records import Adopted, Line, What

Identity = Annotated[str, typer.Argument(metavar="ID", help="As `rules history` names it: C3.")]


def adopt(
    file: Annotated[Path, typer.Argument(help="A whole rules.toml.")],
    by: By,
    reason: Reason,
    emergency: Annotated[
        bool,
        typer.Option("--emergency", help="In force after 15 seconds; approval within 24 hours."),
    ] = False,
    json: Json = False,
) -> None:
    """Propose a rule book: it is checked, kept by its hash, and compared with the one in force.

    It judges nobody before another person approves it. Example:
    loginward rules adopt my-rules.toml --by alice --reason "NAT of the Taichung branch"
    """
    from config.governance.books import configured, folder_of, governed, store
    from config.governance.changes import AT_ONCE
    from config.governance.records import Adopted
    from config.governance.timeline import differences
    from config.rules import load_rules
    from config.settings import load

    settings = load()
    new = load_rules(file)
    folder = folder_of(settings)

    def decide(_: Ledger, now: datetime, __: str) -> Adopted:
        known = governed(settings)
        base = known.spells[-1].rules if known.spells else store(folder, configured(settings))
        try:
            old = load_rules(folder / "rules" / f"{base}.toml")
        except LoginwardError:  # of another release: what it still means is in force
            old = known.book.at(now)
        changed = differences(old, new)
        if not changed:
            fail(f"{file}: says the same as the rule book in force; nothing to adopt")
        return Adopted(
            rules=store(folder, file),
            base=base,
            differences=[one[:500] for one in changed],
            emergency=emergency,
        )

    line, now = decided(decide, by=by, reason=reason)
    identity = f"C{line.number}"
    assert isinstance(line.what, Adopted)  # noqa: S101 (decide made it)
    if json:
        _emit(line, identity)
        return
    for difference in line.what.differences:
        say(f"  {difference}")
    if emergency:
        since = when(now + AT_ONCE)
        say(f"{identity}: in force from {since}; another person approves it within 24 hours:")
    else:
        say(f"{identity}: not in force; another person looks at it and approves it:")
    say(f"  loginward rules approve {identity} --by NAME")


def approve(
    identity: Identity, by: By, reason: Reason = "looked at and approved", json: Json = False
) -> None:
    """Approve another person's change, mute or allow-list entry.

    A change is in force from the next full minute that is at least a minute away, so that every
    worker has noticed it. Example: loginward rules approve C3 --by bob
    """
    from config.governance.decisions import approve as approval
    from config.governance.records import Approved

    def decide(ledger: Ledger, now: datetime, name: str) -> Approved:
        return approval(ledger, identity, by=name, now=now)

    line, _ = decided(decide, by=by, reason=reason)
    if json:
        _emit(line, identity)
        return
    effective = line.what.effective if isinstance(line.what, Approved) else None
    say(f"{identity}: approved" + ("" if effective is None else f"; holds from {when(effective)}"))


def withdraw(identity: Identity, by: By, reason: Reason, json: Json = False) -> None:
    """Take back a change that is not approved, a mute, or an allow-list entry.

    An emergency change gives way after 15 seconds to what it replaced. Example:
    loginward rules unmute M7 --by alice --reason "the load test is over"
    """
    from config.governance.decisions import withdraw as withdrawal

    def decide(ledger: Ledger, _: datetime, __: str) -> What:
        return withdrawal(ledger, identity)

    line, _ = decided(decide, by=by, reason=reason)
    if json:
        _emit(line, identity)
    else:
        say(f"{identity}: withdrawn")


def mute(
    rule: Annotated[str, typer.Argument(metavar="RULE", help="The detection.")],
    subject: Annotated[
        str, typer.Argument(help="203.0.113.7, 203.0.113.0/24, AS64500 or account=PSEUDONYM.")
    ],
    by: By,
    reason: Reason,
    span: Annotated[str, typer.Option("--for", help="At most 8h.", metavar="TIME")] = "8h",
    system: Annotated[
        str | None, typer.Option(help="Only in this core system; else in all.")
    ] = None,
    json: Json = False,
) -> None:
    """Page nobody about one detection on one subject for a while; it is judged and kept as ever.

    In force at once; another person approves it within 24 hours. Example: loginward rules mute
    ip_fail_burst 203.0.113.7 --for 2h --by alice --reason "load test, ticket 42"
    """
    from config.durations import parse_duration
    from config.governance import decisions
    from config.governance.records import Muted
    from detectors.rules import RULES

    if rule not in {one.id for one in RULES}:
        fail(f"{rule}: is no detection; there are {', '.join(one.id for one in RULES)}")
    try:
        lasting = parse_duration(span)
    except ValueError as failure:
        fail(f"--for: '{span}' {failure}")
    about = decisions.subject_of(subject)

    def decide(ledger: Ledger, now: datetime, _: str) -> Muted:
        return decisions.mute(
            ledger, rule=rule, subject=about, system=system, span=lasting, now=now
        )

    line, now = decided(decide, by=by, reason=reason)
    identity = f"M{line.number}"
    if json:
        _emit(line, identity)
        return
    say(f"{identity}: {rule} on {about[0]} {about[1]} pages nobody until {when(now + lasting)}")
    say(f"  within 24 hours another person runs: loginward rules approve {identity} --by NAME")


def allow(
    network: Annotated[str, typer.Argument(help="An address or a network (CIDR).")],
    owner: Annotated[str, typer.Option(help="Whose it is, and who answers for it.")],
    until: Annotated[
        str, typer.Option(help="When it ends (RFC 3339), at most a year ahead.", metavar="TIME")
    ],
    by: By,
    reason: Reason,
    json: Json = False,
) -> None:
    """Propose an allow-list entry: alerts about these addresses page nobody, once it is approved.

    They are judged and kept as ever, and one of high severity is told as
    `allowlist_hides_attack`. Example: loginward rules allow 203.0.113.0/28 --owner "IT, pentest"
    --until 2026-12-01T00:00:00+08:00 --by alice --reason "annual test"
    """
    from config.governance import decisions
    from config.governance.people import checked
    from config.governance.records import Allowed

    end, whose = moment("--until", until), checked("--owner", owner)

    def decide(_: Ledger, now: datetime, __: str) -> Allowed:
        return decisions.allow(network=network, owner=whose, until=end, now=now)

    line, _ = decided(decide, by=by, reason=reason)
    identity = f"A{line.number}"
    if json:
        _emit(line, identity)
        return
    say(f"{identity}: not in force; another person approves it:")
    say(f"  loginward rules approve {identity} --by NAME")


def _emit(line: Line, identity: str) -> None:
    import msgspec

    emit_json({"id": identity} | msgspec.to_builtins(line))
