"""What one message of sshd says about a login (OpenSSH's auth.c, auth2.c, auth-pam.c, packet.c).

User names are the attacker's to choose: `x from 192.0.2.1 port 22 ssh2` is one. So the address is
read from the end of the message, where sshd writes it, never from the first ` from `.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import IntEnum, auto

import msgspec

from detectors.errors import Rejected
from detectors.events import Reason


class Act(IntEnum):
    """What a message reports, from the weakest hint to a decision."""

    NOTHING = auto()
    CLOSED = auto()
    """The connection is over; nothing more will be said about its attempts."""
    HINT = auto()
    """Why the attempts of this process fail (account locked, expired, unknown to PAM)."""
    REFUSED = auto()
    """The name was refused before any password: counts if no decision follows."""
    PAM_FAILED = auto()
    """A PAM module says no; sshd's own line mostly follows."""
    PAM_MORE = auto()
    """PAM's sum of further failures at the end of a process."""
    PAM_ERROR = auto()
    """sshd repeats PAM's final answer; its line `Failed` may follow."""
    EXCEEDED = auto()
    """Too many failures: counts only where none of them was logged."""
    FAILED = auto()
    ACCEPTED = auto()


class Said(msgspec.Struct, frozen=True):
    """What a message says; `account` None where it names none, `address` as written."""

    act: Act
    why: str
    account: str | None = None
    address: str | None = None
    reason: Reason | None = None
    module: str = ""
    count: int = 1


NOTHING = Said(Act.NOTHING, "sshd: no login")
CLOSED = Said(Act.CLOSED, "sshd: the connection is over")

_ADDRESS = r"(?P<address>[\w.:%-]{1,255})"
_WHO = r"(?P<unknown>(?:invalid|illegal) user )?(?P<account>.*)"
_TAIL = rf"from {_ADDRESS}(?: port \d{{1,5}})?(?: ssh\d?)?"

_DECISION = re.compile(
    r"(?:Failed|Accepted) (?P<method>[\w/@.-]{1,64}) for (?P<rest>.*)", re.DOTALL
)
_PLAIN = re.compile(rf"{_WHO} {_TAIL}", re.ASCII | re.DOTALL)
_KEY = re.compile(rf"{_WHO} {_TAIL}: [\w-]{{1,64}} \S{{1,256}}", re.ASCII | re.DOTALL)
# Behind ": " a certificate's id or a client's name may hold anything, ` from ` included.
_FREE = re.compile(rf"{_WHO} {_TAIL}: .*", re.ASCII | re.DOTALL)
_FREE_EARLY = re.compile(
    rf"(?P<unknown>(?:invalid|illegal) user )?(?P<account>.*?) {_TAIL}: .*", re.ASCII | re.DOTALL
)
_REFUSED = re.compile(rf"(?:Invalid|Illegal) user (?P<account>.*) {_TAIL}", re.ASCII | re.DOTALL)
_NOT_ALLOWED = re.compile(
    rf"User (?P<account>.*?)(?: from {_ADDRESS})? not allowed because (?P<cause>[^\n]*)", re.ASCII
)
_ROOT_REFUSED = re.compile(
    rf"ROOT LOGIN REFUSED FROM {_ADDRESS}(?: port \d{{1,5}})?(?: \[preauth\])?", re.ASCII
)
_PAM_ERROR = re.compile(
    rf"error: PAM: (?P<answer>[^:]{{1,120}}?) for {_WHO} from {_ADDRESS}"
    r"(?: via [\w.:%-]{1,255})? ?",
    re.ASCII | re.DOTALL,
)
_EXCEEDED = re.compile(
    rf"error: maximum authentication attempts exceeded for {_WHO} {_TAIL}(?: \[preauth\])?",
    re.ASCII | re.DOTALL,
)
_DISCONNECTING = re.compile(
    r"Disconnecting (?P<unknown>invalid user|authenticating user) (?P<account>.*) "
    rf"{_ADDRESS} port \d{{1,5}}: Too many authentication failures(?: \[preauth\])?",
    re.ASCII | re.DOTALL,
)
_NO_PASSWORD = ("publickey", "hostbased", "gssapi")
_NO_NAME = "<invalid username>"
_PAM_NO_FAILURE = ("success", "have exhausted", "conversation")


def read_message(text: str) -> Said:
    """What `text` says. Raises `Rejected` where it is a decision that cannot be read."""
    first = text.partition(" ")[0]
    reader = _READERS.get(first)
    return NOTHING if reader is None else reader(text)


def _decision(text: str) -> Said:
    match = _DECISION.fullmatch(text)
    if match is None:
        return NOTHING  # "Failed to allocate internet-domain X11 display socket."
    method, rest = match["method"], match["rest"]
    who = _subject(method, rest)
    if who is None:
        raise Rejected("unparsable_line", f"sshd decided without user and address: {text[:200]!r}")
    account: str | None = who["account"]
    unknown = who["unknown"] is not None
    if account == _NO_NAME and not unknown:
        account, unknown = None, True
    if text.startswith("Accepted"):
        return Said(Act.ACCEPTED, "sshd: Accepted", account, who["address"])
    if method == "none" and not unknown:
        # Every client asks with "none" which methods there are; no credential was tried.
        return Said(Act.NOTHING, "sshd: asked for the methods, tried no credential")
    reason: Reason = "other" if method.startswith(_NO_PASSWORD) else "bad_password"
    return Said(
        Act.FAILED,
        "sshd: Failed",
        account,
        who["address"],
        "unknown_account" if unknown else reason,
    )


def _subject(method: str, rest: str) -> re.Match[str] | None:
    plain = _PLAIN.fullmatch(rest)
    if plain is not None or not method.startswith(_NO_PASSWORD):
        return plain
    key = _KEY.fullmatch(rest)
    if key is not None:
        return key
    late, early = _FREE.fullmatch(rest), _FREE_EARLY.fullmatch(rest)
    if late is not None and early is not None and late["account"] != early["account"]:
        raise Rejected("unparsable_line", f"sshd: two readings of user and address: {rest[:200]!r}")
    return late


def _invalid_user(text: str) -> Said:
    match = _REFUSED.fullmatch(text)
    if match is None:
        raise Rejected("unparsable_line", f"sshd: a refused user without address: {text[:200]!r}")
    return Said(
        Act.REFUSED, "sshd: Invalid user", match["account"], match["address"], "unknown_account"
    )


def _user(text: str) -> Said:
    match = _NOT_ALLOWED.fullmatch(text)
    if match is None:
        return NOTHING
    # sshd calls these "invalid user" from here on, but the account exists: the reason must say so.
    reason: Reason = "locked" if match["cause"].startswith("account is locked") else "other"
    act = Act.HINT if match["address"] is None else Act.REFUSED
    return Said(act, "sshd: user not allowed", match["account"], match["address"], reason)


def _root_refused(text: str) -> Said:
    match = _ROOT_REFUSED.fullmatch(text)
    if match is None:
        return NOTHING
    return Said(Act.PAM_ERROR, "sshd: root refused", "root", match["address"], "other")


def _error(text: str) -> Said:
    if text.startswith("error: PAM: "):
        match = _PAM_ERROR.fullmatch(text)
        if match is None or match["answer"].lower().startswith(_PAM_NO_FAILURE):
            return NOTHING
        unknown = match["unknown"] is not None or match["answer"].startswith("User not known")
        return Said(
            Act.PAM_ERROR,
            "sshd: PAM's answer",
            match["account"],
            match["address"],
            "unknown_account" if unknown else _pam_reason(match["answer"]),
        )
    match = _EXCEEDED.fullmatch(text)
    if match is not None:
        reason: Reason = "bad_password" if match["unknown"] is None else "unknown_account"
        return Said(
            Act.EXCEEDED, "sshd: attempts exceeded", match["account"], match["address"], reason
        )
    return CLOSED if text.startswith("error: Received disconnect") else NOTHING


def _pam_reason(answer: str) -> Reason:
    folded = answer.lower()
    if "expired" in folded:
        return "expired"
    return "locked" if "locked" in folded or "maximum number" in folded else "bad_password"


def _disconnecting(text: str) -> Said:
    match = _DISCONNECTING.fullmatch(text)
    if match is None:
        return CLOSED
    reason: Reason = "unknown_account" if match["unknown"] == "invalid user" else "bad_password"
    return Said(Act.EXCEEDED, "sshd: attempts exceeded", match["account"], match["address"], reason)


def _closed(_text: str) -> Said:
    return CLOSED


_READERS: dict[str, Callable[[str], Said]] = {
    "Failed": _decision,
    "Accepted": _decision,
    "Invalid": _invalid_user,
    "Illegal": _invalid_user,
    "User": _user,
    "ROOT": _root_refused,
    "error:": _error,
    "Disconnecting": _disconnecting,
    "Disconnecting:": _closed,
    "Disconnected": _closed,
    "Received": _closed,
    "Connection": lambda text: NOTHING if text.startswith("Connection from") else CLOSED,
    "fatal:": _closed,
}
