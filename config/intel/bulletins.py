"""Bulletins taken in, renewed and revoked: each function checks a wish and writes its line."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_network
from typing import Any, Final

from detectors.errors import LoginwardError
from detectors.networks import Network

from .. import suppressions
from ..governance import books, ledger
from ..networks import load_networks
from ..settings import Settings
from .feed import Feed
from .indicator import Tlp, network_of
from .records import Line, Received, Renewed, Revoked, What
from .screening import Ranges, Screen, Screened, screened
from .store import (
    MOST_ENTRIES,
    Ledger,
    Told,
    append,
    folder_of,
    source_of,
    store_list,
    told,
)
from .warning_lists import warning_lists

UNMARKED: Final[Tlp] = "amber"
"""What nobody marked is told on need alone, as FIRST advises for what is not for the public."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """Who does it, under which login of this machine, why and when."""

    by: str
    login: str
    reason: str
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Came:
    """What came in: from where, its bytes' hash, what it holds, and where the next poll begins."""

    source: str
    content: str
    feed: Feed
    cursor: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of it. `line` is None where the same was known, as `bulletin`, and still is."""

    bulletin: str
    line: Line | None
    sorted_out: Screened
    tlp: Tlp


def receive(
    settings: Settings, came: Came, hand: Hand, *, tlp: Tlp | None = None, anew: bool = False
) -> Taken:
    """Take a bulletin in. `tlp` instead of its own marking; `anew`: also what was revoked here.

    Raises LoginwardError where there is too much of it, or the ledger is damaged; OSError.
    """
    folder = folder_of(settings)
    known = told(folder)
    sorted_out = screened(came.feed, screen_of(settings, known, hand.now, anew=anew))
    if len(known.entries) + len(sorted_out.fit) > MOST_ENTRIES:
        raise LoginwardError(
            f"{came.source}: more than {MOST_ENTRIES:,} indicators with those there are; start "
            "a new intel.folder, and keep the old one with the archive"
        )
    list_name = store_list(folder, sorted_out.fit)
    marked = tlp or came.feed.tlp or UNMARKED
    validity = int(settings.intel.validity.total_seconds())
    twin: list[str] = []

    def decide(chain: Ledger) -> What | None:
        same = [] if anew else _same(chain, came.content)
        if same:
            twin.append(same[-1])
            open_ended = any(one.valid_until is None for one in sorted_out.fit)
            return Renewed(bulletin=same[-1], validity_s=validity) if open_ended else None
        return Received(
            source=source_of(came.source),
            title=came.feed.title,
            format=came.feed.format,
            tlp=marked,
            content=came.content,
            indicators=list_name,
            applied=len(sorted_out.fit),
            skipped=dict(sorted_out.skipped),
            ignored=dict(came.feed.ignored),
            bad=came.feed.bad.count,
            validity_s=validity,
            cursor=came.cursor,
        )

    line = append(folder, decide, **_as(hand))
    name = twin[0] if twin or line is None else line.id
    return Taken(bulletin=name, line=line, sorted_out=sorted_out, tlp=marked)


def _same(chain: Ledger, content: str) -> list[str]:
    """Bulletins with the same content that were not revoked as a whole since."""
    revoked = {
        line.what.bulletin
        for line in chain.lines
        if isinstance(line.what, Revoked) and not line.what.networks
    }
    return [
        line.id
        for line in chain.lines
        if isinstance(line.what, Received)
        and line.what.content == content
        and line.id not in revoked
    ]


def revoke(settings: Settings, names: Iterable[str], hand: Hand) -> Line:
    """Take back a bulletin (`B3`), networks of it, or networks wherever they come from.

    Raises LoginwardError where it is not in force; OSError.
    """
    folder = folder_of(settings)
    bulletins = [name for name in names if name[:1] == "B" and name[1:].isdigit()]
    networks = [str(network_of(name)) for name in names if name not in bulletins]
    if len(bulletins) > 1:
        raise LoginwardError(f"{', '.join(bulletins)}: one bulletin at a time; each has its reason")
    if not bulletins and not networks:
        raise LoginwardError("nothing is named; write B3, or addresses as `intel list` shows them")
    bulletin = bulletins[0] if bulletins else None

    def decide(_: Ledger) -> What:
        known = told(folder)
        if bulletin is not None and bulletin not in known.bulletins():
            raise LoginwardError(f"{bulletin}: no such bulletin; see `loginward intel ledger`")
        standing = {
            one.indicator.network
            for one in known.entries
            if not one.ended and bulletin in {None, one.bulletin}
        }
        gone = [network for network in networks if network not in standing]
        if gone or not standing:
            raise LoginwardError(
                f"{', '.join(gone[:5]) or bulletin}: is not in force; see `loginward intel list`"
            )
        return Revoked(bulletin=bulletin, networks=networks)

    line = append(folder, decide, **_as(hand))
    assert line is not None  # noqa: S101 (decide always gives one)
    return line


def screen_of(settings: Settings, known: Told, now: datetime, *, anew: bool = False) -> Screen:
    """What this installation keeps out. Raises LoginwardError where a list of its cannot be read.

    Our own are the trusted proxies of files.networks and the networks that `rules allow` names.
    """
    revoked: set[str] = set()
    for line in known.ledger.lines:
        if isinstance(line.what, Revoked):
            revoked |= set(line.what.networks)
    return Screen(
        own=Ranges(own_networks(settings, now)),
        lists=warning_lists(settings.intel.warning_lists),
        revoked=frozenset() if anew else frozenset(revoked),
        least_confidence=settings.intel.least_confidence,
    )


def own_networks(settings: Settings, now: datetime) -> list[Network]:
    """Trusted proxies of every source, and allow-listed networks in force."""
    own = [
        network
        for networks in load_networks(settings.files.networks).proxies.values()
        for network in networks
    ]
    held = suppressions.load(ledger.read(books.folder_of(settings)).lines)
    allowed = (entry.network for entry in held.entries if entry.holds(now))
    return own + [ip_network(network) for network in allowed if network is not None]


def content_of(data: bytes) -> str:
    """The hash by which the same content is known again."""
    return hashlib.sha256(data).hexdigest()


def _as(hand: Hand) -> dict[str, Any]:
    return {"by": hand.by, "login": hand.login, "reason": hand.reason, "now": hand.now}
