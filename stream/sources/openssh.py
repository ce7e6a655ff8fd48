"""OpenSSH: logins from the log of sshd, with the lines of the PAM modules inside it."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable

import msgspec

from detectors.addresses import canonical
from detectors.errors import Rejected
from detectors.events import LoginEvent

from .attempts import Attempts
from .base import Found, Kind, Line, Source, SourceOptions, Understood
from .marks import Mark, Told
from .pam_children import is_address
from .pam_messages import old_module, read_module_message, read_more, read_pam
from .sshd_messages import Act, Said, read_message
from .stamps import Stamps
from .syslog import Frame, read_frame

_PROGRAMS = {"sshd", "sshd-session", "sshd-auth"}
"""OpenSSH 9.8 split sshd-session off, 10.0 sshd-auth; all three write of logins."""

_REPEATED = re.compile(
    r"message repeated (?P<times>\d{1,9}) times?: \[ ?(?P<message>.*)\]", re.DOTALL
)
_MOST_REPEATS = 10_000
"""rsyslog sums up over minutes; a larger number is a damaged or a forged line."""

_LONGEST_ACCOUNT = 256
_DECIDED = {Act.FAILED, Act.ACCEPTED, Act.EXCEEDED, Act.PAM_MORE}


class _Last(msgspec.Struct, frozen=True):
    """The line before, of which `last message repeated N times` speaks."""

    frame: Frame
    said: Said
    at: int


class OpenSsh:
    """Reads one log of sshd, in whatever form syslog or journald wrote it down."""

    def __init__(self, options: SourceOptions) -> None:
        self._system = options.system
        self._ids = options.ids
        self._stamps = Stamps(options.zone, options.years)
        self._attempts = Attempts()
        self._last: _Last | None = None

    def read(self, line: Line) -> Understood:
        """What `line` says; see `Source.read`."""
        if line.cut is not None:
            raise Rejected("too_large", f"{line.cut.length} bytes in one line")
        if not line.raw.strip():
            return Understood("no_login", "an empty line")
        frame = read_frame(line.raw, self._stamps)
        if frame.repeated:
            return self._again(frame, line)
        module = old_module(frame.program)
        if frame.program not in _PROGRAMS and module is None:
            self._last = None
            return Understood("no_login", "another program")
        message, times = _unpacked(frame.message)
        said = read_pam(module, message) if module is not None else _said(message)
        self._last = _Last(frame, said, line.at)
        return self._take(frame, said, line, times)

    def flush(self, *, cut_off: bool) -> tuple[Found, ...]:
        """The attempts no decision came for; see `Source.flush`."""
        return self._found(self._attempts.flush(cut_off=cut_off))

    def holds_from(self) -> int | None:
        """See `Source.holds_from`."""
        return self._attempts.holds_from()

    def needs_from(self) -> int | None:
        """See `Source.needs_from`."""
        places = (
            self._attempts.needs_from(),
            self._ids.needs_from(),
            None if self._last is None else self._last.at,
        )
        return min((place for place in places if place is not None), default=None)

    def _again(self, frame: Frame, line: Line) -> Understood:
        last = self._last
        if last is None or (frame.host and frame.host != last.frame.host):
            return Understood("no_login", "repeats a line that is no login")
        same = msgspec.structs.replace(last.frame, occurred_at=frame.occurred_at, dated=frame.dated)
        return self._take(same, last.said, line, _bounded(frame.repeated))

    def _take(self, frame: Frame, said: Said, line: Line, times: int) -> Understood:
        if said.act is Act.NOTHING:
            return Understood("no_login", said.why)
        if said.account is not None and len(said.account) > _LONGEST_ACCOUNT:
            raise Rejected("bad_value", f"account: {len(said.account)} characters")
        if said.act in {Act.CLOSED, Act.HINT}:
            told = list(self._told(frame, said, Mark(line.at, frame.occurred_at, "")))
            return Understood("no_login", said.why, self._found(told), self._attempts.replaced())
        identity = self._ids.line(line.raw, line.at, frame.occurred_at, dated=frame.dated)
        told = []
        for index in range(times * said.count):
            mark = Mark(line.at, frame.occurred_at, identity.event_id(index))
            told += self._told(frame, said, mark)
        here = any(one.mark.at == line.at for one in told)
        kind: Kind = "attempt" if here else "no_login" if said.act in _DECIDED else "held"
        return Understood(kind, said.why, self._found(told), self._attempts.replaced())

    def _told(self, frame: Frame, said: Said, mark: Mark) -> Iterable[Told]:
        return self._attempts.take(_process(frame, said), frame.host, said, mark)

    def _found(self, told: Iterable[Told]) -> tuple[Found, ...]:
        return tuple(Found(self._event(one), one.mark.at) for one in told)

    def _event(self, told: Told) -> LoginEvent:
        address = told.address
        return LoginEvent(
            schema=1,
            event_id=told.mark.event_id,
            occurred_at=told.mark.occurred_at,
            system=self._system,
            account=told.account,
            # A host name is no address: who had it then is not known now.
            ip=canonical(address) if address is not None and is_address(address) else None,
            outcome=told.outcome,
            reason=told.reason,
        )


def make(options: SourceOptions) -> Source:
    """A source for one log of sshd."""
    return OpenSsh(options)


def _process(frame: Frame, said: Said) -> Hashable:
    if frame.process is not None:
        return frame.host, frame.process
    # A log without process numbers: what comes from the same address is taken together.
    return frame.host, None, said.address


def _unpacked(message: str) -> tuple[str, int]:
    message = message.rstrip(" ")
    match = _REPEATED.fullmatch(message)
    times = 1
    if match is not None:
        message, times = match["message"].rstrip(" "), _bounded(int(match["times"]))
    return message.removesuffix(" [preauth]"), times


def _bounded(times: int) -> int:
    if times > _MOST_REPEATS:
        raise Rejected(
            "unparsable_line", f"repeated {times} times; at most {_MOST_REPEATS} are read"
        )
    return times


def _said(message: str) -> Said:
    if message.startswith("pam_"):
        return read_module_message(message)
    if message.startswith("PAM "):
        return read_more(message)
    return read_message(message)
