"""Attempts as records of `logins`: JSON written from prepared fragments, not built as objects."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Final

from detectors.errors import LoginwardError

from .agents import AGENTS
from .attempts import MFA_FAILED, SUCCESS, Attempt
from .mixing import mixed, scattered
from .networks import NETWORKS

OPTIONAL: Final = (
    "origin",
    "reason",
    "account_class",
    "channel",
    "device_id",
    "fingerprint",
    "user_agent",
    "session_id",
    "mfa",
    "received_at",
    "action",
)
"""The optional fields of the wire that a simulated core system can tell."""

DEFAULT_FIELDS = ("origin",)

_ORIGINS = tuple(f'"origin":{{"country":"{n.country}","asn":{n.asn}}}' for n in NETWORKS)
_AGENTS = tuple(f'"user_agent":{json.dumps(agent.user_agent)}' for agent in AGENTS)
# What a server can make of TLS and headers; the same for everybody with the same program.
_PRINTS = tuple(
    f'"fingerprint":"{blake2b(agent.user_agent.encode(), digest_size=8).hexdigest()}"'
    for agent in AGENTS
)
_SERIAL_BITS = 48


def parse_fields(text: str) -> tuple[str, ...]:
    """`none`, `all`, or names joined by commas. Raises LoginwardError with the way out."""
    if text in {"all", "none"}:
        return OPTIONAL if text == "all" else ()
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name not in OPTIONAL:
            raise LoginwardError(
                f"--fields {text}: {name!r} is none of {', '.join(OPTIONAL)}; or write all or none"
            )
    return tuple(name for name in OPTIONAL if name in names)


class Renderer:
    """Writes attempts of one run; `run` names the run in every event id (8 hex digits)."""

    def __init__(self, run: str, fields: tuple[str, ...], *, second_factor: bool = False) -> None:
        self._run = run
        # Said of every login that comes under a second factor, whatever came of it.
        self._mfa = '"mfa":true' if second_factor else ""
        self._origin = "origin" in fields
        self._more = tuple(name for name in fields if name != "origin")
        self._minute = -1
        self._until_minute = ""

    def event_id(self, serial: int) -> str:
        """The identity of event `serial` (0 to 2^48 - 1): unique within and across runs."""
        return f"{self._run}{scattered(serial, _SERIAL_BITS):012x}"

    def _session(self, attempt: Attempt) -> str:
        if not attempt.session:
            return ""
        return f"{self._run}{mixed(attempt.session) & (1 << _SERIAL_BITS) - 1:012x}"

    def line(self, attempt: Attempt, event_id: str) -> bytes:
        """The record: required fields in the order of the wire, then the chosen optional ones."""
        account = attempt.account
        if account is not None:
            account = f'"{account}"' if account.isalnum() else json.dumps(account)
        ip = attempt.ip
        more = ""
        if self._origin and attempt.network >= 0:
            more = "," + _ORIGINS[attempt.network]
        if self._more:
            more += self._optional(attempt, event_id)
        return (
            f'{{"schema":1,"event_id":"{event_id}","occurred_at":"{self._time(attempt.at_ms)}",'
            f'"system":"{attempt.system}","account":{account or "null"},'
            f'"ip":{"null" if ip is None else chr(34) + ip + chr(34)},'
            f'"outcome":"{"success" if attempt.outcome == SUCCESS else "failure"}"{more}}}'
        ).encode()

    def _time(self, at_ms: int) -> str:
        minute, ms = divmod(at_ms, 60_000)
        if minute != self._minute:
            self._minute = minute
            start = datetime.fromtimestamp(minute * 60, UTC)
            self._until_minute = start.strftime("%Y-%m-%dT%H:%M:")
        return f"{self._until_minute}{ms // 1000:02d}.{ms % 1000:03d}Z"

    def _optional(self, attempt: Attempt, event_id: str) -> str:
        parts = [self._field(name, attempt, event_id) for name in self._more]
        return "".join("," + part for part in parts if part)

    def _field(  # noqa: C901, PLR0911 (a table)
        self, name: str, attempt: Attempt, event_id: str
    ) -> str:
        match name:
            case "reason":
                return _reason(attempt)
            case "account_class":
                return f'"account_class":"{"customer" if attempt.exists else "unknown"}"'
            case "channel":
                return f'"channel":"{"phone" if attempt.ip is None else _channel(attempt)}"'
            case "received_at":
                return f'"received_at":"{self._time(attempt.at_ms)}"'
            case "mfa":
                return self._mfa if attempt.ip is not None else ""
            case "action":
                return _deed(attempt)
        if attempt.ip is None:
            return ""
        match name:
            case "session_id":  # given out with the login page, before anybody is known
                return f'"session_id":"s-{self._session(attempt) or event_id}"'
            case "device_id":
                return f'"device_id":"dev-{mixed(attempt.device):016x}"'
            case "fingerprint":
                return _PRINTS[attempt.agent]
            case _:
                return _AGENTS[attempt.agent]


def _deed(attempt: Attempt) -> str:
    deed = attempt.deed
    if deed is None:
        return ""
    paper = f',"instrument":"{deed.instrument}","market":"{deed.market}"' if deed.market else ""
    return f'"action":"{deed.action}"{paper}'


def _channel(attempt: Attempt) -> str:
    return AGENTS[attempt.agent].channel


def _reason(attempt: Attempt) -> str:
    if attempt.outcome == SUCCESS:
        return ""
    if attempt.outcome == MFA_FAILED:
        return '"reason":"mfa_failed"'
    return '"reason":"bad_password"' if attempt.exists else '"reason":"unknown_account"'
