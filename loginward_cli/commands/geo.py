"""`loginward geo`: the data by which an address is placed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from detectors.errors import escaped
from loginward_cli.output import emit_json, fail, say

if TYPE_CHECKING:
    from config.settings import Settings
    from stream.geo import GeoData

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Fetch geo data by package name; say where an address lies.",
)

Json = Annotated[bool, typer.Option("--json", help="As JSON, last line.")]


@app.command()
def fetch(json: Json = False) -> None:
    """Fetch country and AS data (26 MB, with npm) and put it into geo.folder.

    Pinned and checked; kept in the cache, so that it is fetched once. Without it, or offline, the
    pipeline runs and origins are not known. MMDB files of your own in geo.folder are left alone.
    Example: loginward geo fetch
    """
    from config.settings import load
    from deploy.embedded import Console
    from deploy.geo import GeoError, ensure, publish

    settings = load()
    try:
        made = ensure(Console())
    except GeoError as failure:
        fail(f"{failure}. Until then the pipeline runs, and origins are not known")
    files = publish(made, settings.geo.folder)
    if json:
        emit_json({"folder": str(settings.geo.folder), "files": [file.name for file in files]})
        return
    for file in files:
        say(f"{file}")
    say(f"sources and licences: {settings.geo.folder / 'SOURCES.md'}")


@app.command()
def check(
    address: Annotated[str, typer.Argument(help="An IPv4 or IPv6 address.")], json: Json = False
) -> None:
    """Say what is known of an address: country, AS and its owner, kinds of network.

    Example: loginward geo check 203.0.113.7
    """
    from config.networks import load_networks
    from config.settings import load
    from detectors.addresses import canonical
    from detectors.events import EPOCH, LoginEvent
    from detectors.facts import facts_of

    settings = load()
    try:
        plain = canonical(address.strip())
    except ValueError:
        fail(f"'{escaped(address)}' is no address; write 203.0.113.7 or 2001:db8::1")
    data = _opened(settings)
    known = facts_of(
        LoginEvent(  # as a login from there, so that live and here the same is said
            schema=1,
            event_id="check",
            occurred_at=EPOCH,
            system="check",
            account=None,
            ip=plain,
            outcome="failure",
        ),
        origins=data,
        networks=load_networks(settings.files.networks),
    )
    told = {
        "address": plain,
        "country": known.country,
        "asn": known.asn,
        "as_name": known.as_name,
        "kinds": None if known.kinds is None else sorted(known.kinds),
        "geo": data.version,
    }
    if json:
        emit_json(told)
        return
    for name, value in told.items():
        shown = ", ".join(value) or "none" if isinstance(value, list) else value
        say(f"{name}: {'not known' if shown is None else shown}")


def _opened(settings: Settings) -> GeoData:
    from stream.geo import open_geo

    data = open_geo(settings.geo.folder)
    if data is None:
        fail(
            f"{settings.geo.folder}: holds no MMDB file; put yours there, or run "
            "loginward geo fetch"
        )
    return data
