"""Answers of strangers' servers, bounded: TLS, no redirects, so many bytes, so much time."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from detectors.errors import LoginwardError, escaped

from ..secret_files import read_password
from ..settings import Settings
from .feed import LARGEST_BYTES

_CONNECT_S: Final = 10.0
_SILENT_S: Final = 60.0
"""Without a byte for this long a server is given up."""
_LONGEST_S: Final = 900.0
"""For a whole collection, page after page."""
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How servers are reached: who we are to which of them, and whose certificates count."""

    host: str | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ssl_cafile: Path | None = None

    def login(self, url: str) -> tuple[str, str] | None:
        """User and password for the server of `url`; None for every other than `host`."""
        if self.username is None or self.password is None:
            return None
        return (self.username, self.password) if urlsplit(url).hostname == self.host else None


def access_of(settings: Settings) -> Access:
    """What the settings say. Raises LoginwardError where they are half."""
    intel = settings.intel
    if intel.username is None and intel.password_file is None:
        return Access(ssl_cafile=intel.ssl_cafile)
    if intel.username is None or intel.password_file is None or intel.host is None:
        raise LoginwardError(
            "intel.host, intel.username, intel.password_file: all three or none; no other server "
            "than intel.host is told them"
        )
    return Access(
        host=intel.host.lower(),
        username=intel.username,
        password=read_password("intel.password_file", intel.password_file),
        ssl_cafile=intel.ssl_cafile,
    )


def is_url(text: str) -> bool:
    """Whether an input is one to be fetched."""
    return text.lower().startswith(("http://", "https://"))


def checked(url: str) -> str:
    """The URL, if it may be fetched. Raises LoginwardError."""
    shown = escaped(url, 100)
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        raise LoginwardError(f"{shown}: is no URL") from None
    if parts.username is not None or parts.password is not None:
        raise LoginwardError(
            f"{escaped(host or '', 100)}: the URL holds a user or a password; write them into "
            "intel.username and the file of intel.password_file"
        )
    if host is None or not (parts.scheme == "https" or host in _LOOPBACK):
        raise LoginwardError(
            f"{shown}: only https, since whoever sits between could list your customers; fetch "
            "it yourself and import the file"
        )
    return url


class Bounds:
    """Counts bytes and time over all answers; `last_added` is TAXII's place in the collection."""

    def __init__(self) -> None:
        self.last_added = ""
        self._left = LARGEST_BYTES
        self._until = time.monotonic() + _LONGEST_S

    def on_response(self, response: Any, **_: Any) -> None:
        """A hook of requests, called before it reads the body."""
        response.raw = _Limited(response.raw, self)
        self.last_added = response.headers.get("X-TAXII-Date-Added-Last", self.last_added)

    def spend(self, size: int) -> None:
        """So many bytes came. Raises LoginwardError beyond the bounds."""
        self._left -= size
        if self._left < 0:
            raise LoginwardError(f"sends more than {LARGEST_BYTES >> 20} MiB")
        if time.monotonic() > self._until:
            raise LoginwardError(f"took more than {_LONGEST_S / 60:.0f} minutes")


class _Limited:
    """An answer's body, unpacked as it is read, so that a small one cannot grow without end."""

    def __init__(self, raw: Any, bounds: Bounds) -> None:
        self._raw = raw
        self._bounds = bounds

    def read(self, size: int | None = None) -> bytes:
        data: bytes = self._raw.read(size, decode_content=True)
        try:
            self._bounds.spend(len(data))
        except LoginwardError:
            self._raw.close()  # half read, it is of no use to the next request
            raise
        return data

    def close(self) -> None:
        self._raw.close()

    def release_conn(self) -> None:
        self._raw.release_conn()


def bind(session: Any, url: str, access: Access) -> Bounds:
    """Bound everything that a session of requests does; only the scheme of `url` is left to it."""
    bounds = Bounds()
    scheme = f"{urlsplit(url).scheme}://"
    for other in set(session.adapters) - {scheme}:
        del session.adapters[other]
    session.hooks["response"].append(bounds.on_response)
    session.request = partial(session.request, timeout=(_CONNECT_S, _SILENT_S))
    session.max_redirects = 0  # a redirect could lead into our own network
    session.verify = True if access.ssl_cafile is None else str(access.ssl_cafile)
    session.auth = access.login(url)
    return bounds


def download(url: str, access: Access) -> bytes:
    """A file. Raises LoginwardError."""
    import requests  # noqa: PLC0415 (urllib3 opens a socket when it is imported)

    checked(url)
    try:
        with requests.Session() as session:
            bind(session, url, access)
            response = session.get(url)
            response.raise_for_status()
            content: bytes = response.content
            return content
    except LoginwardError as failure:
        raise LoginwardError(f"{escaped(url, 100)}: {failure}") from None
    except (requests.RequestException, OSError, ValueError) as failure:
        raise LoginwardError(
            f"{escaped(url, 100)}: {type(failure).__name__}: {escaped(str(failure), 300)}"
        ) from None
