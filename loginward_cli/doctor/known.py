"""What can tell facts here: the directory of customers, geo data, the list of networks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from config.durations import written
from config.errors import SettingsError
from config.networks import DEFAULT, read_networks
from config.settings import Settings
from detectors.errors import LoginwardError
from stream.directory import current_file, is_stale
from stream.directory_file import Header, open_file, read_header
from stream.geo import GeoFile, open_geo
from stream.keys import load_pseudonyms

from .check import Check, Visit, finding, note, ok

_OLD_GEO = timedelta(days=180)
"""Addresses change hands: MaxMind's licence wants data replaced after 30 days; half a year is the
age at which a wrong country is likelier than a missing one (our estimate)."""
_OLD_LIST = timedelta(days=365)
_LOAD = "loginward customers load FILE.csv"


def known(visit: Visit) -> Iterator[Check]:
    """Which facts can be had beside those that the events carry."""
    yield from _directory(visit)
    yield from _geo(visit)
    yield from _networks(visit)


def _directory(visit: Visit) -> Iterator[Check]:
    settings = visit.settings
    try:
        header = _header(settings)
    except LoginwardError as failure:
        yield finding("directory", str(failure), _LOAD)
        return
    if header is None:
        yield note(
            "directory",
            "no directory of customers: the class of an account is known where the event says it, "
            f"and conditions that need it are off elsewhere; {_LOAD}",
        )
        return
    told = f"{header.customers} customers, {header.aliases} aliases, version {header.version}"
    age = f"exported {header.as_of:%Y-%m-%d %H:%M} UTC"
    if is_stale(header, settings.directory.stale_after, visit.now):
        yield finding(
            "directory.stale",
            f"{told}, {age}: older than {written(settings.directory.stale_after)}; new customers "
            "may be called unknown",
            f"mend the nightly export, then {_LOAD}",
        )
    else:
        yield ok("directory", f"{told}, {age}")
    if header.shared:
        yield note(
            "directory.shared",
            f"{header.shared} aliases are held by several customers: whose they are is not known",
        )


def _header(settings: Settings) -> Header | None:
    """What the file in force says; opened whole where there is a key to open it with."""
    path = current_file(settings.directory.folder)
    if path is None:
        return None
    if not settings.keys.pseudonym_key_file.exists():  # made at first start, not by a look
        return read_header(path)
    return open_file(path, load_pseudonyms(settings)).header


def _geo(visit: Visit) -> Iterator[Check]:
    folder = visit.settings.geo.folder
    try:
        data = open_geo(folder)
    except LoginwardError as failure:
        yield finding("geo", str(failure), "replace it, or take it out of geo.folder")
        return
    if data is None:
        yield note(
            "geo",
            f"{folder}: no MMDB files: origins are known where the event says them, and conditions "
            "that need them are off elsewhere; put files there, or run loginward geo fetch",
        )
        return
    for file in data.files:
        yield _geo_file(visit, file)


def _geo_file(visit: Visit, file: GeoFile) -> Check:
    told = f"{file.path}: {file.kind}, made {file.built_at:%Y-%m-%d}"
    if visit.now - file.built_at > _OLD_GEO:
        return note("geo.old", f"{told}: addresses have changed hands since; bring newer data")
    return ok("geo", told)


def _networks(visit: Visit) -> Iterator[Check]:
    own = visit.settings.files.networks
    proxies: list[str] = []
    for path in (DEFAULT, *([] if own is None else [own])):
        try:
            file = read_networks(path)
        except SettingsError as failure:
            for problem in failure.problems:
                yield finding("networks", str(problem), "correct the list of networks")
            continue
        proxies += file.proxies
        oldest = min((entry.date for entry in file.asns), default=visit.now.date())
        if visit.now.date() - oldest > _OLD_LIST:
            yield note("networks.old", f"{path}: read on {oldest}; AS numbers change hands")
        else:
            yield ok("networks", f"{path}: {sum(len(e.numbers) for e in file.asns)} AS numbers")
    if not proxies:
        yield note(
            "networks.proxies",
            "no trusted proxies are named: if a source sees your load balancer instead of the "
            "client, name it under [[trusted_proxies]] in files.networks",
        )
