"""What a value must be beyond its type: bounds and shapes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from .durations import written

# Kafka allows letters, digits, '.', '_' and '-' in the names of topics and groups.
_NAME = re.compile(r"[A-Za-z0-9._-]{0,64}")
_HOST_PORT = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):([0-9]{1,5})")
_HIGHEST_PORT = 65_535
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}


@dataclass(frozen=True, slots=True)
class Between:
    """From `low` to `high`, both allowed."""

    low: Any
    high: Any

    def __call__(self, value: Any) -> str | None:
        """What is wrong, or None."""
        if self.low <= value <= self.high:
            return None
        return f"is not between {_plain(self.low)} and {_plain(self.high)}"


@dataclass(frozen=True, slots=True)
class NonEmpty:
    """A text or path that must be given."""

    def __call__(self, value: object) -> str | None:
        """What is wrong, or None."""
        return None if str(value) else "is empty; it must be set"


def host_port(value: str | None) -> str | None:
    """One `host:port`, or nothing."""
    if value is None or ("," not in value and host_ports(value) is None):
        return None
    return "is not one host:port; write siem.example:6514"


@dataclass(frozen=True, slots=True)
class Longest:
    """A text of at most `characters`, all printable."""

    characters: int

    def __call__(self, value: str) -> str | None:
        """What is wrong, or None."""
        if len(value) > self.characters:
            return f"has {len(value)} characters; at most {self.characters}"
        return None if value.isprintable() else "holds control characters"


def http_url(value: str | None) -> str | None:
    """`https://host/path`, or http:// for servers of this machine; no user, query or fragment."""
    if value is None:
        return None
    try:
        parts = urlsplit(value)
        valid = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid or parts.username or parts.query or parts.fragment:
        return "is not a URL like https://host/path"
    local = parts.hostname in {"localhost", "127.0.0.1", "::1"}
    if parts.scheme == "http" and not local:
        return "is http:// to another machine; write https://, it carries secrets"
    return None


def host_ports(value: str) -> str | None:
    """`host:port`, several with commas."""
    for part in value.split(","):
        match = _HOST_PORT.fullmatch(part.strip())
        if match is None or not 0 < int(match[1]) <= _HIGHEST_PORT:
            return "is not host:port (several with commas); write kafka1:9092,kafka2:9092"
    return None


def web_url(value: str | None) -> str | None:
    """`https://host/...`; plain http to this machine alone, since what is sent names attacks."""
    if value is None:
        return None
    try:
        parts = urlsplit(value)
        host, valid = parts.hostname, parts.port != 0
    except ValueError:
        host, valid = None, False
    if not valid or not host or parts.scheme not in {"http", "https"} or parts.username:
        return "is no URL like https://siem.example/alerts (no user or password in it)"
    if parts.scheme == "http" and host not in _LOOPBACK:
        return "is plain http to another machine; write https://"
    return None


def name_part(value: str | None) -> str | None:
    """Something that may stand in the name of a topic or a group."""
    if value is None or _NAME.fullmatch(value):
        return None
    return "holds more than letters, digits, '.', '_' and '-', or more than 64 of them"


def time_zone(value: str) -> str | None:
    """A name of the IANA time zone database."""
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return "is no time zone; write Asia/Taipei or UTC"
    return None


def addresses(value: str | None) -> str | None:
    """IP addresses, several with commas."""
    for part in value.split(",") if value else ():
        try:
            ip_address(part.strip())
        except ValueError:
            return "is not an IP address (several with commas); write 192.0.2.1,192.0.2.2"
    return None


@dataclass(frozen=True, slots=True)
class SecretUrl:
    """A URL that redis-py understands. It may hold a password, so no message shows it."""

    def __call__(self, value: str) -> str | None:
        """What is wrong, or None."""
        try:
            parts = urlsplit(value)
            valid = parts.scheme in {"redis", "rediss", "unix"} and parts.port != 0
        except ValueError:
            valid = False
        return None if valid else "is not a URL like redis://host:6379/0, rediss:// or unix:///path"

    def in_file(self, value: str) -> str | None:
        """What is wrong with it in a file, which ends in repositories and backups; or None."""
        if "@" in value:
            return "holds a password; put it into password_file, or the URL into the environment"
        return None


def _plain(bound: object) -> str:
    return written(bound) if isinstance(bound, timedelta) else str(bound)
