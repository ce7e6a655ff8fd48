"""Threat intelligence for a replay: the ledger as of its times, or a bulletin by itself."""

from __future__ import annotations

import hashlib
from ipaddress import ip_network
from pathlib import Path

from detectors.errors import LoginwardError
from detectors.events import milliseconds
from detectors.indicators import FOR_EVER, SINCE_EVER, Indicators, Span

from .indicator import Indicator
from .reading import read_file
from .screening import Screen, screened
from .store import FILE, told


def indicators_of(path: Path) -> Indicators:
    """What `path` lists: intel.folder (or its ledger), or a bulletin as a source gives it.

    The ledger judges each login by what was in force at its time. A bulletin's own times hold for
    it: since ever where it has no beginning. Raises LoginwardError.
    """
    folder = path.parent if path.name == FILE else path
    if folder.is_dir():
        if not (folder / FILE).is_file():
            raise LoginwardError(f"{folder}: holds no {FILE}; name intel.folder, or a bulletin")
        known = told(folder)
        if known.troubles:
            raise LoginwardError(known.troubles[0])
        return known.indicators
    data, feed = read_file(path)
    version = hashlib.sha256(data).hexdigest()[:16]
    fit = (one for one in screened(feed, Screen()).fit if not one.revoked)
    return Indicators(((ip_network(one.network), _span(one)) for one in fit), version=version)


def _span(one: Indicator) -> Span:
    return Span(
        SINCE_EVER if one.valid_from is None else milliseconds(one.valid_from),
        FOR_EVER if one.valid_until is None else milliseconds(one.valid_until),
        "",
    )
