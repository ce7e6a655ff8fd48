"""What one message of a PAM module inside sshd says about a login (Linux-PAM's own words).

Forms: `pam_unix(sshd:auth): authentication failure; ...`; in 2005 the program itself was named
`sshd(pam_unix)`; and the sum at the end of a process reads
`PAM 4 more authentication failures; ...`.
"""

from __future__ import annotations

import re

from .sshd_messages import NOTHING, Act, Said

_MODULE = re.compile(
    r"(?P<module>pam_\w{1,32})\(sshd:(?P<stage>auth|account)\): (?P<message>.*)", re.DOTALL
)
# ruser is empty over ssh and rhost is sshd's, but some modules write any user name: it comes last.
_WHOSE = (
    r"; logname=\S{0,256} uid=\d+ euid=\d+ tty=\S{0,64} ruser=(?P<ruser>\S{0,256}) "
    r"rhost=(?P<address>\S{0,255})(?: +user=(?P<account>.*?))?(?: \[preauth\])? *"
)
_FAILURE = re.compile(rf"authentication failure{_WHOSE}", re.DOTALL)
_MORE = re.compile(
    rf"(?:PAM )?(?P<count>\d{{1,4}}) more authentication failures?{_WHOSE}", re.DOTALL
)
_EXPIRED = re.compile(r"account (?P<account>\S{1,256}) has expired.*", re.DOTALL)
_CHECK_PASS = "check pass; user unknown"  # noqa: S105 (a message, no password)
_OLD_PROGRAM = re.compile(r"sshd\((?P<module>pam_\w{1,32})\)")


def old_module(program: str) -> str | None:
    """The module of a program named like `sshd(pam_unix)`; None for any other."""
    match = _OLD_PROGRAM.fullmatch(program)
    return match["module"] if match else None


def read_module_message(text: str) -> Said:
    """What `pam_unix(sshd:auth): ...` says."""
    match = _MODULE.fullmatch(text)
    if match is None:
        return NOTHING
    return read_pam(match["module"], match["message"])


def read_pam(module: str, message: str) -> Said:
    """What `message` of the PAM module says."""
    if message == _CHECK_PASS:
        return Said(Act.HINT, "pam: user unknown", reason="unknown_account", module=module)
    match = _EXPIRED.fullmatch(message)
    if match is not None:
        return Said(Act.HINT, "pam: account expired", match["account"], reason="expired")
    match = _FAILURE.fullmatch(message)
    if match is not None:
        return Said(
            Act.PAM_FAILED,
            "pam: authentication failure",
            match["account"] or None,
            match["address"] or None,
            "bad_password",
            module,
        )
    return read_more(message)


def read_more(message: str) -> Said:
    """What `[PAM ]4 more authentication failures; ...` says."""
    match = _MORE.fullmatch(message)
    if match is None:
        return NOTHING
    return Said(
        Act.PAM_MORE,
        "pam: more authentication failures",
        match["account"] or None,
        match["address"] or None,
        "bad_password",
        count=int(match["count"]),
    )
