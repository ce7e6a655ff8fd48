"""`loginward customers`: the directory by which an account is known to be a customer's."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from detectors.errors import escaped
from loginward_cli.output import done, emit_json, fail, note, progress, say

if TYPE_CHECKING:
    from config.settings import Settings
    from detectors.pseudonyms import Pseudonyms
    from stream.directory_file import CustomerDirectory, Header

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Load the directory of customers (kept as keyed hashes), show it, ask it.",
)

contacts = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Load how customers are reached (APP, SMS, e-mail); kept encrypted.",
)
app.add_typer(contacts, name="contacts")

Json = Annotated[bool, typer.Option("--json", help="As JSON, last line.")]


@app.command()
def load(
    file: Annotated[Path, typer.Argument(help="CSV with account, customer and class, UTF-8.")],
    column_map: Annotated[
        str | None,
        typer.Option(
            help="Your columns: account=LOGIN_ID,customer=CUST_NO,class=STATUS.", metavar="MAP"
        ),
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option(help="When it was exported (RFC 3339); else the file's date.", metavar="TIME"),
    ] = None,
    allow_shrink: Annotated[
        str | None,
        typer.Option(help="Take a list more than 5 % smaller, for this reason.", metavar="REASON"),
    ] = None,
    json: Json = False,
) -> None:
    """Put a customer list in force, whole or not at all; running workers notice by themselves.

    One line an alias: national id, branch account, user code, each with the customer's number and
    class customer, closed, prospect or staff. Only keyed hashes are kept. Example:
    loginward customers load customers.csv --column-map account=LOGIN_ID
    """
    from stream.directory import load_directory
    from stream.directory_csv import Export
    from stream.directory_csv import column_map as parsed

    settings, names = _opened()
    if not file.is_file():
        fail(f"{file}: no such file; name the CSV that your master data exports")
    if allow_shrink is not None and not allow_shrink.strip():
        fail("--allow-shrink: is empty; say why the list is right: it stands in the file")
    export = Export(
        file=file,
        columns=parsed(column_map) if column_map is not None else {},
        as_of=None if as_of is None else _time(as_of),
    )
    with progress("reading customers") as advance:
        made = load_directory(
            export,
            settings.directory.folder,
            names,
            now=datetime.now(tz=UTC),
            allow_shrink=(allow_shrink or "").strip(),
            progress=advance,
        )
    _tell(made.header, settings, json=json)


@app.command()
def show(json: Json = False) -> None:
    """Say what is in force: how many, which version, how old.

    Example: loginward customers show
    """
    settings, names = _opened()
    made = _in_force(settings, names)
    if made is not None:
        _tell(made.header, settings, json=json)
    elif json:
        emit_json({"loaded": False})
    else:
        say("no directory of customers: the class of an account is known where the event says it")


@app.command()
def check(
    account: Annotated[str, typer.Argument(help="As typed at the login; - reads it from stdin.")],
    json: Json = False,
) -> None:
    """Say what is known of one account; it is not shown, only its pseudonym.

    An account on the command line stays in the shell's history; `-` avoids it. Example:
    loginward customers check - < account.txt
    """
    settings, names = _opened()
    made = _in_force(settings, names)
    if made is None:
        fail(
            f"{settings.directory.folder}: no directory of customers; load one: "
            "loginward customers load FILE.csv"
        )
    typed = sys.stdin.readline().rstrip("\r\n") if account == "-" else account
    listed = made.look_up(typed)
    customer = None if listed is None or listed.customer is None else listed.customer.hex()
    told = {
        "pseudonym": names.account(typed),
        "class": "unknown" if listed is None else listed.account_class,
        "customer": customer,
        "directory": made.header.version,
    }
    if json:
        emit_json(told)
        return
    say(f"{told['pseudonym']}: {told['class']}")
    if listed is None:
        say("in no list: attempts on it count as attempts on no customer's account")
    elif customer is None:
        say("several customers hold this alias, so whose it is is not known")
    else:
        say(f"customer {customer}: the same for all aliases of one customer")


@contacts.command("load")
def load_contacts(
    file: Annotated[
        Path,
        typer.Argument(
            help="CSV with account, and customer, phone, email, language, push_token; UTF-8."
        ),
    ],
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Leave bad lines out instead of refusing the file.")
    ] = False,
    json: Json = False,
) -> None:
    """Put a contact list in force, whole or not at all; a running notifier uses it at once.

    One line an account; lines with the same customer are one person. Telephone numbers must be
    mobile ones of notifier.sms_countries. Nothing of it leaves the encrypted book but in a message.
    Exit code 1: lines were left out. Example: loginward customers contacts load contacts.csv
    """
    from notifier.contacts import ContactBook
    from notifier.contacts_csv import read_contacts

    settings, names = _opened()
    notifier = settings.notifier
    parts = [part.strip().lstrip("+") for part in notifier.sms_countries.split(",")]
    if not all(part.isascii() and part.isdigit() for part in parts):
        fail(f"notifier.sms_countries: {notifier.sms_countries!r}: write calling codes: 886,81")
    countries = frozenset(int(part) for part in parts)
    found = read_contacts(file, countries=countries, skip_bad=skip_bad)
    book = ContactBook.open(notifier.contacts, notifier.contacts_key_file)
    try:
        book.replace(found.people.values(), names)
        people, aliases = book.count()
    finally:
        book.close()
    for problem in found.problems:
        note(f"left out: {problem}")
    reached = {
        "app": sum(bool(one.push_tokens) for one in found.people.values()),
        "sms": sum(one.phone is not None for one in found.people.values()),
        "email": sum(one.email is not None for one in found.people.values()),
    }
    nobody = sum(not (one.push_tokens or one.phone or one.email) for one in found.people.values())
    if json:
        told = {"customers": people, "aliases": aliases, "left_out": len(found.problems)}
        emit_json(told | reached | {"unreachable": nobody})
    else:
        by = ", ".join(f"{name} {count:,}" for name, count in reached.items())
        say(f"{people:,} customers in force; reached by {by}; not at all {nobody:,}")
    done(findings=bool(found.problems))


@contacts.command("show")
def show_contacts(json: Json = False) -> None:
    """Say how many customers can be reached; no contact is ever shown.

    Example: loginward customers contacts show
    """
    from notifier.contacts import ContactBook

    settings, _ = _opened()
    notifier = settings.notifier
    if not notifier.contacts.exists():
        fail(f"{notifier.contacts}: no contacts; load them: loginward customers contacts load FILE")
    book = ContactBook.open(notifier.contacts, notifier.contacts_key_file)
    people, aliases = book.count()
    book.close()
    if json:
        emit_json({"customers": people, "aliases": aliases})
    else:
        say(f"{people:,} customers, {aliases:,} spellings of their accounts")


def _opened() -> tuple[Settings, Pseudonyms]:
    from config.settings import load as load_settings
    from stream.keys import load_pseudonyms

    settings = load_settings()
    return settings, load_pseudonyms(settings)


def _in_force(settings: Settings, names: Pseudonyms) -> CustomerDirectory | None:
    from stream.directory import open_directory

    return open_directory(settings.directory.folder, names)


def _tell(header: Header, settings: Settings, *, json: bool) -> None:
    import msgspec

    from stream.directory import is_stale

    now = datetime.now(tz=UTC)
    stale = is_stale(header, settings.directory.stale_after, now)
    if json:
        facts = {"loaded": True, "stale": stale, "folder": str(settings.directory.folder)}
        emit_json(facts | msgspec.to_builtins(header))
        return
    say(f"{header.customers:,} customers, {header.aliases:,} aliases, version {header.version}")
    say("by class: " + ", ".join(f"{name} {count:,}" for name, count in header.classes.items()))
    hours = (now - header.as_of).total_seconds() / 3600
    say(f"exported {header.as_of:%Y-%m-%d %H:%M} UTC, {hours:,.0f} h ago" + (": STALE" * stale))
    say(f"loaded {header.loaded_at:%Y-%m-%d %H:%M} UTC with the pseudonym key {header.key_id}")
    if header.shared:
        say(f"{header.shared:,} aliases are held by several customers: whose they are is not known")
    if header.shrink_reason:
        say(f"to be taken even if smaller: {escaped(header.shrink_reason, 200)}")


def _time(text: str) -> datetime:
    way_out = "write it with its offset, like 2026-11-22T03:00:00+08:00"
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        fail(f"--as-of: '{escaped(text)}' is no time; {way_out}")
    if at.tzinfo is None:
        fail(f"--as-of: '{escaped(text)}' has no offset; {way_out}")
    return at
