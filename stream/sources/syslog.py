"""One line of syslog, however it was written down, as time, host, program, process and message.

Read: the classic file (`Dec 10 06:55:46 host sshd[1]: ...`), the same with a priority in front
(RFC 3164), rsyslog's and systemd's ISO time stamps, RFC 5424, and `journalctl -o json`.
"""

from __future__ import annotations

import re
from datetime import datetime

import msgspec

from detectors.errors import Rejected

from .journald import read_entry
from .stamps import CLASSIC, ISO, Stamps

_CLASSIC = re.compile(
    # BSD and Solaris write the priority after the time, as <4.6> or <auth.info>
    rf"(?:<\d{{1,3}}>)?(?P<stamp>{CLASSIC}|{ISO}) (?:<[\w.]{{1,20}}> )?"
    r"(?:(?P<host>[^\s\[\]<>]{1,255}(?<!:)) )?"
    # old syslogd: `sshd(pam_unix)[1]: `; without a process `sshd: ` or even `[sshd] `
    r"(?:(?P<program>[\w./-]{1,64}(?:\([\w-]{1,32}\))?)(?:\[(?P<process>\d{1,10})\])?:"
    r"|\[(?P<bracketed>[\w./-]{1,64})\]:?)"
    r" (?:\[ID \d+ [\w.]+\] )?(?P<message>.*)",
    re.ASCII | re.DOTALL,
)
_REPEATED = re.compile(
    rf"(?:<\d{{1,3}}>)?(?P<stamp>{CLASSIC}|{ISO}) (?:(?P<host>[^\s\[\]]{{1,255}}) )?"
    r"(?:--- )?last message repeated (?P<times>\d{1,9}) times?(?: ---)?",
    re.ASCII,
)
# Old programs without a tag, as in "Jun 19 04:09:11 combo syslogd 1.4.1: restart."
_NO_PROGRAM = re.compile(
    rf"(?:<\d{{1,3}}>)?(?P<stamp>{CLASSIC}|{ISO}) (?P<host>\S{{1,255}}) ", re.ASCII
)
_RFC5424 = re.compile(
    rf"<\d{{1,3}}>1 (?P<stamp>{ISO}|-) (?P<host>\S{{1,255}}) (?P<program>\S{{1,64}}) "
    r"(?P<process>\S{1,128}) \S{1,64} "
    # structured data: an element's values may hold blanks, brackets and escaped quotes
    r'(?:-|(?:\[(?:[^\]"\\]|"(?:[^"\\]|\\.)*")*\])+)(?: (?:\ufeff)?(?P<message>.*))?',
    re.ASCII | re.DOTALL,
)


class Frame(msgspec.Struct, frozen=True):
    """One message of one process; `dated`: whether its time stamp has a year.

    `repeated` > 0 stands for "last message repeated N times", which has no message of its own.
    """

    occurred_at: datetime
    dated: bool
    host: str
    program: str
    process: str | None
    message: str
    repeated: int = 0


def read_frame(raw: bytes, stamps: Stamps) -> Frame:
    """The frame of one line. Raises `Rejected` where it is none of the known forms."""
    if raw.startswith(b"{"):
        return _from_journal(raw)
    # Bytes that are no UTF-8 stay visible as \xNN; control characters are the exits' affair.
    text = raw.decode("utf-8", "backslashreplace")
    match = _RFC5424.fullmatch(text)
    if match is not None:
        return _frame(match, stamps, match["message"] or "")
    match = _CLASSIC.fullmatch(text)
    if match is not None:
        return _frame(match, stamps, match["message"])
    match = _REPEATED.fullmatch(text)
    if match is not None:
        return _frame(match, stamps, "", repeated=int(match["times"]))
    match = _NO_PROGRAM.match(text)
    if match is not None and "sshd" not in text:
        return _frame(match, stamps, "")
    raise Rejected("unparsable_line", f"no syslog line and no journal entry: {text[:120]!r}")


def _frame(match: re.Match[str], stamps: Stamps, message: str, repeated: int = 0) -> Frame:
    stamp = match["stamp"]
    if stamp == "-":
        raise Rejected("unparsable_line", "time '-': an RFC 5424 message without a time")
    named = match.groupdict()
    return Frame(
        stamps.read(stamp),
        stamp[0].isdigit(),
        match["host"] or "",
        named.get("program") or named.get("bracketed") or "",
        _number(named.get("process")),
        message,
        repeated,
    )


def _number(process: str | None) -> str | None:
    return process if process is not None and process.isdigit() else None


def _from_journal(raw: bytes) -> Frame:
    entry = read_entry(raw)
    return Frame(
        occurred_at=entry.occurred_at,
        dated=True,
        host=entry.host,
        program=entry.program,
        process=_number(entry.process),
        message=entry.message,
    )
