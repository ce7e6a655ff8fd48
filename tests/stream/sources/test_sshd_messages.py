"""What one line of sshd or PAM says, whoever chose the user name in it."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from .logs import read_log, sshd

IP = "198.51.100.7"

CERTIFICATE = 'RSA-CERT ID "b from 192.0.2.2 port 2 ssh2: c" (serial 0) CA RSA SHA256:x'

DECISIONS = [
    pytest.param(
        f"Failed password for root from {IP} port 4711 ssh2",
        ("root", IP, "failure", "bad_password"),
        id="password",
    ),
    pytest.param(
        f"Failed password for invalid user oracle from {IP} port 4711 ssh2",
        ("oracle", IP, "failure", "unknown_account"),
        id="unknown user",
    ),
    pytest.param(
        f"Failed password for illegal user oracle from {IP} port 4711 ssh2",
        ("oracle", IP, "failure", "unknown_account"),
        id="unknown user, OpenSSH 3",
    ),
    pytest.param(
        f"Failed keyboard-interactive/pam for alice from {IP} port 4711 ssh2",
        ("alice", IP, "failure", "bad_password"),
        id="keyboard-interactive",
    ),
    pytest.param(
        f"Failed publickey for alice from {IP} port 4711 ssh2: ED25519 SHA256:abc/def+0",
        ("alice", IP, "failure", "other"),
        id="a key that sshd says failed is no wrong password",
    ),
    pytest.param(
        f"Failed none for invalid user guest from {IP} port 4711 ssh2",
        ("guest", IP, "failure", "unknown_account"),
        id="an unknown user without any password",
    ),
    pytest.param(
        f"Failed password for alice from {IP} port 4711 ssh2 [preauth]",
        ("alice", IP, "failure", "bad_password"),
        id="told by the unprivileged process",
    ),
    pytest.param(
        "Failed password for alice from 2001:db8::1 port 4711 ssh2",
        ("alice", "2001:db8::1", "failure", "bad_password"),
        id="IPv6",
    ),
    pytest.param(
        "Failed password for alice from ::ffff:198.51.100.7 port 4711 ssh2",
        ("alice", IP, "failure", "bad_password"),
        id="IPv4 inside IPv6",
    ),
    pytest.param(
        "Failed password for alice from fe80::1%eth0 port 4711 ssh2",
        ("alice", "fe80::1", "failure", "bad_password"),
        id="IPv6 with a zone",
    ),
    pytest.param(
        "Failed password for alice from client.example.org port 4711 ssh2",
        ("alice", None, "failure", "bad_password"),
        id="a host name is no address",
    ),
    pytest.param(
        f"Accepted password for alice from {IP} port 4711 ssh2",
        ("alice", IP, "success", None),
        id="success by password",
    ),
    pytest.param(
        f"Accepted publickey for alice from {IP} port 4711 ssh2: RSA SHA256:abc",
        ("alice", IP, "success", None),
        id="success by key",
    ),
    pytest.param(
        f'Accepted publickey for alice from {IP} port 4711 ssh2: RSA-CERT ID "a b" (serial 1) CA R',
        ("alice", IP, "success", None),
        id="success by certificate",
    ),
    pytest.param(
        f"Failed password for invalid user  from {IP} port 4711 ssh2",
        ("", IP, "failure", "unknown_account"),
        id="an empty name",
    ),
    pytest.param(
        f"Failed password for invalid user  0101 from {IP} port 4711 ssh2",
        (" 0101", IP, "failure", "unknown_account"),
        id="a name that begins with a blank",
    ),
    pytest.param(
        f"Failed password for invalid user a b from c from {IP} port 4711 ssh2",
        ("a b from c", IP, "failure", "unknown_account"),
        id="blanks and from in a name",
    ),
    pytest.param(
        f"Failed password for invalid user x from 192.0.2.1 port 22 ssh2 from {IP} port 4711 ssh2",
        ("x from 192.0.2.1 port 22 ssh2", IP, "failure", "unknown_account"),
        id="a name that looks like the rest of the line",
    ),
    pytest.param(
        f"Invalid user x from 192.0.2.1 port 22 from {IP} port 4711",
        ("x from 192.0.2.1 port 22", IP, "failure", "unknown_account"),
        id="the same in Invalid user",
    ),
    pytest.param(
        f"Failed password for invalid user \\033[2J\\a from {IP} port 4711 ssh2",
        ("\\033[2J\\a", IP, "failure", "unknown_account"),
        id="control characters as sshd escapes them",
    ),
    pytest.param(
        f"Failed password for invalid user \x1b[2J\x00 from {IP} port 4711 ssh2",
        ("\x1b[2J\x00", IP, "failure", "unknown_account"),
        id="control characters and NUL as they are",
    ),
    pytest.param(
        f"Failed keyboard-interactive for <invalid username> from {IP} port 4711 ssh2",
        (None, IP, "failure", "unknown_account"),
        id="Solaris hides the name",
    ),
    pytest.param(
        f"Invalid user admin from {IP}",
        ("admin", IP, "failure", "unknown_account"),
        id="Invalid user alone",
    ),
    pytest.param(
        f"User mallory from {IP} not allowed because not listed in AllowUsers",
        ("mallory", IP, "failure", "other"),
        id="an account that exists and may not",
    ),
    pytest.param(
        f"ROOT LOGIN REFUSED FROM {IP} port 4711 [preauth]",
        ("root", IP, "failure", "other"),
        id="root refused",
    ),
    pytest.param(
        f"error: PAM: Authentication failure for alice from {IP}",
        ("alice", IP, "failure", "bad_password"),
        id="PAM's answer",
    ),
    pytest.param(
        f"error: PAM: Authentication failure for illegal user bob from {IP}",
        ("bob", IP, "failure", "unknown_account"),
        id="PAM's answer for an unknown user",
    ),
    pytest.param(
        f"error: PAM: authentication error for alice from {IP} via 192.0.2.9",
        ("alice", IP, "failure", "bad_password"),
        id="PAM's answer on FreeBSD and macOS",
    ),
    pytest.param(
        "error: PAM: User not known to the underlying authentication module for illegal user k "
        f"from {IP} ",
        ("k", IP, "failure", "unknown_account"),
        id="PAM does not know the user",
    ),
    pytest.param(
        f"error: PAM: User account has expired for carol from {IP}",
        ("carol", IP, "failure", "expired"),
        id="PAM says expired",
    ),
    pytest.param(
        f"error: maximum authentication attempts exceeded for alice from {IP} port 4711 ssh2 "
        "[preauth]",
        ("alice", IP, "failure", "bad_password"),
        id="attempts exceeded, none logged before",
    ),
    pytest.param(
        f"Disconnecting invalid user bob {IP} port 4711: Too many authentication failures "
        "[preauth]",
        ("bob", IP, "failure", "unknown_account"),
        id="disconnected after too many",
    ),
    pytest.param(
        "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= "
        f"rhost={IP}  user=root",
        ("root", IP, "failure", "bad_password"),
        id="PAM alone",
    ),
    pytest.param(
        "pam_sss(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= "
        f"rhost={IP} user=x rhost=192.0.2.1 user=y",
        ("x rhost=192.0.2.1 user=y", IP, "failure", "bad_password"),
        id="a name that looks like PAM's fields",
    ),
]


@pytest.mark.parametrize(("message", "told"), DECISIONS)
def test_a_message_is_one_attempt(
    message: str, told: tuple[str | None, str | None, str, str | None]
) -> None:
    """Account as in the log, address from where sshd writes it, reason as far as the log says."""
    assert read_log(sshd(message)).told == [told]


@pytest.mark.parametrize(
    "message",
    [
        f"Postponed publickey for alice from {IP} port 4711 ssh2 [preauth]",
        f"Partial publickey for alice from {IP} port 4711 ssh2",
        f"Failed none for alice from {IP} port 4711 ssh2",
        f"Connection from {IP} port 4711 on 192.0.2.1 port 22",
        f"Connection closed by authenticating user root {IP} port 4711 [preauth]",
        f"Received disconnect from {IP} port 4711:11: Bye Bye [preauth]",
        f"Did not receive identification string from {IP} port 4711",
        f"reverse mapping checking getaddrinfo for a.example [{IP}] failed - BREAK-IN ATTEMPT!",
        "input_userauth_request: invalid user root [preauth]",
        "Failed to allocate internet-domain X11 display socket.",
        "pam_unix(sshd:session): session opened for user alice by (uid=0)",
        "pam_unix(sshd:auth): check pass; user unknown",
        "User root not allowed because account is locked",
        "error: PAM: Have exhausted maximum number of retries for alice from 192.0.2.1",
        "Server listening on 0.0.0.0 port 22.",
        "PAM 2 more authentication failures; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.1",
        "",
    ],
)
def test_a_message_that_decides_nothing_is_counted_and_makes_no_event(message: str) -> None:
    """What is no decision of a login is no event, no refusal, and no mystery."""
    log = read_log(sshd(message))

    assert log.told == []
    assert log.refused == {}
    assert log.kinds == ["no_login"]


@pytest.mark.parametrize(
    "message",
    [
        "Failed password for root",
        "Accepted password for root from",
        "Failed password for root from 198.51.100.7 port x ssh2",
        "Invalid user admin",
        f"Failed publickey for invalid user a from 192.0.2.1 port 1 ssh2: {CERTIFICATE}",
        "message repeated 99999999 times: [ Failed password for a from 192.0.2.1 port 1 ssh2]",
        f"Failed password for invalid user {'x' * 257} from 192.0.2.1 port 1 ssh2",
    ],
)
def test_a_decision_that_cannot_be_read_is_refused(message: str) -> None:
    """Half a decision, one with two readings, an absurd one: kept as a reject, never guessed."""
    log = read_log(sshd(message))

    assert log.told == []
    assert list(log.refused) == [1]


NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\n\r"), max_size=100)


@given(name=NAMES)
@example(name="<invalid username>")
@example(name="x from 192.0.2.1 port 22 ssh2: RSA SHA256:x")
def test_no_user_name_can_move_the_address(name: str) -> None:
    """Whatever an attacker types as a name, the failure counts for the address sshd saw."""
    message = f"Failed password for invalid user {name} from {IP} port 4711 ssh2"

    log = read_log(sshd(message))

    assert [(e.account, e.ip) for e in log.events] == [(name, IP)]


@given(name=NAMES.filter(lambda name: name.rstrip() == name))
def test_no_user_name_can_move_the_address_of_a_pam_answer(name: str) -> None:
    """The same where PAM's answer is all that is logged."""
    log = read_log(sshd(f"error: PAM: Authentication failure for illegal user {name} from {IP}"))

    assert [(e.account, e.ip) for e in log.events] == [(name, IP)]
